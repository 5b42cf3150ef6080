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
        self.read(UseCase::ReadOrganization, |call| {
            let organization = call.organization(id)?;
            call.require()?;
            call.record(Action::Read, Resource::organization(id), Details::default())?;
            Ok(organization.into())
        })
    }
}
