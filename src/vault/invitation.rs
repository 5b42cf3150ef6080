use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use zeroize::Zeroizing;

use super::authenticated_record::forged;
use super::keys;
use super::member::Member;
use super::operation::{OperationContext, no_such};
use super::records::{InvitationRecord, damaged, get, id_in, put};
use super::scan::scan_keys;
use super::session::Session;
use super::setters::setters;
use super::use_case::UseCase;
use super::user::{check_email, email_key};
use crate::core::audit::{Action, AuditActor, Details, Resource, ResourceKind};
use crate::core::clock::Timestamp;
use crate::core::id::InvitationId;
use crate::core::id::OrganizationId;
use crate::core::id::TeamId;
use crate::core::random::Random;
use crate::core::role::MemberRole;
use crate::core::secret::SecretString;
use crate::core::token::TokenHash;
use crate::error::{Error, ErrorKind, Result};
use crate::store::Precondition;

/// How long an invitation can be accepted, unless said otherwise.
const LASTS: Duration = Duration::from_secs(7 * 24 * 60 * 60);

/// A person to invite to an organization.
#[derive(Clone, Debug)]
pub struct NewInvitation {
    pub(crate) email: String,
    pub(crate) role: MemberRole,
    pub(crate) teams: Vec<TeamId>,
    pub(crate) expires_at: Option<Timestamp>,
}

impl NewInvitation {
    /// Creates an invitation in that role, to no team, for 7 days.
    pub fn new(email: impl Into<String>, role: MemberRole) -> Self {
        Self { email: email.into(), role, teams: Vec::new(), expires_at: None }
    }

    setters! {
        /// Sets the teams the person joins.
        teams: Vec<TeamId>;
        /// Sets when the invitation expires. By default it does after 7 days.
        expires_at: Option<Timestamp>;
    }
}

/// An invitation that was neither accepted nor withdrawn. It may have expired.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Invitation {
    /// Its id.
    pub id: InvitationId,
    /// The person's email address.
    pub email: String,
    /// What they may do in all of the organization.
    pub role: MemberRole,
    /// The teams they are in.
    pub teams: Vec<TeamId>,
    /// When it was made.
    pub created_at: Timestamp,
    /// By whom.
    pub created_by: AuditActor,
    /// From when on it can no longer be accepted.
    pub expires_at: Timestamp,
}

impl From<InvitationRecord> for Invitation {
    fn from(record: InvitationRecord) -> Self {
        Self {
            id: record.id,
            email: record.email,
            role: record.role,
            teams: record.teams,
            created_at: record.created_at,
            created_by: record.created_by,
            expires_at: record.expires_at,
        }
    }
}

/// An invitation that was just made.
#[derive(Debug)]
#[non_exhaustive]
pub struct IssuedInvitation {
    /// What it is accepted with, such as in a link that is sent to the person: `invite_` and 43 letters, digits, `-`
    /// and `_`. It is told once: nothing can get it from the vault again.
    pub code: SecretString,
    /// What is known of it.
    pub invitation: Invitation,
}

impl Session<'_> {
    /// Invites somebody to an organization. It takes the place of an earlier invitation for that address.
    ///
    /// # Errors
    /// `NotFound`, also for a role or a team; `Denied`, for a role or a team that holds more than the actor does, and
    /// in place of such a role, and for a token or key with an end or an allow-list; `InvalidValue`, for what is no email address, and for an end that is past; `Conflict`, for a member.
    pub fn invite_member(&self, organization: OrganizationId, new: &NewInvitation) -> Result<IssuedInvitation> {
        self.write(UseCase::InviteMember, |operation| {
            operation.whole_organization(organization)?;
            operation.check_unbounded()?;
            operation.check_role(organization, new.role)?;
            let teams = operation.check_teams(organization, &new.teams)?;
            let email = check_email(&new.email)?;
            if operation.user_of_email(&email)?.is_some_and(|user| user.organizations.contains(&organization)) {
                let message = "this user is a member of the organization already: change the member instead";
                return Err(Error::new(ErrorKind::Conflict, message));
            }
            let expires_at = new.expires_at.or_else(|| operation.now.checked_add(LASTS)).unwrap_or(Timestamp::MAX);
            if expires_at <= operation.now {
                let message = "the time at which the invitation is to expire is past";
                return Err(Error::new(ErrorKind::InvalidValue, message));
            }
            if let Some(before) = operation.remove_invitation(organization, &email)? {
                operation.check_role(organization, before.role)?;
            }
            let record = InvitationRecord {
                id: operation.new_id()?.into(),
                organization,
                email,
                role: new.role,
                teams,
                created_at: operation.now,
                created_by: operation.principal.actor.clone(),
                expires_at,
            };
            let code = draw(&*operation.vault.random)?;
            let hash = TokenHash::of(code.expose_secret()).to_string();
            operation.put_authenticated(&keys::invitation(&hash), &record, Precondition::Absent)?;
            put(operation.tx, &keys::invitation_id(organization, record.id), &hash, Precondition::Absent)?;
            put(
                operation.tx,
                &keys::invitation_email(organization, &email_key(&record.email)),
                &hash,
                Precondition::Absent,
            )?;
            operation.record_invitation(Action::Create, &record)?;
            Ok(IssuedInvitation { code, invitation: record.into() })
        })
    }
}

/// A code of 256 random bits.
fn draw(random: &dyn Random) -> Result<SecretString> {
    let mut bytes = Zeroizing::new([0; 32]);
    random.fill(bytes.as_mut_slice())?;
    let text = Zeroizing::new(BASE64.encode(bytes.as_slice()));
    Ok(SecretString::from(format!("invite_{}", text.as_str())))
}

