//! Roles that organizations make themselves: each a name for a set of permissions.

use serde_json::json;

use super::audit::words;
use super::keys;
use super::name::{check_description, check_short_name, fold, name_taken};
use super::operation::{OperationContext, no_such};
use super::records::{RoleRecord, put};
use super::session::Session;
use super::setters::{Patch, setters};
use super::use_case::UseCase;
use crate::core::audit::{Action, Details, Resource, ResourceKind};
use crate::core::clock::Timestamp;
use crate::core::id::OrganizationId;
use crate::core::id::RoleId;
use crate::core::permission::PermissionSet;
use crate::core::role::MemberRole;
use crate::error::{Error, ErrorKind, Result};
use crate::store::Precondition;

/// A role that an organization made. A member is given it as [`MemberRole::Custom`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Role {
    /// Its id, which never changes.
    pub id: RoleId,
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
    fn role(&mut self, organization: OrganizationId, id: RoleId) -> Result<RoleRecord> {
        self.get_authenticated(&keys::role(organization, id))?.ok_or_else(|| no_such("role"))
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

fn resource(organization: OrganizationId, role: &RoleRecord) -> Resource {
    Resource::named(ResourceKind::Role, organization, role.id.into(), &role.name)
}

fn details(role: &RoleRecord) -> Details {
    Details::default().with("permissions", words(role.permissions))
}

/// A role to create.
#[derive(Clone, Debug)]
pub struct NewRole {
    pub(crate) id: Option<RoleId>,
    pub(crate) name: String,
    pub(crate) description: Option<String>,
    pub(crate) permissions: PermissionSet,
}

impl NewRole {
    /// Creates the input for a role of that name, of at most 100 characters. It may have no permissions, for members who
    /// have only what is granted to them.
    pub fn new(name: impl Into<String>, permissions: PermissionSet) -> Self {
        Self { id: None, name: name.into(), description: None, permissions }
    }

    setters! {
        /// Sets the id. By default it is a new one.
        id: Option<RoleId>;
        /// Sets the description. An empty one is none.
        description: Option<impl Into<String>>;
    }
}

impl Session<'_> {
    /// Makes a role that members can be given.
    ///
    /// # Errors
    /// `NotFound`; `Denied`, for a permission that the actor does not have; `InvalidName`; `InvalidValue`, for a role
    /// that holds everything, which is that of an owner; `Conflict`, when the name or the id is taken.
    pub fn create_role(&self, organization: OrganizationId, new: &NewRole) -> Result<Role> {
        self.write(UseCase::CreateRole, |operation| {
            operation.whole_organization(organization)?;
            operation.check_permissions(new.permissions)?;
            let role = RoleRecord {
                id: operation.given_id(new.id)?,
                name: check_short_name(&new.name)?,
                description: check_description(new.description.as_deref())?,
                permissions: new.permissions,
                created_at: operation.now,
                updated_at: operation.now,
            };
            let by_name = keys::role_name(organization, &fold(&role.name));
            if operation.tx.get(&by_name)?.is_some() {
                return Err(name_taken());
            }
            put(operation.tx, &by_name, &role.id, Precondition::Absent)?;
            operation.put_authenticated(&keys::role(organization, role.id), &role, Precondition::Absent)?;
            operation.record(Action::Create, resource(organization, &role), details(&role))?;
            Ok(role.into())
        })
    }
}

impl Session<'_> {
    /// A role that the organization made.
    ///
    /// # Errors
    /// `NotFound`.
    pub fn role(&self, organization: OrganizationId, id: RoleId) -> Result<Role> {
        self.read(UseCase::ReadRole, |operation| {
            operation.whole_organization(organization)?;
            let role = operation.role(organization, id)?;
            operation.record(Action::Read, resource(organization, &role), Details::default())?;
            Ok(role.into())
        })
    }
}

