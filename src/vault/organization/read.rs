use super::super::session::Session;
use super::super::use_case::UseCase;
use super::Organization;
use crate::Result;
use crate::core::{Action, Details, Id, Resource};

impl Session<'_> {
    /// An organization.
    ///
    /// # Errors
    /// `NotFound`.
    pub fn organization(&self, id: Id) -> Result<Organization> {
        self.read(UseCase::ReadOrganization, |operation| {
            let organization = operation.organization(id)?;
            operation.require()?;
            operation.record(Action::Read, Resource::organization(id), Details::default())?;
            Ok(organization.into())
        })
    }
}
