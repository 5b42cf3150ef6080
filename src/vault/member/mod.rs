//! Members: what users are in an organization, and who is invited to be one.

mod accept;
mod add;
mod invitations;
mod invite;
mod list;
mod read;
mod remove;
mod update;
mod withdraw;

pub use self::add::NewMember;
pub use self::invite::{Invitation, IssuedInvitation, NewInvitation};
pub use self::update::MemberUpdate;
use super::grant::Grantee;
use super::keys;
use super::operation::{OperationContext, no_such};
use super::records::{MemberRecord, RoleRecord, UserRecord, get, put, require};
use crate::core::{Action, Details, Id, MemberRole, Permission, Resource, Timestamp};
use crate::store::{Order, Precondition};
use crate::{Error, ErrorKind, Result};

/// What a user is in an organization.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Member {
    /// The user's id.
    pub user: Id,
    /// The user's name.
    pub name: String,
    /// The user's email address.
    pub email: String,
    /// What they may do in all of the organization.
    pub role: MemberRole,
    /// The teams they are in.
    pub teams: Vec<Id>,
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
fn indexed(role: MemberRole) -> Option<String> {
    match role {
        role if role.is_owner() => Some(OWNER.to_owned()),
        MemberRole::Custom(_) => Some(role.to_string()),
        _ => None,
    }
}

const OWNER: &str = "owner";
/// What an index record holds: that it is there is all it says.
pub(super) const MARK: &str = "0";

impl OperationContext<'_, '_> {
    /// The organization, for what concerns a member of it, which everybody may do to themselves.
    pub(super) fn organization_of_member(&mut self, organization: Id, user: Id) -> Result<()> {
        if self.is_user(user) {
            self.organization(organization).map(drop)
        } else {
            self.whole_organization(organization).map(drop)
        }
    }

    /// What a user is in an organization.
    pub(super) fn member(&mut self, organization: Id, user: Id) -> Result<MemberRecord> {
        get(self.tx, &keys::member(organization, user))?.ok_or_else(|| no_such("member"))
    }

    /// Makes a user a member.
    pub(super) fn join(
        &mut self,
        organization: Id,
        user: &mut UserRecord,
        role: MemberRole,
        teams: Vec<Id>,
    ) -> Result<MemberRecord> {
        if user.organizations.contains(&organization) {
            let message = "this user is a member of the organization already: change the member instead";
            return Err(Error::new(ErrorKind::Conflict, message));
        }
        let record = MemberRecord { user: user.id, role, teams, created_at: self.now, updated_at: self.now };
        put(self.tx, &keys::member(organization, user.id), &record, Precondition::Absent)?;
        self.index_role(organization, user.id, None, Some(role))?;
        for team in &record.teams {
            self.tx.put(&keys::team_member(organization, *team, user.id), MARK, Precondition::Absent)?;
        }
        user.organizations.push(organization);
        put(self.tx, &keys::user(user.id), user, Precondition::Present)?;
        self.remove_invitation(organization, &user.email)?;
        Ok(record)
    }

    /// Records that somebody became a member.
    fn record_member(&mut self, organization: Id, member: &Member, user: &UserRecord) -> Result<()> {
        let teams: Vec<String> = member.teams.iter().map(Id::to_string).collect();
        let details = Details::default()
            .with("email", member.email.as_str())
            .with("role", member.role.to_string())
            .with("teams", teams);
        self.record(Action::Create, Resource::member(organization, user), details)
    }

    /// Keeps who has which role.
    fn index_role(
        &mut self,
        organization: Id,
        user: Id,
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
    pub(super) fn forget_member(&mut self, organization: Id, user: Id) -> Result<()> {
        let member: MemberRecord = require(self.tx, &keys::member(organization, user))?;
        for team in &member.teams {
            self.tx.delete(&keys::team_member(organization, *team, user))?;
        }
        self.remove_grants_of(organization, Grantee::User(user))?;
        self.remove_tokens(&keys::personal_keys(organization, user))?;
        self.index_role(organization, user, Some(member.role), None)?;
        self.tx.delete(&keys::member(organization, user))?;
        let mut record: UserRecord = require(self.tx, &keys::user(user))?;
        record.organizations.retain(|id| *id != organization);
        put(self.tx, &keys::user(user), &record, Precondition::Present)
    }

    /// Refuses to take its last owner from an organization.
    pub(super) fn keep_an_owner(&mut self, organization: Id, user: Id) -> Result<()> {
        let owners = self.tx.scan(&keys::role_members(organization, OWNER), Order::Ascending, 2)?;
        if owners.len() != 1 || owners[0].key != keys::role_member(organization, OWNER, user) {
            return Ok(());
        }
        let message = "this is the last owner of the organization: make somebody else an owner first, or delete the \
                       organization";
        Err(Error::new(ErrorKind::Conflict, message))
    }

    /// Whether somebody has a role.
    pub(super) fn is_role_held(&mut self, organization: Id, role: MemberRole) -> Result<bool> {
        let Some(word) = indexed(role) else {
            return Ok(false);
        };
        Ok(!self.tx.scan(&keys::role_members(organization, &word), Order::Ascending, 1)?.is_empty())
    }

    /// Refuses to give a role, or to take it away, that holds more than the actor does.
    pub(super) fn check_role(&mut self, organization: Id, role: MemberRole) -> Result<()> {
        if let MemberRole::Custom(id) = role
            && get::<RoleRecord>(self.tx, &keys::role(organization, id))?.is_none()
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
    fn check_teams(&mut self, organization: Id, teams: &[Id]) -> Result<Vec<Id>> {
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
