//! Members: what users are in an organization, and who is invited to be one.

use serde_json::json;

use super::authenticated_record::forged;
use super::grantee::Grantee;
use super::keys;
use super::operation::{OperationContext, no_such};
use super::page::{Page, Paging};
use super::records::{MARK, MemberRecord, RoleRecord, UserRecord, id_in};
use super::session::Session;
use super::setters::setters;
use super::use_case::UseCase;
use super::user::check_email;
use crate::core::audit::{Action, Details, Resource, ResourceKind};
use crate::core::clock::Timestamp;
use crate::core::id::OrganizationId;
use crate::core::id::TeamId;
use crate::core::id::UserId;
use crate::core::permission::Permission;
use crate::core::role::MemberRole;
use crate::error::{Error, ErrorKind, Result};
use crate::store::{Order, Precondition};

/// What a user is in an organization.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Member {
    /// The user's id.
    pub user: UserId,
    /// The user's name.
    pub name: String,
    /// The user's email address.
    pub email: String,
    /// What they may do in all of the organization.
    pub role: MemberRole,
    /// The teams they are in.
    pub teams: Vec<TeamId>,
    /// When they became a member.
    pub created_at: Timestamp,
    /// When the role or the teams were changed last.
    pub updated_at: Timestamp,
}

impl Member {
    pub(super) fn new(record: MemberRecord, user: UserRecord) -> Self {
        Self {
            user: record.user,
            name: user.name,
            email: user.email,
            role: record.role,
            teams: record.teams,
            created_at: record.created_at,
            updated_at: record.updated_at,
        }
    }
}

/// Under which word it is kept who has a role: all owners' roles are one, and the others nobody asks for.
pub(super) fn indexed(role: MemberRole) -> Option<String> {
    match role {
        role if role.is_owner() => Some(OWNER.to_owned()),
        MemberRole::Custom(_) => Some(role.to_string()),
        _ => None,
    }
}

const OWNER: &str = "owner";

impl OperationContext<'_, '_> {
    /// The organization, for what concerns a member of it, which everybody may do to themselves.
    pub(super) fn organization_of_member(&mut self, organization: OrganizationId, user: UserId) -> Result<()> {
        if self.is_user(user) {
            self.organization(organization).map(drop)
        } else {
            self.whole_organization(organization).map(drop)
        }
    }

    /// What a user is in an organization.
    pub(super) fn member(&mut self, organization: OrganizationId, user: UserId) -> Result<MemberRecord> {
        self.get_authenticated(&keys::member(organization, user))?.ok_or_else(|| no_such("member"))
    }

    /// Makes a user a member.
    pub(super) fn join(
        &mut self,
        organization: OrganizationId,
        user: &mut UserRecord,
        role: MemberRole,
        teams: Vec<TeamId>,
    ) -> Result<MemberRecord> {
        if user.organizations.contains(&organization) {
            let message = "this user is a member of the organization already: change the member instead";
            return Err(Error::new(ErrorKind::Conflict, message));
        }
        let record = MemberRecord { user: user.id, role, teams, created_at: self.now, updated_at: self.now };
        self.put_authenticated(&keys::member(organization, user.id), &record, Precondition::Absent)?;
        self.index_role(organization, user.id, None, Some(role))?;
        for team in &record.teams {
            self.tx.put(&keys::team_member(organization, *team, user.id), MARK, Precondition::Absent)?;
        }
        user.organizations.push(organization);
        self.put_authenticated(&keys::user(user.id), user, Precondition::Present)?;
        self.remove_invitation(organization, &user.email)?;
        Ok(record)
    }

    /// Records that somebody became a member.
    pub(super) fn record_member(
        &mut self,
        organization: OrganizationId,
        member: &Member,
        user: &UserRecord,
    ) -> Result<()> {
        let teams: Vec<String> = member.teams.iter().map(TeamId::to_string).collect();
        let details = Details::default()
            .with("email", member.email.as_str())
            .with("role", member.role.to_string())
            .with("teams", teams);
        self.record(Action::Create, Resource::member(organization, user), details)
    }

    /// Keeps who has which role.
    fn index_role(
        &mut self,
        organization: OrganizationId,
        user: UserId,
        old: Option<MemberRole>,
        new: Option<MemberRole>,
    ) -> Result<()> {
        let (old, new) = (old.and_then(indexed), new.and_then(indexed));
        if old == new {
            return Ok(());
        }
        if let Some(old) = old {
            self.tx.delete(&keys::role_member(organization, &old, user))?;
        }
        if let Some(new) = new {
            self.tx.put(&keys::role_member(organization, &new, user), MARK, Precondition::Always)?;
        }
        Ok(())
    }

