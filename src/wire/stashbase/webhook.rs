#![expect(clippy::option_option, reason = "`null` is no text, and an absent one stays or was not asked for")]

use serde::{Deserialize, Serialize};

use crate::core::clock::Timestamp;
use crate::core::delivery_error::DeliveryError;
use crate::wire::lenient;
use crate::wire::plain::Plain;
use crate::wire::word::Word;

#[derive(Debug, Deserialize, Serialize)]
pub(crate) struct Webhook {
    pub(crate) id: String,
    pub(crate) url: String,
    pub(crate) enabled: bool,
    pub(crate) created_at: Timestamp,
    pub(crate) updated_at: Timestamp,
    pub(crate) description: Option<String>,
    /// Present in the response to creating it, and on request.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) signing_secret: Option<Plain>,
}

/// A webhook in a list.
#[derive(Debug, Deserialize, Serialize)]
pub(crate) struct Listed {
    pub(crate) id: String,
    pub(crate) url: String,
    pub(crate) enabled: bool,
}

#[derive(Debug, Deserialize, Serialize)]
pub(crate) struct SigningSecret {
    pub(crate) signing_secret: Plain,
}

/// One attempt to deliver an event.
#[derive(Debug, Deserialize, Serialize)]
pub(crate) struct Log {
    pub(crate) id: String,
    /// `None` where there was no response.
    pub(crate) status: Option<u16>,
    pub(crate) processed_at: Timestamp,
    pub(crate) attempt: u32,
    pub(crate) error: Option<Word<DeliveryError>>,
    /// Absent in lists.
    #[serde(default, deserialize_with = "lenient::present", skip_serializing_if = "Option::is_none")]
    pub(crate) response_body: Option<Option<String>>,
}

/// The result of a test.
#[derive(Debug, Deserialize, Serialize)]
pub(crate) struct Tested {
    pub(crate) url: String,
    pub(crate) status: Option<u16>,
    pub(crate) error: Option<Word<DeliveryError>>,
    pub(crate) response_body: Option<String>,
}

/// A request to create a webhook.
#[derive(Debug, Deserialize, Serialize)]
pub(crate) struct NewWebhook {
    pub(crate) url: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) enabled: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) description: Option<String>,
}

/// A request to change a webhook.
#[derive(Debug, Deserialize, Serialize)]
pub(crate) struct WebhookUpdate {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) url: Option<String>,
    #[serde(default, deserialize_with = "lenient::present", skip_serializing_if = "Option::is_none")]
    pub(crate) description: Option<Option<String>>,
}

/// A request to enable or disable a webhook.
#[derive(Debug, Deserialize, Serialize)]
pub(crate) struct Status {
    pub(crate) enabled: bool,
}
