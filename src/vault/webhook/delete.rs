use super::super::keys;
use super::super::records::put;
use super::super::session::Session;
use super::super::use_case::UseCase;
use super::details;
use crate::Result;
use crate::core::{Action, Id, LevelPath, Resource};
use crate::store::When;

impl Session<'_> {
    /// Removes a webhook with its log and what waits for it, for good.
    ///
    /// # Errors
    /// `NotFound`.
    pub fn delete_webhook(&self, organization: Id, path: &LevelPath, id: Id) -> Result<()> {
        self.write(UseCase::DeleteWebhook, |call| {
            let (mut place, record) = call.webhook(organization, path, id)?;
            let node = place.id();
            call.remove_webhook(place.project.id, id)?;
            call.tx.delete(&keys::webhook(place.project.id, node, id))?;
            let project = &mut place.project;
            if call.is_empty(&keys::project_webhooks(project.id))? {
                project.has_webhooks = false;
                put(call.tx, &keys::project(organization, &project.slug), project, When::Present)?;
            }
            call.record(Action::Delete, Resource::webhook(&place, id)?, details(&record))
        })
    }
}
