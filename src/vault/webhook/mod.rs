//! Webhooks: URLs that are told when entries of an environment change.

mod create;
pub(crate) mod delivery;
#[cfg(feature = "worker")]
pub(crate) mod job;
mod logs;
mod notify;
mod update;
pub(crate) mod url;

use std::fmt;

pub use self::create::{CreatedWebhook, NewWebhook};
pub use self::update::WebhookUpdate;
use self::url::Shown;
use super::envelope::Row;
use super::job_kind::JobKind;
use super::keys;
use super::operation::{OperationContext, no_such};
use super::place::{Place, Reach};
use super::records::{NodeKind, ProjectRecord, WebhookLogRecord, WebhookRecord, get, put};
use super::session::Session;
use super::use_case::UseCase;
use crate::core::audit::{Action, Details, Resource, ResourceKind};
use crate::core::clock::Timestamp;
use crate::core::delivery_error::DeliveryError;
use crate::core::id::EventId;
use crate::core::id::LevelId;
use crate::core::id::ProjectId;
use crate::core::id::WebhookId;
use crate::core::id::WebhookLogId;
use crate::core::secret::SecretString;
use crate::error::{Error, ErrorKind, Result};
use crate::store::{KeyRange, Order, Precondition};
use crate::vault::place::At;
use crate::vault::scan::{Scan, scan_values};

/// Longest description of a webhook, in units of UTF-16.
const MAX_DESCRIPTION: usize = 255;

/// A URL that is told when entries of an environment change.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Webhook {
    /// Its id.
    pub id: WebhookId,
    /// Where the events are sent.
    pub url: String,
    /// Whether they are.
    pub enabled: bool,
    /// What it is about.
    pub description: Option<String>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When one of these, or its signing secret, was changed last.
    pub updated_at: Timestamp,
}

impl fmt::Debug for Webhook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("Webhook");
        shown.field("id", &self.id).field("url", &Shown(&self.url)).field("enabled", &self.enabled);
        shown.finish_non_exhaustive()
    }
}

impl From<WebhookRecord> for Webhook {
    fn from(record: WebhookRecord) -> Self {
        Self {
            id: record.id,
            url: record.url,
            enabled: record.enabled,
            description: record.description,
            created_at: record.created_at,
            updated_at: record.updated_at,
        }
    }
}

/// What became of one attempt to tell a webhook of an event.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct WebhookLog {
    /// Its id; newer ones are greater.
    pub id: WebhookLogId,
    /// The id of the event.
    pub event: EventId,
    /// The number of the attempt, from 1 to 5. A number stands there twice when a worker died during the first one.
    pub attempt: u32,
    /// The status of the answer, if there was one.
    pub status: Option<u16>,
    /// Why there was none.
    pub error: Option<DeliveryError>,
    /// What was answered: its first 4 KiB.
    pub response_body: Option<String>,
    /// When the attempt had come to its end.
    pub processed_at: Timestamp,
}

impl From<WebhookLogRecord> for WebhookLog {
    fn from(record: WebhookLogRecord) -> Self {
        Self {
            id: record.id,
            event: record.event,
            attempt: record.attempt,
            status: record.status,
            error: record.error,
            response_body: record.response_body,
            processed_at: record.processed_at,
        }
    }
}

impl Resource {
    fn webhook(place: &Place, id: WebhookId) -> Result<Self> {
        let mut resource = Self::of(place)?.kind(ResourceKind::Webhook);
        resource.id = Some(id.into());
        Ok(resource)
    }
}

impl OperationContext<'_, '_> {
    /// The environment at a path: only those have webhooks, and are copied elsewhere.
    pub(super) fn environment_place(&mut self, at: At<'_>) -> Result<Place> {
        let place = self.place(at, Reach::Inside)?;
        let is_environment = match place.nodes.last() {
            Some(node) => node.kind == NodeKind::Environment,
            None => place.project.has_base,
        };
        if is_environment { Ok(place) } else { Err(no_such("environment")) }
    }

    fn webhook(&mut self, at: At<'_>, id: WebhookId) -> Result<(Place, WebhookRecord)> {
        let place = self.environment_place(at)?;
        let key = keys::webhook(place.project.id, place.id(), id);
        let record = get(self.tx, &key)?.ok_or_else(|| no_such("webhook"))?;
        Ok((place, record))
    }

    /// Writes a webhook that is there.
    fn put_webhook(&mut self, place: &Place, record: &mut WebhookRecord) -> Result<()> {
        record.updated_at = self.now;
        put(self.tx, &keys::webhook(place.project.id, place.id(), record.id), record, Precondition::Present)
    }

    pub(super) fn signing_secret(&mut self, project: &ProjectRecord, webhook: &WebhookRecord) -> Result<SecretString> {
        let row = Row::SigningSecret(webhook.id);
        let bytes = self.open_row(project, row, webhook.dek_version, &webhook.secret)?;
        let text = std::str::from_utf8(bytes.expose_secret()).map_err(|_| super::records::damaged())?;
        Ok(text.into())
    }

    /// Removes the webhooks of an environment, or all of a project, with their logs and what waits for them.
    pub(super) fn remove_webhooks(&mut self, project: ProjectId, node: Option<LevelId>) -> Result<()> {
        let range = node.map_or_else(|| keys::project_webhooks(project), |node| keys::webhooks(project, node));
        let mut scan = Scan::new(range, Order::Ascending);
        while let Some(record) = scan.next(self.tx)? {
            let id = record.key.rsplit('/').next().unwrap_or_default();
            let id = WebhookId::parse(id).map_err(|_| super::records::damaged())?;
            self.remove_webhook(project, id)?;
            self.tx.delete(&record.key)?;
        }
        Ok(())
    }

