use std::fmt;

use super::url::{Shown, check_url, host};
use crate::core::audit::{Action, Resource};
use crate::core::id::WebhookId;
use crate::core::secret::SecretString;
use crate::core::webhook::new_signing_secret;
use crate::error::{Error, ErrorKind, Result};
use crate::vault::envelope::Row;
use crate::vault::job_kind::JobKind;
use crate::vault::place::At;
use crate::vault::session::Session;
use crate::vault::setters::{Patch, setters};
use crate::vault::use_case::UseCase;
use crate::vault::webhook::{Webhook, check_description, details};

/// The fields of a webhook to change.
#[derive(Clone, Default)]
pub struct WebhookUpdate {
    pub(crate) url: Option<String>,
    pub(crate) description: Patch<String>,
}

impl WebhookUpdate {
    /// Creates an update that changes nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    setters! {
        /// Sets the URL.
        url: Option<impl Into<String>>;
        /// Sets the description. An empty one is none.
        description: Patch<impl Into<String>>;
        /// Removes the description.
        clear_description clears description;
    }
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
    pub fn update_webhook(&self, at: At<'_>, id: WebhookId, update: &WebhookUpdate) -> Result<Webhook> {
        self.write(UseCase::UpdateWebhook, |operation| {
            let (place, mut record) = operation.webhook(at, id)?;
            let mut changed: Vec<&str> = Vec::new();
            if let Some(url) = &update.url {
                check_url(url, &operation.vault.outbound)?;
                record.url.clone_from(url);
                changed.push("url");
                operation.move_job(JobKind::Webhook, id.into(), host(url))?;
            }
            if update.description.apply(&mut record.description, |text| check_description(Some(text)))? {
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

impl Session<'_> {
    /// Gives a webhook another signing secret. From now on requests are signed with it, also those that wait.
    ///
    /// # Errors
    /// `NotFound`.
    pub fn rotate_signing_secret(&self, at: At<'_>, id: WebhookId) -> Result<SecretString> {
        self.write(UseCase::RotateSigningSecret, |operation| {
            let (place, mut record) = operation.webhook(at, id)?;
            let secret = new_signing_secret(&*operation.vault.random)?;
            let project = &place.project;
            record.secret = operation.seal_row(project, Row::SigningSecret(id), secret.expose_secret().as_bytes())?;
            record.dek_version = project.dek_version;
            operation.put_webhook(&place, &mut record)?;
            let details = details(&record).with("op", "rotate-signing-secret");
            operation.record(Action::Update, Resource::webhook(&place, id)?, details)?;
            Ok(secret)
        })
    }
}

impl Session<'_> {
    /// What the requests of a webhook are signed with.
    ///
    /// # Errors
    /// `NotFound`.
    pub fn signing_secret(&self, at: At<'_>, id: WebhookId) -> Result<SecretString> {
        self.read(UseCase::ReadSigningSecret, |operation| {
            let (place, record) = operation.webhook(at, id)?;
            let secret = operation.signing_secret(&place.project, &record)?;
            let details = details(&record).with("op", "signing-secret");
            operation.record(Action::Read, Resource::webhook(&place, id)?, details)?;
            Ok(secret)
        })
    }
}
