use std::fmt;

#[cfg(not(feature = "worker"))]
use super::feature_is_missing;
use crate::core::delivery_error::DeliveryError;
use crate::core::id::WebhookId;
use crate::error::Result;
#[cfg(feature = "worker")]
use crate::http::client::{Client, Request};
use crate::vault::engine::Vault;
use crate::vault::outbound_limit::OutboundPermit;
use crate::vault::place::At;
use crate::vault::session::Session;
use crate::vault::webhook::delivery::Delivery;
use crate::vault::webhook::url::Shown;
#[cfg(feature = "worker")]
use crate::{
    core::{clock::Timestamp, webhook::sign},
    vault::webhook::job::Delivered,
    webhook::{ID_HEADER, SIGNATURE_HEADER},
};

/// How much of a response is kept, in bytes.
#[cfg(feature = "worker")]
const MAX_RESPONSE_BYTES: usize = 4096;

/// The result of a test of a webhook.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct WebhookTest {
    /// Where the event was sent.
    pub url: String,
    /// The status of the response, if there was one.
    pub status: Option<u16>,
    /// Why there was no response.
    pub error: Option<DeliveryError>,
    /// The first 4 KiB of the response's body.
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
    /// Sends an event that says that it is a test (`live_mode` is `false`) to a webhook, once and now, even if the webhook
    /// is disabled. Waits at most ten seconds for the response. The webhook's log does not show it.
    ///
    /// # Errors
    /// `NotFound`; `CrateFeature`, without the feature `worker`; `RateLimited`, while four tests of webhooks, plans and
    /// syncs of the organization wait. A receiver that cannot be reached is no error.
    pub fn test_webhook(&self, at: At<'_>, id: WebhookId) -> Result<WebhookTest> {
        self.begin_webhook_test(at, id)?.send()
    }
}

/// A test of a webhook that is recorded and not yet sent.
pub(crate) struct BegunTest<'v> {
    #[cfg_attr(not(feature = "worker"), expect(dead_code, reason = "nothing is sent without the feature"))]
    vault: &'v Vault,
    #[cfg_attr(not(feature = "worker"), expect(dead_code, reason = "nothing is sent without the feature"))]
    delivery: Delivery,
    _permit: OutboundPermit<'v>,
}

impl<'v> Session<'v> {
    /// Does the part of [`test_webhook`](Self::test_webhook) that waits for nobody.
    pub(crate) fn begin_webhook_test(&self, at: At<'_>, id: WebhookId) -> Result<BegunTest<'v>> {
        let (delivery, permit) = self.webhook_test(at, id)?;
        Ok(BegunTest { vault: self.vault, delivery, _permit: permit })
    }
}

impl BegunTest<'_> {
    /// Sends the event, and waits for the response.
    #[cfg(feature = "worker")]
    #[expect(clippy::unnecessary_wraps, reason = "without the feature it fails")]
    pub(crate) fn send(self) -> Result<WebhookTest> {
        let client = Client::untrusted(&self.vault.outbound);
        let Delivered { status, error, response_body } = deliver(&client, &self.delivery, self.vault.now());
        Ok(WebhookTest { url: self.delivery.url, status, error, response_body })
    }

    /// Fails, as nothing can be sent.
    #[cfg(not(feature = "worker"))]
    #[expect(clippy::unused_self, reason = "with the feature, it is what is sent")]
    pub(crate) fn send(self) -> Result<WebhookTest> {
        Err(feature_is_missing())
    }
}

/// Sends an event, signed now, and waits for the response.
#[cfg(feature = "worker")]
pub(super) fn deliver(client: &Client, delivery: &Delivery, now: Timestamp) -> Delivered {
    let body = delivery.body.as_bytes();
    let signature = sign(body, &delivery.secret, now);
    let id = delivery.id.to_prefixed("whk");
    let headers =
        [("content-type", "application/json"), (SIGNATURE_HEADER, signature.as_str()), (ID_HEADER, id.as_str())];
    let url = &delivery.url;
    let request = Request { method: "POST", url, headers: &headers, body, max_body: MAX_RESPONSE_BYTES };
    match client.send(request) {
        Ok(response) => {
            Delivered { status: Some(response.status), error: None, response_body: Some(text(&response.body)) }
        }
        Err(error) => Delivered { status: None, error: Some(error.into()), response_body: None },
    }
}

/// Returns a response's body as text that every store can hold.
#[cfg(feature = "worker")]
fn text(body: &[u8]) -> String {
    let mut text = String::from_utf8_lossy(body).replace('\0', "\u{fffd}");
    // The replacement character is longer than the byte that it replaces.
    let mut end = text.len().min(MAX_RESPONSE_BYTES);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.truncate(end);
    text
}
