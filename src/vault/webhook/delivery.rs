//! What is sent to a webhook.

use crate::core::audit::{Action, Resource};
use crate::core::clock::Timestamp;
use crate::core::id::{EventId, WebhookId};
use crate::core::secret::SecretString;
use crate::core::webhook::{
    Environment as EventEnvironment, EventBody, EventData, Project as EventProject, Workspace as EventWorkspace,
};
use crate::error::Result;
use crate::vault::operation::OperationContext;
use crate::vault::outbound_limit::OutboundPermit;
use crate::vault::place::{At, Place};
use crate::vault::records::WebhookRecord;
use crate::vault::session::Session;
use crate::vault::slug::BASE;
use crate::vault::use_case::UseCase;
use crate::vault::webhook::details;

/// An event for one webhook, with what its request needs.
#[cfg_attr(not(feature = "worker"), expect(dead_code, reason = "nothing is sent without the feature"))]
pub(crate) struct Delivery {
    /// The webhook.
    pub(crate) id: WebhookId,
    pub(crate) url: String,
    /// The signing secret.
    pub(crate) secret: SecretString,
    pub(crate) body: String,
}

impl<'v> Session<'v> {
    /// Returns what a test of a webhook sends, with the permit to wait for the response, and records the test.
    pub(crate) fn webhook_test(&self, at: At<'_>, id: WebhookId) -> Result<(Delivery, OutboundPermit<'v>)> {
        let vault = self.vault;
        self.read(UseCase::TestWebhook, |operation| {
            let (place, record) = operation.webhook(at, id)?;
            let permit = vault.outbound_limit.permit(place.organization())?;
            let event = (operation.new_id()?.into(), operation.now);
            let delivery = operation.delivery(&place, &record, event, false)?;
            let details = details(&record).with("op", "test");
            operation.record(Action::Read, Resource::webhook(&place, id)?, details)?;
            Ok((delivery, permit))
        })
    }
}

impl OperationContext<'_, '_> {
    /// Returns the delivery of an event to a webhook.
    pub(super) fn delivery(
        &mut self,
        place: &Place,
        webhook: &WebhookRecord,
        event: (EventId, Timestamp),
        live_mode: bool,
    ) -> Result<Delivery> {
        let organization = self.organization(place.organization())?;
        let project = &place.project;
        let (name, is_production) = match place.nodes.last() {
            Some(node) => (node.name.as_str(), node.is_production),
            None => (BASE, false),
        };
        let data = EventData {
            workspace: EventWorkspace {
                id: organization.id.to_prefixed("wks"),
                name: &organization.name,
                slug: &organization.slug,
            },
            project: EventProject { id: project.id.to_prefixed("proj"), name: &project.name },
            environment: EventEnvironment { id: place.id().to_prefixed("env"), name, is_production },
        };
        let body = EventBody::secrets_updated(event.0.into(), event.1, live_mode, data).to_text();
        let secret = self.signing_secret(project, webhook)?;
        Ok(Delivery { id: webhook.id, url: webhook.url.clone(), secret, body })
    }
}