    /// Removes all of a webhook but its record.
    fn remove_webhook(&mut self, project: ProjectId, id: WebhookId) -> Result<()> {
        self.cancel(JobKind::Webhook, id.into())?;
        self.remove_range(&keys::webhook_logs(project, id))?;
        self.tx.delete(&keys::webhook_log_count(project, id))?;
        self.tx.delete(&keys::subject(JobKind::Webhook, id.into()))?;
        Ok(())
    }

    /// Whether nothing lies in a range.
    fn is_empty(&mut self, range: &KeyRange) -> Result<bool> {
        Ok(self.tx.scan(range, Order::Ascending, 1)?.is_empty())
    }
}

/// What is recorded of a webhook. Its URL may hold a password of the receiver's, so only the host is.
fn details(webhook: &WebhookRecord) -> Details {
    Details::default().with("host", url::host(&webhook.url)).with("enabled", webhook.enabled)
}

fn check_description(description: Option<&str>) -> Result<Option<String>> {
    if description.is_some_and(|text| text.encode_utf16().count() > MAX_DESCRIPTION || text.contains('\0')) {
        let message = "a description of a webhook has at most 255 characters, and no NUL";
        return Err(Error::new(ErrorKind::InvalidValue, message));
    }
    Ok(description.filter(|text| !text.is_empty()).map(str::to_owned))
}

impl Session<'_> {
    /// A webhook of an environment.
    ///
    /// # Errors
    /// `NotFound`.
    pub fn webhook(&self, at: At<'_>, id: WebhookId) -> Result<Webhook> {
        self.read(UseCase::ReadWebhook, |operation| {
            let (place, record) = operation.webhook(at, id)?;
            operation.record(Action::Read, Resource::webhook(&place, id)?, details(&record))?;
            Ok(record.into())
        })
    }
}

impl Session<'_> {
    /// The webhooks of an environment, newest first.
    ///
    /// # Errors
    /// `NotFound`, also for what is no environment.
    pub fn webhooks(&self, at: At<'_>) -> Result<Vec<Webhook>> {
        self.read(UseCase::ListWebhooks, |operation| {
            let place = operation.environment_place(at)?;
            let range = keys::webhooks(place.project.id, place.id());
            let records: Vec<WebhookRecord> = scan_values(operation.tx, range, Order::Descending)?;
            let webhooks: Vec<Webhook> = records.into_iter().map(Webhook::from).collect();
            let details = Details::default().with("op", "webhooks").with("count", webhooks.len());
            operation.record(Action::Read, Resource::of(&place)?, details)?;
            Ok(webhooks)
        })
    }
}

impl Session<'_> {
    /// Enables a webhook: it is sent what changes from then on.
    ///
    /// # Errors
    /// `NotFound`; `Conflict`, if it is enabled already.
    pub fn enable_webhook(&self, at: At<'_>, id: WebhookId) -> Result<Webhook> {
        self.set_webhook_status(at, id, true)
    }

    /// Disables a webhook. Pending deliveries are dropped, and changes are not delivered until it is enabled again, nor
    /// afterwards.
    ///
    /// # Errors
    /// `NotFound`; `Conflict`, if it is disabled already.
    pub fn disable_webhook(&self, at: At<'_>, id: WebhookId) -> Result<Webhook> {
        self.set_webhook_status(at, id, false)
    }

    fn set_webhook_status(&self, at: At<'_>, id: WebhookId, enabled: bool) -> Result<Webhook> {
        self.write(UseCase::SetWebhookStatus, |operation| {
            let (place, mut record) = operation.webhook(at, id)?;
            if record.enabled == enabled {
                let message =
                    if enabled { "the webhook is enabled already" } else { "the webhook is disabled already" };
                return Err(Error::new(ErrorKind::Conflict, message));
            }
            record.enabled = enabled;
            if !enabled {
                operation.cancel(JobKind::Webhook, id.into())?;
            }
            operation.put_webhook(&place, &mut record)?;
            let details = details(&record).with("changed", vec!["enabled"]);
            operation.record(Action::Update, Resource::webhook(&place, id)?, details)?;
            Ok(record.into())
        })
    }
}

impl Session<'_> {
    /// Removes a webhook with its log and what waits for it, for good.
    ///
    /// # Errors
    /// `NotFound`.
    pub fn delete_webhook(&self, at: At<'_>, id: WebhookId) -> Result<()> {
        self.write(UseCase::DeleteWebhook, |operation| {
            let (mut place, record) = operation.webhook(at, id)?;
            let node = place.id();
            operation.remove_webhook(place.project.id, id)?;
            operation.tx.delete(&keys::webhook(place.project.id, node, id))?;
            let project = &mut place.project;
            if operation.is_empty(&keys::project_webhooks(project.id))? {
                project.has_webhooks = false;
                operation.put_authenticated(
                    &keys::project(project.organization, &project.slug),
                    project,
                    Precondition::Present,
                )?;
            }
            operation.record(Action::Delete, Resource::webhook(&place, id)?, details(&record))
        })
    }
}