    /// Takes from a user all that they have in an organization.
    pub(super) fn forget_member(&mut self, organization: OrganizationId, user: UserId) -> Result<()> {
        let member: MemberRecord = self.require_authenticated(&keys::member(organization, user))?;
        for team in &member.teams {
            self.tx.delete(&keys::team_member(organization, *team, user))?;
        }
        self.remove_grants_of(organization, Grantee::User(user))?;
        self.remove_tokens(keys::personal_keys(organization, user))?;
        self.index_role(organization, user, Some(member.role), None)?;
        self.tx.delete(&keys::member(organization, user))?;
        let mut record: UserRecord = self.require_authenticated(&keys::user(user))?;
        record.organizations.retain(|id| *id != organization);
        self.put_authenticated(&keys::user(user), &record, Precondition::Present)
    }

    /// Refuses to take its last owner from an organization.
    pub(super) fn keep_an_owner(&mut self, organization: OrganizationId, user: UserId) -> Result<()> {
        let owners = self.tx.scan(&keys::role_members(organization, OWNER), Order::Ascending, 2)?;
        for owner in &owners {
            self.role_of_index(organization, OWNER, &owner.key)?;
        }
        if owners.len() != 1 || owners[0].key != keys::role_member(organization, OWNER, user) {
            return Ok(());
        }
        let message = "this is the last owner of the organization: make somebody else an owner first, or delete the \
                       organization";
        Err(Error::new(ErrorKind::Conflict, message))
    }

    /// Whether somebody has a role.
    pub(super) fn is_role_held(&mut self, organization: OrganizationId, role: MemberRole) -> Result<bool> {
        let Some(word) = indexed(role) else {
            return Ok(false);
        };
        Ok(!self.tx.scan(&keys::role_members(organization, &word), Order::Ascending, 1)?.is_empty())
    }

    /// Refuses an index by which somebody has a role that they do not have: it bears no MAC.
    fn role_of_index(&mut self, organization: OrganizationId, word: &str, index: &str) -> Result<()> {
        let member: Option<MemberRecord> = self.get_authenticated(&keys::member(organization, id_in(index)?))?;
        let is_role = member.is_some_and(|member| indexed(member.role).as_deref() == Some(word));
        if is_role { Ok(()) } else { Err(forged()) }
    }

    /// Refuses to give a role, or to take it away, that holds more than the actor does.
    pub(super) fn check_role(&mut self, organization: OrganizationId, role: MemberRole) -> Result<()> {
        if let MemberRole::Custom(id) = role
            && self.get_authenticated::<RoleRecord>(&keys::role(organization, id))?.is_none()
        {
            return Err(no_such("role"));
        }
        let is_owner = self.membership.as_ref().is_some_and(|membership| membership.record.role.is_owner());
        if role.is_owner() && !is_owner && !self.principal.is_system() {
            let message = "only an owner makes somebody an owner, or takes that from them";
            return Err(Error::new(ErrorKind::Denied, message));
        }
        let permissions = self.role_permissions(organization, role)?;
        self.check_held(permissions)
    }

    /// Refuses teams that are not there, and such that have more than the actor does.
    pub(super) fn check_teams(&mut self, organization: OrganizationId, teams: &[TeamId]) -> Result<Vec<TeamId>> {
        let mut checked = Vec::new();
        for team in teams {
            if !checked.contains(team) {
                self.team(organization, *team)?;
                self.allow(Permission::TeamUpdate.into())?;
                self.check_grants_held(organization, Grantee::Team(*team))?;
                checked.push(*team);
            }
        }
        Ok(checked)
    }
}

/// A person to add to an organization.
#[derive(Clone, Debug)]
pub struct NewMember {
    pub(crate) email: String,
    pub(crate) name: String,
    pub(crate) role: MemberRole,
    pub(crate) teams: Vec<TeamId>,
    pub(crate) user_id: Option<UserId>,
}

impl NewMember {
    /// Creates the input for a member in that role, in no team. A user is found by the address; the name counts only
    /// if there is none yet.
    pub fn new(email: impl Into<String>, name: impl Into<String>, role: MemberRole) -> Self {
        Self { email: email.into(), name: name.into(), role, teams: Vec::new(), user_id: None }
    }

    setters! {
        /// Sets the teams the person joins.
        teams: Vec<TeamId>;
        /// Sets the id of a new user, which only trusted programs can choose. By default it is a new one.
        user_id: Option<UserId>;
    }
}

impl Session<'_> {
    /// Makes somebody a member of an organization; also a user, with an organization of their own, if nobody has that
    /// email address.
    ///
    /// # Errors
    /// `NotFound`, also for a role or a team; `Denied`, for a role or a team that holds more than the actor does, and for
    /// a token or key with an end or an allow-list; `InvalidName`; `InvalidValue`, for what is no email address; `Conflict`, for a member, and when the user of that
    /// address has another id.
    pub fn add_member(&self, organization: OrganizationId, new: &NewMember) -> Result<Member> {
        self.write(UseCase::AddMember, |operation| {
            operation.whole_organization(organization)?;
            operation.check_unbounded()?;
            operation.check_role(organization, new.role)?;
            let teams = operation.check_teams(organization, &new.teams)?;
            let email = check_email(&new.email)?;
            if new.user_id.is_some() {
                operation.system_only()?;
            }
            let mut user = match operation.user_of_email(&email)? {
                Some(user) if new.user_id.is_some_and(|id| id != user.id) => {
                    let message = "the user of that email address has another id";
                    return Err(Error::new(ErrorKind::Conflict, message));
                }
                Some(user) => user,
                None => operation.make_user(new.user_id, &new.name, email)?,
            };
            let record = operation.join(organization, &mut user, new.role, teams)?;
            let member = Member::new(record, user.clone());
            operation.record_member(organization, &member, &user)?;
            Ok(member)
        })
    }
}

