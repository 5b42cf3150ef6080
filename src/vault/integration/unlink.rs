use std::collections::BTreeMap;

use super::super::keys;
use super::super::queue::JobKind;
use super::super::records::put;
use super::super::session::Session;
use super::super::use_case::UseCase;
use super::details;
use crate::Result;
use crate::core::{Action, Id, Resource, Slug};
use crate::store::{Order, Precondition};

impl Session<'_> {
    /// Removes an integration with its credentials, for good. At the service nothing is removed, and it is not asked.
    ///
    /// # Errors
    /// `NotFound`.
    pub fn unlink_integration(&self, organization: Id, project: &Slug, id: Id) -> Result<()> {
        self.write(UseCase::UnlinkIntegration, |operation| {
            let (mut project, mut record) = operation.integration(organization, project, id)?;
            let details = details(&record);
            operation.cancel(JobKind::Integration, id)?;
            operation.put_map(&project, &mut record, BTreeMap::new())?;
            operation.remove_range(&keys::integration_writings(project.id, id))?;
            operation.tx.delete(&keys::integration_state(project.id, id))?;
            operation.tx.delete(&keys::integration(project.id, id))?;
            if operation.tx.scan(&keys::integrations(project.id), Order::Ascending, 1)?.is_empty() {
                project.has_integrations = false;
                put(operation.tx, &keys::project(organization, &project.slug), &project, Precondition::Present)?;
            }
            operation.record(Action::Delete, Resource::integration(&project, &record), details)
        })
    }
}
