use super::super::keys;
use super::super::records::{WebhookRecord, decode};
use super::super::session::Session;
use super::super::use_case::UseCase;
use super::Webhook;
use crate::Result;
use crate::core::{Action, Details, Id, LevelPath, Resource};
use crate::store::Order;

impl Session<'_> {
    /// The webhooks of an environment, newest first.
    ///
    /// # Errors
    /// `NotFound`, also for what is no environment.
    pub fn webhooks(&self, organization: Id, path: &LevelPath) -> Result<Vec<Webhook>> {
        self.read(UseCase::ListWebhooks, |operation| {
            let place = operation.environment_place(organization, path)?;
            let range = keys::webhooks(place.project.id, place.id());
            let records = operation.tx.scan(&range, Order::Descending, usize::MAX)?;
            let webhooks: Vec<Webhook> = records
                .iter()
                .map(|record| Ok(decode::<WebhookRecord>(&record.value)?.into()))
                .collect::<Result<_>>()?;
            let details = Details::default().with("op", "webhooks").with("count", webhooks.len());
            operation.record(Action::Read, Resource::of(&place)?, details)?;
            Ok(webhooks)
        })
    }
}
