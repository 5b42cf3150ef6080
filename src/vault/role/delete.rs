use super::super::keys;
use super::super::name::fold;
use super::super::session::Session;
use super::super::use_case::UseCase;
use super::{details, resource};
use crate::core::{Action, Id, MemberRole};
use crate::{Error, ErrorKind, Result};

impl Session<'_> {
    /// Removes a role that the organization made.
    ///
    /// # Errors
    /// `NotFound`; `Denied`, for a role that holds more than the actor does; `Conflict`, while a member has it or
    /// somebody is invited to it.
    pub fn delete_role(&self, organization: Id, id: Id) -> Result<()> {
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
