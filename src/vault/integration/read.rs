use super::super::session::Session;
use super::super::use_case::UseCase;
use super::{Integration, details};
use crate::Result;
use crate::core::{Action, Id, Resource, Slug};

impl Session<'_> {
    /// An integration of a project.
    ///
    /// # Errors
    /// `NotFound`.
    pub fn integration(&self, organization: Id, project: &Slug, id: Id) -> Result<Integration> {
        self.read(UseCase::ReadIntegration, |operation| {
            let (project, record) = operation.integration(organization, project, id)?;
            operation.record(Action::Read, Resource::integration(&project, &record), details(&record))?;
            operation.integration_info(&project, &record)
        })
    }
}
