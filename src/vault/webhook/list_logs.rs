use super::super::keys;
use super::super::records::{WebhookLogRecord, decode};
use super::super::session::Session;
use super::super::use_case::UseCase;
use super::super::{Page, Paging};
use super::WebhookLog;
use crate::Result;
use crate::core::{Action, Details, Id, LevelPath, Resource};
use crate::store::Order;

impl Session<'_> {
    /// What became of the attempts to tell a webhook of events, newest first; of the last 1,000 of them.
    ///
    /// # Errors
    /// `NotFound`; `InvalidValue`, for a page that begins nowhere.
    pub fn webhook_logs(
        &self,
        organization: Id,
        path: &LevelPath,
        id: Id,
        paging: &Paging,
    ) -> Result<Page<WebhookLog>> {
        self.read(UseCase::ListWebhookLogs, |operation| {
            let (place, record) = operation.webhook(organization, path, id)?;
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
    pub fn webhook_logs_from(
        &self,
        organization: Id,
        path: &LevelPath,
        id: Id,
        skip: usize,
        limit: usize,
    ) -> Result<(Vec<WebhookLog>, usize)> {
        self.read(UseCase::ListWebhookLogs, |operation| {
            let (place, record) = operation.webhook(organization, path, id)?;
            let range = keys::webhook_logs(place.project.id, record.id);
            // A webhook keeps so few of them that they can be counted off.
            let records = operation.tx.scan(&range, Order::Descending, usize::MAX)?;
            let items: Vec<WebhookLog> = records
                .iter()
                .skip(skip)
                .take(limit)
                .map(|record| Ok(decode::<WebhookLogRecord>(&record.value)?.into()))
                .collect::<Result<_>>()?;
            let details = Details::default().with("op", "logs").with("count", items.len());
            operation.record(Action::Read, Resource::webhook(&place, id)?, details)?;
            Ok((items, records.len()))
        })
    }
}