impl Session<'_> {
    /// A member of an organization. Everybody can read what they are themselves.
    ///
    /// # Errors
    /// `NotFound`.
    pub fn member(&self, organization: OrganizationId, user: UserId) -> Result<Member> {
        self.read(UseCase::ReadMember, |operation| {
            operation.organization_of_member(organization, user)?;
            let record = operation.member(organization, user)?;
            let user = operation.user(user)?;
            operation.record(Action::Read, Resource::member(organization, &user), Details::default())?;
            Ok(Member::new(record, user))
        })
    }
}

impl Session<'_> {
    /// The members of an organization, in the order in which the users were made.
    ///
    /// # Errors
    /// `NotFound`; `InvalidValue`, for a page that begins nowhere.
    pub fn members(&self, organization: OrganizationId, paging: &Paging) -> Result<Page<Member>> {
        self.read(UseCase::ListMembers, |operation| {
            operation.whole_organization(organization)?;
            let (found, next) = paging.scan(operation.tx, keys::members(organization), Order::Ascending)?;
            let records = found
                .iter()
                .map(|record| operation.decode_authenticated(record))
                .collect::<Result<Vec<MemberRecord>>>()?;
            let users: Vec<String> = records.iter().map(|record| keys::user(record.user)).collect();
            operation.tx.prefetch(&users)?;
            let mut items = Vec::new();
            for record in records {
                let user = operation.user(record.user)?;
                items.push(Member::new(record, user));
            }
            let details = Details::default().with("op", "members").with("count", items.len());
            operation.record(Action::Read, Resource::new(ResourceKind::Member, organization), details)?;
            Ok(Page { items, next })
        })
    }
}

/// The fields of a member to change.
#[derive(Clone, Debug, Default)]
pub struct MemberUpdate {
    pub(crate) role: Option<MemberRole>,
}

impl MemberUpdate {
    /// Creates an update that changes nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    setters! {
        /// Sets the role.
        role: Option<MemberRole>;
    }
}

impl Session<'_> {
    /// Changes a member.
    ///
    /// # Errors
    /// `NotFound`, also for a role; `Denied`, when the role they have, or the one they are to have, holds more than the
    /// actor does, and for an owner's by anybody but an owner; `Conflict`, for the last owner.
    pub fn update_member(&self, organization: OrganizationId, user: UserId, update: &MemberUpdate) -> Result<Member> {
        self.write(UseCase::UpdateMember, |operation| {
            operation.whole_organization(organization)?;
            let mut record = operation.member(organization, user)?;
            let user = operation.user(user)?;
            let old = record.role;
            let new = update.role.unwrap_or(old);
            let mut details = Details::changed(&[]);
            if new != old {
                operation.check_unbounded()?;
                operation.check_role(organization, old)?;
                operation.check_role(organization, new)?;
                if !new.is_owner() {
                    operation.keep_an_owner(organization, user.id)?;
                }
                operation.index_role(organization, user.id, Some(old), Some(new))?;
                record.role = new;
                let role = json!({ "from": old.to_string(), "to": new.to_string() });
                details = Details::changed(&["role"]).with("role", role);
            }
            record.updated_at = operation.now;
            operation.put_authenticated(&keys::member(organization, user.id), &record, Precondition::Present)?;
            operation.record(Action::Update, Resource::member(organization, &user), details)?;
            Ok(Member::new(record, user))
        })
    }
}

impl Session<'_> {
    /// Removes a member from an organization, from its teams, and what was granted to them. Everybody may leave.
    ///
    /// # Errors
    /// `NotFound`; `Denied`, for whoever holds more than the actor does; `Conflict`, for the last owner, and for a user
    /// who would be in no organization at all.
    pub fn remove_member(&self, organization: OrganizationId, user: UserId) -> Result<()> {
        self.write(UseCase::RemoveMember, |operation| {
            operation.organization_of_member(organization, user)?;
            let member = operation.member(organization, user)?;
            if !operation.is_user(user) {
                operation.check_role(organization, member.role)?;
            }
            operation.keep_an_owner(organization, user)?;
            let user = operation.user(user)?;
            if user.organizations.len() == 1 {
                let message = "every user is in one organization at least, and this is their only one: delete the \
                               user, or make them a member of another one first";
                return Err(Error::new(ErrorKind::Conflict, message));
            }
            operation.forget_member(organization, user.id)?;
            let details = Details::default().with("email", user.email.as_str()).with("role", member.role.to_string());
            operation.record(Action::Delete, Resource::member(organization, &user), details)
        })
    }
}
