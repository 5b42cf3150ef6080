use serde::{Deserialize, Serialize};

use super::super::Plain;
use super::present;

#[derive(Serialize)]
pub(crate) struct Webhook {
    pub(crate) id: String,
    pub(crate) url: String,
    pub(crate) enabled: bool,
    pub(crate) created_at: String,
    pub(crate) updated_at: String,
    pub(crate) description: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) signing_secret: Option<Plain>,
}

/// A webhook in a list.
#[derive(Serialize)]
pub(crate) struct Listed {
    pub(crate) id: String,
    pub(crate) url: String,
    pub(crate) enabled: bool,
}

#[derive(Serialize)]
pub(crate) struct SigningSecret {
    pub(crate) signing_secret: Plain,
}

/// One attempt to deliver an event.
#[derive(Serialize)]
pub(crate) struct Log {
    pub(crate) id: String,
    pub(crate) status: Option<u16>,
    pub(crate) processed_at: String,
    pub(crate) attempt: u32,
    pub(crate) error: Option<&'static str>,
    /// Absent in lists.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) response_body: Option<Option<String>>,
}

/// What became of a test.
#[derive(Serialize)]
pub(crate) struct Tested {
    pub(crate) url: String,
    pub(crate) status: Option<u16>,
    pub(crate) error: Option<&'static str>,
    pub(crate) response_body: Option<String>,
}

#[derive(Deserialize)]
pub(crate) struct NewWebhook {
    pub(crate) url: String,
    #[serde(default)]
    pub(crate) enabled: Option<bool>,
    #[serde(default)]
    pub(crate) description: Option<String>,
}

#[derive(Deserialize)]
pub(crate) struct WebhookUpdate {
    #[serde(default)]
    pub(crate) url: Option<String>,
    #[serde(default, deserialize_with = "present")]
    pub(crate) description: Option<Option<String>>,
}

#[derive(Deserialize)]
pub(crate) struct Status {
    pub(crate) enabled: bool,
}
