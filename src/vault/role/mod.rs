//! Roles that organizations make themselves: each a name for a set of permissions.

mod create;
mod delete;
mod list;
mod read;
mod update;

pub use self::create::NewRole;
pub use self::update::RoleUpdate;
use super::audit::words;
use super::keys;
use super::operation::{OperationContext, no_such};
use super::records::{RoleRecord, get};
use crate::core::{Details, Id, PermissionSet, Resource, ResourceKind, Timestamp};
use crate::{Error, ErrorKind, Result};

/// A role that an organization made. A member is given it as [`MemberRole::Custom`](super::MemberRole::Custom).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Role {
    /// Its id, which never changes.
    pub id: Id,
    /// Its name, unique in the organization without regard to case.
    pub name: String,
    /// What it is for.
    pub description: Option<String>,
    /// What it allows in all of the organization.
    pub permissions: PermissionSet,
    /// When it was made.
    pub created_at: Timestamp,
    /// When one of these was changed last.
    pub updated_at: Timestamp,
}

impl From<RoleRecord> for Role {
    fn from(record: RoleRecord) -> Self {
        Self {
            id: record.id,
            name: record.name,
            description: record.description,
            permissions: record.permissions,
            created_at: record.created_at,
            updated_at: record.updated_at,
        }
    }
}

impl OperationContext<'_, '_> {
    /// The role of that id.
    fn role(&mut self, organization: Id, id: Id) -> Result<RoleRecord> {
        get(self.tx, &keys::role(organization, id))?.ok_or_else(|| no_such("role"))
    }

    /// Refuses what a role cannot hold.
    fn check_permissions(&self, permissions: PermissionSet) -> Result<()> {
        if permissions == PermissionSet::ALL {
            let message = "a role that holds everything is that of an owner: make the member an owner instead";
            return Err(Error::new(ErrorKind::InvalidValue, message));
        }
        self.check_held(permissions)
    }
}

fn resource(organization: Id, role: &RoleRecord) -> Resource {
    Resource::named(ResourceKind::Role, organization, role.id, &role.name)
}

fn details(role: &RoleRecord) -> Details {
    Details::default().with("permissions", words(role.permissions))
}
