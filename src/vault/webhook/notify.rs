use std::collections::BTreeSet;

use super::super::keys;
use super::super::operation::OperationContext;
use super::super::queue::{JobKind, NewJob};
use super::super::records::{ProjectRecord, WebhookRecord, damaged, decode};
use super::url::host;
use crate::Result;
use crate::core::Id;
use crate::store::Order;

impl OperationContext<'_, '_> {
    /// Has the webhooks of these environments of a project told, those that are enabled.
    pub(in super::super) fn notify_webhooks(
        &mut self,
        project: &ProjectRecord,
        environments: &BTreeSet<Id>,
    ) -> Result<()> {
        for record in self.tx.scan(&keys::project_webhooks(project.id), Order::Ascending, usize::MAX)? {
            let node = record.key.rsplit('/').nth(1).unwrap_or_default();
            let node = Id::parse(node).map_err(|_| damaged())?;
            if !environments.contains(&node) {
                continue;
            }
            let webhook: WebhookRecord = decode(&record.value)?;
            if webhook.enabled {
                self.enqueue(NewJob {
                    kind: JobKind::Webhook,
                    subject: webhook.id,
                    organization: project.organization,
                    project: project.id,
                    node,
                    lane: host(&webhook.url),
                })?;
            }
        }
        Ok(())
    }
}
