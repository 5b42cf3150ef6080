use serde::{Deserialize, Serialize};

use crate::core::clock::Timestamp;
use crate::wire::plain::Plain;
use crate::wire::{lenient, seconds};

/// An API key without its token. It has no `attributes`: its members stand beside its id.
#[derive(Debug, Deserialize, Serialize)]
pub(crate) struct ApiKey {
    #[serde(deserialize_with = "lenient::text")]
    pub(crate) id: String,
    pub(crate) name: String,
    /// The first characters of the token.
    pub(crate) token_prefix: String,
    /// Words of [`Vocabulary::DotenvCloud`](crate::core::permission::Vocabulary::DotenvCloud).
    #[serde(default, deserialize_with = "lenient::nullable")]
    pub(crate) abilities: Vec<String>,
    /// The place that the key is bound to; absent where it is good for the whole organization.
    #[serde(default, deserialize_with = "lenient::optional_object", skip_serializing_if = "Option::is_none")]
    pub(crate) scope: Option<Scope>,
    #[serde(default, with = "seconds")]
    pub(crate) expires_at: Option<Timestamp>,
    #[serde(default, with = "seconds")]
    pub(crate) last_used_at: Option<Timestamp>,
    #[serde(default, with = "seconds")]
    pub(crate) created_at: Option<Timestamp>,
    #[serde(default, with = "seconds")]
    pub(crate) updated_at: Option<Timestamp>,
}

/// The slugs of a project, a target or an environment.
#[derive(Debug, Deserialize, Serialize)]
pub(crate) struct Scope {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) project: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) target: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) environment: Option<String>,
}

/// The response to creating an API key, for clients that look for `token` and for those that look for `api_key`.
#[derive(Debug, Deserialize, Serialize)]
pub(crate) struct ApiKeyCreated {
    #[serde(default)]
    pub(crate) success: bool,
    pub(crate) message: String,
    pub(crate) token: NewApiKey,
    /// Always sent by our server. The service's own client knows a response without it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) api_key: Option<ApiKey>,
}

/// The token of a new API key, and what it allows.
#[derive(Debug, Deserialize, Serialize)]
pub(crate) struct NewApiKey {
    pub(crate) name: String,
    pub(crate) token: Plain,
    #[serde(default, deserialize_with = "lenient::nullable")]
    pub(crate) abilities: Vec<String>,
    #[serde(default, with = "seconds")]
    pub(crate) expires_at: Option<Timestamp>,
}

/// An API key with its new token.
#[derive(Debug, Deserialize, Serialize)]
pub(crate) struct RotatedApiKey {
    pub(crate) token: Plain,
    pub(crate) api_key: ApiKey,
}
