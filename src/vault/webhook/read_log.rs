use super::super::keys;
use super::super::operation::no_such;
use super::super::records::{WebhookLogRecord, get};
use super::super::session::Session;
use super::super::use_case::UseCase;
use super::WebhookLog;
use crate::Result;
use crate::core::{Action, Details, Id, LevelPath, Resource};

impl Session<'_> {
    /// What became of one attempt to tell a webhook of an event.
    ///
    /// # Errors
    /// `NotFound`, also when it is not among the last 1,000 any more.
    pub fn webhook_log(&self, organization: Id, path: &LevelPath, id: Id, log: Id) -> Result<WebhookLog> {
        self.read(UseCase::ReadWebhookLog, |operation| {
            let (place, record) = operation.webhook(organization, path, id)?;
            let key = keys::webhook_log(place.project.id, record.id, log);
            let found: WebhookLogRecord = get(operation.tx, &key)?.ok_or_else(|| no_such("log record"))?;
            let details = Details::default().with("op", "log").with("log", log.to_string());
            operation.record(Action::Read, Resource::webhook(&place, id)?, details)?;
            Ok(found.into())
        })
    }
}
