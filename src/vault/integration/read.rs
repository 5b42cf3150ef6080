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
        self.read(UseCase::ReadIntegration, |call| {
            let (project, record) = call.integration(organization, project, id)?;
            call.record(Action::Read, Resource::integration(&project, &record), details(&record))?;
            call.integration_info(&project, &record)
        })
    }
}
