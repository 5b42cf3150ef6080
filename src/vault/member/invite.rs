use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use zeroize::Zeroizing;

use super::super::keys;
use super::super::operation::OperationContext;
use super::super::records::{InvitationRecord, get, put, require};
use super::super::session::Session;
use super::super::use_case::UseCase;
use super::super::user::{check_email, email_key};
use crate::core::{
    Action, AuditActor, Details, Id, MemberRole, Random, Resource, ResourceKind, SecretString, Timestamp, TokenHash,
};
use crate::store::Precondition;
use crate::{Error, ErrorKind, Result};

/// How long an invitation can be accepted, unless said otherwise.
const LASTS: Duration = Duration::from_secs(7 * 24 * 60 * 60);

/// Somebody who is to be invited to an organization.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct NewInvitation {
    /// The person's email address.
    pub email: String,
    /// What they may do in all of the organization.
    pub role: MemberRole,
    /// The teams they are in.
    pub teams: Vec<Id>,
    /// From when on it can no longer be accepted: in 7 days, where nothing is given.
    pub expires_at: Option<Timestamp>,
}

impl NewInvitation {
    /// An invitation in that role, to no team, for 7 days.
    pub fn new(email: impl Into<String>, role: MemberRole) -> Self {
        Self { email: email.into(), role, teams: Vec::new(), expires_at: None }
    }
}

/// An invitation that was neither accepted nor withdrawn. It may have expired.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Invitation {
    /// Its id.
    pub id: Id,
    /// The person's email address.
    pub email: String,
    /// What they may do in all of the organization.
    pub role: MemberRole,
    /// The teams they are in.
    pub teams: Vec<Id>,
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
    /// in place of such a role; `InvalidValue`, for what is no email address, and for an end that is past; `Conflict`, for a member.
    pub fn invite_member(&self, organization: Id, new: &NewInvitation) -> Result<IssuedInvitation> {
        self.write(UseCase::InviteMember, |operation| {
            operation.whole_organization(organization)?;
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
                id: operation.new_id()?,
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
            put(operation.tx, &keys::invitation(&hash), &record, Precondition::Absent)?;
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
    pub(super) fn record_invitation(&mut self, action: Action, record: &InvitationRecord) -> Result<()> {
        let teams: Vec<String> = record.teams.iter().map(Id::to_string).collect();
        let details = Details::default()
            .with("role", record.role.to_string())
            .with("teams", teams)
            .with("expiresAt", record.expires_at.to_string());
        let resource = Resource::named(ResourceKind::Invitation, record.organization, record.id, &record.email);
        self.record(action, resource, details)
    }

    /// Removes the invitation for an email address, if there is one, and tells which.
    pub(in super::super) fn remove_invitation(
        &mut self,
        organization: Id,
        email: &str,
    ) -> Result<Option<InvitationRecord>> {
        let by_email = keys::invitation_email(organization, &email_key(email));
        let Some(hash) = get::<String>(self.tx, &by_email)? else {
            return Ok(None);
        };
        let record: InvitationRecord = require(self.tx, &keys::invitation(&hash))?;
        self.tx.delete(&keys::invitation(&hash))?;
        self.tx.delete(&keys::invitation_id(organization, record.id))?;
        self.tx.delete(&by_email)?;
        Ok(Some(record))
    }
}
