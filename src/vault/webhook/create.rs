use std::fmt;

use super::url::{Shown, check_url};
use crate::core::audit::{Action, Resource};
use crate::core::id::WebhookId;
use crate::core::secret::SecretString;
use crate::core::webhook::new_signing_secret;
use crate::error::Result;
use crate::store::Precondition;
use crate::vault::envelope::Row;
use crate::vault::job_kind::JobKind;
use crate::vault::keys;
use crate::vault::place::At;
use crate::vault::records::{WebhookRecord, put};
use crate::vault::session::Session;
use crate::vault::setters::setters;
use crate::vault::use_case::UseCase;
use crate::vault::webhook::{Webhook, check_description, details};

/// A webhook to create.
#[derive(Clone)]
pub struct NewWebhook {
    pub(crate) id: Option<WebhookId>,
    pub(crate) url: String,
    pub(crate) enabled: bool,
    pub(crate) description: Option<String>,
}

impl NewWebhook {
    /// Creates the input for a webhook that sends events to that URL. It is disabled until it is enabled.
    pub fn new(url: impl Into<String>) -> Self {
        Self { id: None, url: url.into(), enabled: false, description: None }
    }

    setters! {
        /// Sets the id, which only trusted programs can choose. By default it is a new one.
        id: Option<WebhookId>;
        /// Sets whether events are sent from now on. By default they are not.
        enabled: bool;
        /// Sets the description. An empty one is none.
        description: Option<impl Into<String>>;
    }
}

impl fmt::Debug for NewWebhook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("NewWebhook");
        shown.field("id", &self.id).field("url", &Shown(&self.url)).field("enabled", &self.enabled);
        shown.finish_non_exhaustive()
    }
}

/// A webhook that was just made.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct CreatedWebhook {
    /// The webhook.
    pub webhook: Webhook,
    /// What its requests are signed with: `whsec_` and 32 letters and digits. The receiver needs it.
    pub signing_secret: SecretString,
}

impl Session<'_> {
    /// Makes a webhook of an environment.
    ///
    /// # Errors
    /// `NotFound`, also for what is no environment; `InvalidValue`, for a URL or a description that cannot be taken;
    /// `Conflict`, for an id that is taken.
    pub fn create_webhook(&self, at: At<'_>, new: &NewWebhook) -> Result<CreatedWebhook> {
        self.write(UseCase::CreateWebhook, |operation| {
            let mut place = operation.environment_place(at)?;
            check_url(&new.url, &operation.vault.outbound)?;
            let description = check_description(new.description.as_deref())?;
            let node = place.id();
            let project = &mut place.project;
            if !project.has_webhooks {
                project.has_webhooks = true;
                operation.put_authenticated(
                    &keys::project(project.organization, &project.slug),
                    project,
                    Precondition::Present,
                )?;
            }
            let id = operation.given_subject_id(new.id, JobKind::Webhook, project.id)?;
            let signing_secret = new_signing_secret(&*operation.vault.random)?;
            let secret =
                operation.seal_row(project, Row::SigningSecret(id), signing_secret.expose_secret().as_bytes())?;
            let record = WebhookRecord {
                id,
                url: new.url.clone(),
                enabled: new.enabled,
                description,
                secret,
                dek_version: project.dek_version,
                created_at: operation.now,
                updated_at: operation.now,
            };
            put(operation.tx, &keys::webhook(project.id, node, id), &record, Precondition::Absent)?;
            operation.record(Action::Create, Resource::webhook(&place, id)?, details(&record))?;
            Ok(CreatedWebhook { webhook: record.into(), signing_secret })
        })
    }
}