impl OperationContext<'_, '_> {
    fn record_invitation(&mut self, action: Action, record: &InvitationRecord) -> Result<()> {
        let teams: Vec<String> = record.teams.iter().map(TeamId::to_string).collect();
        let details = Details::default()
            .with("role", record.role.to_string())
            .with("teams", teams)
            .with("expiresAt", record.expires_at.to_string());
        let resource = Resource::named(ResourceKind::Invitation, record.organization, record.id.into(), &record.email);
        self.record(action, resource, details)
    }

    /// Removes the invitation for an email address, if there is one, and tells which.
    pub(super) fn remove_invitation(
        &mut self,
        organization: OrganizationId,
        email: &str,
    ) -> Result<Option<InvitationRecord>> {
        let by_email = keys::invitation_email(organization, &email_key(email));
        let Some(hash) = get::<String>(self.tx, &by_email)? else {
            return Ok(None);
        };
        let record: InvitationRecord = self.require_authenticated(&keys::invitation(&hash))?;
        // The index bears no MAC: the invitation must say the same.
        if record.organization != organization || email_key(&record.email) != email_key(email) {
            return Err(forged());
        }
        self.tx.delete(&keys::invitation(&hash))?;
        self.tx.delete(&keys::invitation_id(organization, record.id))?;
        self.tx.delete(&by_email)?;
        Ok(Some(record))
    }
}

impl Session<'_> {
    /// The invitations to an organization that were neither accepted nor withdrawn, in the order they were made; also
    /// those that have expired.
    ///
    /// # Errors
    /// `NotFound`.
    pub fn invitations(&self, organization: OrganizationId) -> Result<Vec<Invitation>> {
        self.read(UseCase::ListInvitations, |operation| {
            operation.whole_organization(organization)?;
            let records = operation.invitation_records(organization)?;
            let details = Details::default().with("op", "invitations").with("count", records.len());
            operation.record(Action::Read, Resource::new(ResourceKind::Invitation, organization), details)?;
            Ok(records.into_iter().map(Invitation::from).collect())
        })
    }
}

impl OperationContext<'_, '_> {
    pub(super) fn invitation_records(&mut self, organization: OrganizationId) -> Result<Vec<InvitationRecord>> {
        let indexes = scan_keys(self.tx, keys::invitation_ids(organization))?;
        let ids = indexes.iter().map(|index| id_in(index)).collect::<Result<Vec<InvitationId>>>()?;
        let found = ids.into_iter().map(|id| self.invitation(organization, id)?.ok_or_else(damaged));
        found.collect()
    }

    /// The invitation of that id.
    pub(super) fn invitation(
        &mut self,
        organization: OrganizationId,
        id: InvitationId,
    ) -> Result<Option<InvitationRecord>> {
        let Some(hash) = get::<String>(self.tx, &keys::invitation_id(organization, id))? else {
            return Ok(None);
        };
        let record: InvitationRecord = self.require_authenticated(&keys::invitation(&hash))?;
        // The index bears no MAC: the invitation must say the same.
        if (record.organization, record.id) == (organization, id) { Ok(Some(record)) } else { Err(forged()) }
    }
}

impl Session<'_> {
    /// Accepts an invitation: whoever has its email address becomes a member, and is made a user of that name if there
    /// is none. Only trusted programs can, which have made sure that the person who has the code is meant.
    ///
    /// # Errors
    /// `NotFound`, for a code that is unknown, has expired, or was withdrawn or accepted; `InvalidName`.
    pub fn accept_invitation(&self, code: &SecretString, name: &str) -> Result<Member> {
        self.write(UseCase::AcceptInvitation, |operation| {
            operation.system_only()?;
            // Found by its hash, which an attacker cannot steer; so a look-up tells nothing by the time it takes.
            let hash = TokenHash::of(code.expose_secret()).to_string();
            let record = operation.get_authenticated::<InvitationRecord>(&keys::invitation(&hash))?;
            let record = record.filter(|record| record.expires_at > operation.now).ok_or_else(|| {
                let message =
                    "the invitation is unknown, has expired, or was withdrawn or accepted: ask for another one";
                Error::new(ErrorKind::NotFound, message)
            })?;
            let mut user = match operation.user_of_email(&record.email)? {
                Some(user) => user,
                None => operation.make_user(None, name, record.email.clone())?,
            };
            let mut teams = Vec::new();
            for team in record.teams {
                // It may have been deleted since.
                if operation.tx.get(&keys::team(record.organization, team))?.is_some() {
                    teams.push(team);
                }
            }
            let joined = operation.join(record.organization, &mut user, record.role, teams)?;
            let member = Member::new(joined, user.clone());
            operation.record_member(record.organization, &member, &user)?;
            Ok(member)
        })
    }
}

impl Session<'_> {
    /// Withdraws an invitation: from then on it cannot be accepted.
    ///
    /// # Errors
    /// `NotFound`; `Denied`, for one to a role that holds more than the actor does.
    pub fn withdraw_invitation(&self, organization: OrganizationId, id: InvitationId) -> Result<()> {
        self.write(UseCase::WithdrawInvitation, |operation| {
            operation.whole_organization(organization)?;
            let record = operation.invitation(organization, id)?.ok_or_else(|| no_such("invitation"))?;
            operation.check_role(organization, record.role)?;
            operation.remove_invitation(organization, &record.email)?;
            operation.record_invitation(Action::Delete, &record)
        })
    }
}
