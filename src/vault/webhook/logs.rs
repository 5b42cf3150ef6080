use crate::core::audit::{Action, Details, Resource};
use crate::core::id::WebhookId;
use crate::core::id::WebhookLogId;
use crate::error::Result;
use crate::store::Order;
use crate::vault::keys;
use crate::vault::operation::no_such;
use crate::vault::page::{Page, Paging};
use crate::vault::place::At;
use crate::vault::records::{WebhookLogRecord, decode, get};
#[cfg(feature = "server")]
use crate::vault::scan::scan_window;
use crate::vault::session::Session;
use crate::vault::use_case::UseCase;
use crate::vault::webhook::WebhookLog;

impl Session<'_> {
    /// What became of the attempts to tell a webhook of events, newest first; of the last 1,000 of them.
    ///
    /// # Errors
    /// `NotFound`; `InvalidValue`, for a page that begins nowhere.
    pub fn webhook_logs(&self, at: At<'_>, id: WebhookId, paging: &Paging) -> Result<Page<WebhookLog>> {
        self.read(UseCase::ListWebhookLogs, |operation| {
            let (place, record) = operation.webhook(at, id)?;
            let range = keys::webhook_logs(place.project.id, record.id);
            let (records, next) = paging.scan(operation.tx, range, Order::Descending)?;
            let items: Vec<WebhookLog> = records
                .iter()
                .map(|record| Ok(decode::<WebhookLogRecord>(&record.value)?.into()))
                .collect::<Result<_>>()?;
            let details = Details::default().with("op", "logs").with("count", items.len());
            operation.record(Action::Read, Resource::webhook(&place, id)?, details)?;
            Ok(Page { items, next })
        })
    }

    /// The same by numbers: at most `limit` of them after the first `skip`, and how many there are in all.
    ///
    /// # Errors
    /// `NotFound`.
    #[cfg(feature = "server")]
    pub(crate) fn webhook_logs_from(
        &self,
        at: At<'_>,
        id: WebhookId,
        skip: usize,
        limit: usize,
    ) -> Result<(Vec<WebhookLog>, usize)> {
        self.read(UseCase::ListWebhookLogs, |operation| {
            let (place, record) = operation.webhook(at, id)?;
            let range = keys::webhook_logs(place.project.id, record.id);
            // They can be counted, because a webhook keeps its last 1,000 only.
            let (records, total) = scan_window::<WebhookLogRecord>(operation.tx, range, skip, limit)?;
            let items: Vec<WebhookLog> = records.into_iter().map(WebhookLog::from).collect();
            let details = Details::default().with("op", "logs").with("count", items.len());
            operation.record(Action::Read, Resource::webhook(&place, id)?, details)?;
            Ok((items, total))
        })
    }
}

impl Session<'_> {
    /// What became of one attempt to tell a webhook of an event.
    ///
    /// # Errors
    /// `NotFound`, also when it is not among the last 1,000 any more.
    pub fn webhook_log(&self, at: At<'_>, id: WebhookId, log: WebhookLogId) -> Result<WebhookLog> {
        self.read(UseCase::ReadWebhookLog, |operation| {
            let (place, record) = operation.webhook(at, id)?;
            let key = keys::webhook_log(place.project.id, record.id, log);
            let found: WebhookLogRecord = get(operation.tx, &key)?.ok_or_else(|| no_such("log record"))?;
            let details = Details::default().with("op", "log").with("log", log.to_string());
            operation.record(Action::Read, Resource::webhook(&place, id)?, details)?;
            Ok(found.into())
        })
    }
}
