//! The part of a webhook's job that runs inside transactions: before and after the request.

use crate::core::audit::{Action, Resource};
use crate::core::delivery_error::DeliveryError;
use crate::error::{ErrorKind, Result};
use crate::store::{Order, Precondition};
use crate::vault::keys;
use crate::vault::operation::OperationContext;
use crate::vault::place::{At, Place, Reach};
use crate::vault::queue::{EventRecord, JobRecord, LeaseRecord};
use crate::vault::records::{WebhookLogRecord, WebhookRecord, get, put};
use crate::vault::webhook::delivery::Delivery;
use crate::vault::webhook::details;

/// How many records of its log a webhook keeps.
const MAX_LOGS: usize = 1000;

/// The response to a delivery, or why there is none.
pub(crate) struct Delivered {
    pub(crate) status: Option<u16>,
    pub(crate) error: Option<DeliveryError>,
    /// The beginning of the body, as text that every store can hold.
    pub(crate) response_body: Option<String>,
}

impl Delivered {
    pub(in crate::vault) fn is_success(&self) -> bool {
        self.status.is_some_and(|status| (200..300).contains(&status))
    }
}

impl OperationContext<'_, '_> {
    /// Returns the delivery of a job; `None` if the webhook is gone or disabled.
    pub(in crate::vault) fn prepare_delivery(&mut self, job: &JobRecord) -> Result<Option<Delivery>> {
        let Some((place, webhook)) = self.webhook_of(job)? else {
            return Ok(None);
        };
        if !webhook.enabled {
            return Ok(None);
        }
        self.delivery(&place, &webhook, (job.event.id, job.event.created_at), true).map(Some)
    }

    /// Logs an attempt whose worker did not come back.
    pub(in crate::vault) fn log_lost_delivery(&mut self, job: &JobRecord, lease: &LeaseRecord) -> Result<()> {
        let lost = Delivered { status: None, error: Some(DeliveryError::Aborted), response_body: None };
        self.log_delivery(job, lease.event, lease.attempt, &lost)
    }

    /// Disables a webhook whose last attempt has failed.
    pub(in crate::vault) fn give_up_webhook(&mut self, job: &JobRecord) -> Result<()> {
        let Some((place, mut webhook)) = self.webhook_of(job)? else {
            return Ok(());
        };
        webhook.enabled = false;
        self.put_webhook(&place, &mut webhook)?;
        let details = details(&webhook).with("changed", vec!["enabled"]).with("op", "give-up");
        self.record(Action::Update, Resource::webhook(&place, webhook.id)?, details)
    }

    /// Returns the webhook of a job and its place; `None` if either is gone.
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

    /// Logs an attempt, and removes the oldest records of the log if there are too many.
    pub(in crate::vault) fn log_delivery(
        &mut self,
        job: &JobRecord,
        event: EventRecord,
        attempt: u32,
        delivered: &Delivered,
    ) -> Result<()> {
        // The webhook may be gone since, and its log with it.
        if self.tx.get(&keys::webhook(job.project, job.node, job.subject.into()))?.is_none() {
            return Ok(());
        }
        let id = self.new_id()?.into();
        let record = WebhookLogRecord {
            id,
            event: event.id,
            attempt,
            status: delivered.status,
            error: delivered.error,
            response_body: delivered.response_body.clone(),
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
