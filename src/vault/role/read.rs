use super::super::session::Session;
use super::super::use_case::UseCase;
use super::{Role, resource};
use crate::Result;
use crate::core::{Action, Details, Id};

impl Session<'_> {
    /// A role that the organization made.
    ///
    /// # Errors
    /// `NotFound`.
    pub fn role(&self, organization: Id, id: Id) -> Result<Role> {
        self.read(UseCase::ReadRole, |operation| {
            operation.whole_organization(organization)?;
            let role = operation.role(organization, id)?;
            operation.record(Action::Read, resource(organization, &role), Details::default())?;
            Ok(role.into())
        })
    }
}
