use serde_json::json;

use super::super::audit::words;
use super::super::keys;
use super::super::name::{check_description, check_short_name, fold, name_taken};
use super::super::records::put;
use super::super::session::Session;
use super::super::use_case::UseCase;
use super::{Role, resource};
use crate::Result;
use crate::core::{Action, Details, Id, PermissionSet};
use crate::store::Precondition;

/// What is to change about a role.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct RoleUpdate {
    /// Another name.
    pub name: Option<String>,
    /// Another description; an empty one removes it.
    pub description: Option<String>,
    /// Other permissions, which all who have the role have from then on.
    pub permissions: Option<PermissionSet>,
}

impl Session<'_> {
    /// Changes a role that the organization made, for all who have it.
    ///
    /// # Errors
    /// `NotFound`; `Denied`, for a role that holds, or is to hold, more than the actor does; otherwise as
    /// [`create_role`](Self::create_role).
    pub fn update_role(&self, organization: Id, id: Id, update: &RoleUpdate) -> Result<Role> {
        self.write(UseCase::UpdateRole, |operation| {
            operation.whole_organization(organization)?;
            let mut role = operation.role(organization, id)?;
            operation.check_held(role.permissions)?;
            let mut changed = Vec::new();
            let mut change = None;
            if let Some(permissions) = update.permissions {
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
            if let Some(description) = &update.description {
                role.description = check_description(Some(description))?;
                changed.push("description");
            }
            role.updated_at = operation.now;
            put(operation.tx, &keys::role(organization, id), &role, Precondition::Present)?;
            let mut details = Details::changed(&changed);
            if let Some(change) = change {
                details = details.with("permissions", change);
            }
            operation.record(Action::Update, resource(organization, &role), details)?;
            Ok(role.into())
        })
    }
}
