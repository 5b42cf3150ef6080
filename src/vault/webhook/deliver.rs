//! What the queue does for a webhook.

use crate::core::{Action, DeliveryError, Resource, sign};
use crate::error::{ErrorKind, Result};
use crate::store::{Order, Precondition};
use crate::vault::engine::Vault;
use crate::vault::keys;
use crate::vault::operation::OperationContext;
use crate::vault::place::At;
use crate::vault::place::{Place, Reach};
use crate::vault::queue::{Attempt, EventRecord, Handler, JobRecord, LeaseRecord, Outcome};
use crate::vault::records::{WebhookLogRecord, WebhookRecord, get, put};
use crate::vault::webhook::{Delivery, details};
use crate::webhook::{ID_HEADER, SIGNATURE_HEADER};

/// How much of an answer is kept, in bytes.
const MAX_ANSWER_BYTES: usize = 4096;
/// How many records of its log a webhook keeps.
const MAX_LOGS: usize = 1000;

/// Sends events to webhooks.
pub(in crate::vault) struct WebhookHandler;

impl Handler for WebhookHandler {
    fn prepare(&self, operation: &mut OperationContext<'_, '_>, job: &JobRecord) -> Result<Option<Box<dyn Attempt>>> {
        let Some((place, webhook)) = operation.webhook_of(job)? else {
            return Ok(None);
        };
        if !webhook.enabled {
            return Ok(None);
        }
        let delivery = operation.delivery(&place, &webhook, (job.event.id, job.event.created_at), true)?;
        Ok(Some(Box::new(delivery)))
    }

    fn lost(&self, operation: &mut OperationContext<'_, '_>, job: &JobRecord, lease: &LeaseRecord) -> Result<()> {
        let lost = Sent { status: None, error: Some(DeliveryError::Aborted), response_body: None };
        operation.log_attempt(job, lease.event, lease.attempt, &lost)
    }

    fn give_up(&self, operation: &mut OperationContext<'_, '_>, job: &JobRecord) -> Result<()> {
        let Some((place, mut webhook)) = operation.webhook_of(job)? else {
            return Ok(());
        };
        webhook.enabled = false;
        operation.put_webhook(&place, &mut webhook)?;
        let details = details(&webhook).with("changed", vec!["enabled"]).with("op", "give-up");
        operation.record(Action::Update, Resource::webhook(&place, webhook.id)?, details)
    }
}

impl Attempt for Delivery {
    fn make(&self, vault: &Vault) -> Box<dyn Outcome> {
        Box::new(self.send(vault))
    }
}

/// What became of a request.
pub(super) struct Sent {
    pub(super) status: Option<u16>,
    pub(super) error: Option<DeliveryError>,
    pub(super) response_body: Option<String>,
}

impl Outcome for Sent {
    fn is_success(&self) -> bool {
        self.status.is_some_and(|status| (200..300).contains(&status))
    }

    fn write(&self, operation: &mut OperationContext<'_, '_>, job: &JobRecord) -> Result<()> {
        operation.log_attempt(job, job.event, job.attempt, self)
    }
}

impl Delivery {
    /// Sends it, and waits for the answer.
    pub(super) fn send(&self, vault: &Vault) -> Sent {
        let signature = sign(self.body.as_bytes(), &self.secret, vault.now());
        let id = self.id.to_prefixed("whk");
        let headers =
            [("content-type", "application/json"), (SIGNATURE_HEADER, signature.as_str()), (ID_HEADER, id.as_str())];
        match vault.client().send("POST", &self.url, &headers, self.body.as_bytes(), MAX_ANSWER_BYTES) {
            Ok(answer) => Sent { status: Some(answer.status), error: None, response_body: Some(text(&answer.body)) },
            Err(error) => Sent { status: None, error: Some(error), response_body: None },
        }
    }
}

/// An answer as text that can be stored, whatever it is.
fn text(answer: &[u8]) -> String {
    let mut text = String::from_utf8_lossy(answer).replace('\0', "\u{fffd}");
    // What replaces a byte is longer than one.
    let mut end = text.len().min(MAX_ANSWER_BYTES);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.truncate(end);
    text
}

impl OperationContext<'_, '_> {
    /// The webhook that a job is for, and where; nothing, when either is gone.
    fn webhook_of(&mut self, job: &JobRecord) -> Result<Option<(Place, WebhookRecord)>> {
        let found = self
            .path_of(job.node)
            .and_then(|(organization, path)| self.place(At::Path(organization, &path), Reach::Inside));
        let place = match found {
            Ok(place) => place,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        let record = get(self.tx, &keys::webhook(job.project, job.node, job.subject.into()))?;
        Ok(record.map(|record| (place, record)))
    }

    /// Writes a record of an attempt, and lets go of the oldest where there are too many.
    fn log_attempt(&mut self, job: &JobRecord, event: EventRecord, attempt: u32, sent: &Sent) -> Result<()> {
        // The webhook may be gone since, and its log with it.
        if self.tx.get(&keys::webhook(job.project, job.node, job.subject.into()))?.is_none() {
            return Ok(());
        }
        let id = self.new_id()?.into();
        let record = WebhookLogRecord {
            id,
            event: event.id,
            attempt,
            status: sent.status,
            error: sent.error,
            response_body: sent.response_body.clone(),
            processed_at: self.now,
        };
        put(self.tx, &keys::webhook_log(job.project, job.subject.into(), id), &record, Precondition::Absent)?;
        let counter = keys::webhook_log_count(job.project, job.subject.into());
        let count = get::<usize>(self.tx, &counter)?.unwrap_or_default() + 1;
        let excess = count.saturating_sub(MAX_LOGS);
        if excess > 0 {
            for old in self.tx.scan(&keys::webhook_logs(job.project, job.subject.into()), Order::Ascending, excess)? {
                self.tx.delete(&old.key)?;
            }
        }
        put(self.tx, &counter, &(count - excess), Precondition::Always)
    }
}
