use std::fmt;

use super::super::queue::JobKind;
use super::super::session::Session;
use super::super::use_case::UseCase;
use super::url::{Shown, check_url, host};
use super::{Webhook, check_description, details};
use crate::core::{Action, Id, LevelPath, Resource};
use crate::{Error, ErrorKind, Result};

/// What is to become another thing of a webhook.
#[derive(Clone, Default)]
#[non_exhaustive]
pub struct WebhookUpdate {
    /// Its URL.
    pub url: Option<String>,
    /// What it is about; `Some(None)` for nothing.
    pub description: Option<Option<String>>,
}

impl fmt::Debug for WebhookUpdate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WebhookUpdate").field("url", &self.url.as_deref().map(Shown)).finish_non_exhaustive()
    }
}

impl Session<'_> {
    /// Changes a webhook. An event that waits is sent to the new URL.
    ///
    /// # Errors
    /// `NotFound`; `InvalidValue`, also when nothing is given.
    pub fn update_webhook(
        &self,
        organization: Id,
        path: &LevelPath,
        id: Id,
        update: &WebhookUpdate,
    ) -> Result<Webhook> {
        self.write(UseCase::UpdateWebhook, |operation| {
            let (place, mut record) = operation.webhook(organization, path, id)?;
            let mut changed: Vec<&str> = Vec::new();
            if let Some(url) = &update.url {
                check_url(url, &operation.vault.outbound)?;
                record.url.clone_from(url);
                changed.push("url");
                operation.move_job(JobKind::Webhook, id, host(url))?;
            }
            if let Some(description) = &update.description {
                record.description = check_description(description.as_deref())?;
                changed.push("description");
            }
            if changed.is_empty() {
                let message = "nothing is given to change: a webhook has a URL and a description";
                return Err(Error::new(ErrorKind::InvalidValue, message));
            }
            operation.put_webhook(&place, &mut record)?;
            let details = details(&record).with("changed", changed);
            operation.record(Action::Update, Resource::webhook(&place, id)?, details)?;
            Ok(record.into())
        })
    }
}