impl Session<'_> {
    /// The roles that an organization made, in the order it made them.
    ///
    /// # Errors
    /// `NotFound`.
    pub fn roles(&self, organization: OrganizationId) -> Result<Vec<Role>> {
        self.read(UseCase::ListRoles, |operation| {
            operation.whole_organization(organization)?;
            let records: Vec<RoleRecord> = operation.scan_authenticated(keys::roles(organization))?;
            let roles: Vec<Role> = records.into_iter().map(Role::from).collect();
            let details = Details::read("list", roles.iter().map(|role| role.name.as_str()));
            operation.record(Action::Read, Resource::new(ResourceKind::Role, organization), details)?;
            Ok(roles)
        })
    }
}

/// The fields of a role to change.
#[derive(Clone, Debug, Default)]
pub struct RoleUpdate {
    pub(crate) name: Option<String>,
    pub(crate) description: Patch<String>,
    pub(crate) permissions: Option<PermissionSet>,
}

impl RoleUpdate {
    /// Creates an update that changes nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    setters! {
        /// Sets the name.
        name: Option<impl Into<String>>;
        /// Sets the description. An empty one is none.
        description: Patch<impl Into<String>>;
        /// Removes the description.
        clear_description clears description;
        /// Sets the permissions. Everyone in the role has them from then on.
        permissions: Option<PermissionSet>;
    }
}

impl Session<'_> {
    /// Changes a role that the organization made, for all who have it.
    ///
    /// # Errors
    /// `NotFound`; `Denied`, for a role that holds, or is to hold, more than the actor does; otherwise as
    /// [`create_role`](Self::create_role).
    pub fn update_role(&self, organization: OrganizationId, id: RoleId, update: &RoleUpdate) -> Result<Role> {
        self.write(UseCase::UpdateRole, |operation| {
            operation.whole_organization(organization)?;
            let mut role = operation.role(organization, id)?;
            operation.check_held(role.permissions)?;
            let mut changed = Vec::new();
            let mut change = None;
            if let Some(permissions) = update.permissions {
                operation.check_unbounded()?;
                operation.check_permissions(permissions)?;
                changed.push("permissions");
                change = Some(json!({ "from": words(role.permissions), "to": words(permissions) }));
                role.permissions = permissions;
            }
            if let Some(name) = &update.name {
                let name = check_short_name(name)?;
                if fold(&name) != fold(&role.name) {
                    let by_name = keys::role_name(organization, &fold(&name));
                    if operation.tx.get(&by_name)?.is_some() {
                        return Err(name_taken());
                    }
                    operation.tx.delete(&keys::role_name(organization, &fold(&role.name)))?;
                    put(operation.tx, &by_name, &id, Precondition::Absent)?;
                }
                role.name = name;
                changed.push("name");
            }
            if update.description.apply(&mut role.description, |text| check_description(Some(text)))? {
                changed.push("description");
            }
            role.updated_at = operation.now;
            operation.put_authenticated(&keys::role(organization, id), &role, Precondition::Present)?;
            let mut details = Details::changed(&changed);
            if let Some(change) = change {
                details = details.with("permissions", change);
            }
            operation.record(Action::Update, resource(organization, &role), details)?;
            Ok(role.into())
        })
    }
}

impl Session<'_> {
    /// Removes a role that the organization made.
    ///
    /// # Errors
    /// `NotFound`; `Denied`, for a role that holds more than the actor does; `Conflict`, while a member has it or
    /// somebody is invited to it.
    pub fn delete_role(&self, organization: OrganizationId, id: RoleId) -> Result<()> {
        self.write(UseCase::DeleteRole, |operation| {
            operation.whole_organization(organization)?;
            let role = operation.role(organization, id)?;
            operation.check_held(role.permissions)?;
            let custom = MemberRole::Custom(id);
            let is_offered =
                operation.invitation_records(organization)?.iter().any(|invitation| invitation.role == custom);
            if is_offered || operation.is_role_held(organization, custom)? {
                let message = "a member has this role, or is invited to it: give them another one first";
                return Err(Error::new(ErrorKind::Conflict, message));
            }
            operation.tx.delete(&keys::role_name(organization, &fold(&role.name)))?;
            operation.tx.delete(&keys::role(organization, id))?;
            operation.record(Action::Delete, resource(organization, &role), details(&role))
        })
    }
}
