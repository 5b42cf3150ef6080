use super::super::queue::JobKind;
use super::super::session::Session;
use super::super::use_case::UseCase;
use super::{Webhook, details};
use crate::core::{Action, Id, LevelPath, Resource};
use crate::{Error, ErrorKind, Result};

impl Session<'_> {
    /// Enables or disables a webhook. Of what changes while it is disabled it is not told, also not later; and what
    /// waits for it is let go.
    ///
    /// # Errors
    /// `NotFound`; `Conflict`, when that is what it is already.
    pub fn set_webhook_enabled(&self, organization: Id, path: &LevelPath, id: Id, enabled: bool) -> Result<Webhook> {
        self.write(UseCase::SetWebhookStatus, |operation| {
            let (place, mut record) = operation.webhook(organization, path, id)?;
            if record.enabled == enabled {
                let message =
                    if enabled { "the webhook is enabled already" } else { "the webhook is disabled already" };
                return Err(Error::new(ErrorKind::Conflict, message));
            }
            record.enabled = enabled;
            if !enabled {
                operation.cancel(JobKind::Webhook, id)?;
            }
            operation.put_webhook(&place, &mut record)?;
            let details = details(&record).with("changed", vec!["enabled"]);
            operation.record(Action::Update, Resource::webhook(&place, id)?, details)?;
            Ok(record.into())
        })
    }
}
