use super::super::keys;
use super::super::records::put;
use super::super::session::Session;
use super::super::use_case::UseCase;
use super::details;
use crate::Result;
use crate::core::{Action, Id, LevelPath, Resource};
use crate::store::Precondition;

impl Session<'_> {
    /// Removes a webhook with its log and what waits for it, for good.
    ///
    /// # Errors
    /// `NotFound`.
    pub fn delete_webhook(&self, organization: Id, path: &LevelPath, id: Id) -> Result<()> {
        self.write(UseCase::DeleteWebhook, |operation| {
            let (mut place, record) = operation.webhook(organization, path, id)?;
            let node = place.id();
            operation.remove_webhook(place.project.id, id)?;
            operation.tx.delete(&keys::webhook(place.project.id, node, id))?;
            let project = &mut place.project;
            if operation.is_empty(&keys::project_webhooks(project.id))? {
                project.has_webhooks = false;
                put(operation.tx, &keys::project(organization, &project.slug), project, Precondition::Present)?;
            }
            operation.record(Action::Delete, Resource::webhook(&place, id)?, details(&record))
        })
    }
}
