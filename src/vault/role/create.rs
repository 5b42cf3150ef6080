use super::super::keys;
use super::super::name::{check_description, check_short_name, fold, name_taken};
use super::super::records::{RoleRecord, put};
use super::super::session::Session;
use super::super::use_case::UseCase;
use super::{Role, details, resource};
use crate::Result;
use crate::core::{Action, Id, PermissionSet};
use crate::store::Precondition;

/// A role that is to be made.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct NewRole {
    /// Its id; a new one, where none is given.
    pub id: Option<Id>,
    /// Its name, of at most 100 characters.
    pub name: String,
    /// What it is for.
    pub description: Option<String>,
    /// What it allows in all of the organization; perhaps nothing, for members who have only what is granted to them.
    pub permissions: PermissionSet,
}

impl NewRole {
    /// A role of that name with those permissions.
    pub fn new(name: impl Into<String>, permissions: PermissionSet) -> Self {
        Self { id: None, name: name.into(), description: None, permissions }
    }
}

impl Session<'_> {
    /// Makes a role that members can be given.
    ///
    /// # Errors
    /// `NotFound`; `Denied`, for a permission that the actor does not have; `InvalidName`; `InvalidValue`, for a role
    /// that holds everything, which is that of an owner; `Conflict`, when the name or the id is taken.
    pub fn create_role(&self, organization: Id, new: &NewRole) -> Result<Role> {
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
            put(operation.tx, &keys::role(organization, role.id), &role, Precondition::Absent)?;
            operation.record(Action::Create, resource(organization, &role), details(&role))?;
            Ok(role.into())
        })
    }
}
