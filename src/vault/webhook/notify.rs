use std::collections::BTreeSet;

use super::url::host;
use crate::core::id::LevelId;
use crate::error::Result;
use crate::store::Order;
use crate::vault::job_kind::JobKind;
use crate::vault::keys;
use crate::vault::operation::OperationContext;
use crate::vault::queue::NewJob;
use crate::vault::records::{ProjectRecord, WebhookRecord, damaged, decode};
use crate::vault::scan::Scan;

impl OperationContext<'_, '_> {
    /// Has the webhooks of these environments of a project told, those that are enabled.
    pub(in crate::vault) fn notify_webhooks(
        &mut self,
        project: &ProjectRecord,
        environments: &BTreeSet<LevelId>,
    ) -> Result<()> {
        let mut scan = Scan::new(keys::project_webhooks(project.id), Order::Ascending);
        while let Some(record) = scan.next(self.tx)? {
            let node = record.key.rsplit('/').nth(1).unwrap_or_default();
            let node = LevelId::parse(node).map_err(|_| damaged())?;
            if !environments.contains(&node) {
                continue;
            }
            let webhook: WebhookRecord = decode(&record.value)?;
            if webhook.enabled {
                self.enqueue(NewJob {
                    kind: JobKind::Webhook,
                    subject: webhook.id.into(),
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
