use std::fmt;

use super::url::Shown;
use crate::core::WebhookId;
use crate::core::{Action, DeliveryError, Resource};
use crate::error::Result;
#[cfg(not(feature = "http"))]
use crate::error::{Error, ErrorKind};
use crate::vault::place::At;
use crate::vault::session::Session;
use crate::vault::use_case::UseCase;
use crate::vault::webhook::details;

/// What became of a test.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct WebhookTest {
    /// Where it was sent.
    pub url: String,
    /// The status of the answer, if there was one.
    pub status: Option<u16>,
    /// Why there was none.
    pub error: Option<DeliveryError>,
    /// What was answered: its first 4 KiB.
    pub response_body: Option<String>,
}

impl fmt::Debug for WebhookTest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("WebhookTest");
        shown.field("url", &Shown(&self.url)).field("status", &self.status).field("error", &self.error);
        shown.finish_non_exhaustive()
    }
}

impl Session<'_> {
    /// Sends an event to a webhook that says it is a test (`live_mode` is `false`): once and now, also when the webhook
    /// is disabled. It is not in the webhook's log. It waits for the answer, ten seconds at most.
    ///
    /// # Errors
    /// `NotFound`; `CrateFeature`, without the feature `http`. That the receiver cannot be reached is no error.
    pub fn test_webhook(&self, at: At<'_>, id: WebhookId) -> Result<WebhookTest> {
        let delivery = self.read(UseCase::TestWebhook, |operation| {
            let (place, record) = operation.webhook(at, id)?;
            let event = (operation.new_id()?.into(), operation.now);
            let delivery = operation.delivery(&place, &record, event, false)?;
            let details = details(&record).with("op", "test");
            operation.record(Action::Read, Resource::webhook(&place, id)?, details)?;
            Ok(delivery)
        })?;
        #[cfg(feature = "http")]
        {
            let sent = delivery.send(self.vault);
            let (status, error, response_body) = (sent.status, sent.error, sent.response_body);
            Ok(WebhookTest { url: delivery.url, status, error, response_body })
        }
        #[cfg(not(feature = "http"))]
        {
            drop(delivery);
            let message = "nothing is sent by this build: build ioenv with the feature `http`";
            Err(Error::new(ErrorKind::CrateFeature, message))
        }
    }
}
