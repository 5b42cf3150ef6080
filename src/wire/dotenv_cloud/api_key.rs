use serde::Serialize;

use super::super::{Plain, Seconds};

/// What is known of an API key. It has no attributes: all stands side by side.
#[derive(Debug, Serialize)]
pub(crate) struct ApiKey {
    pub(crate) id: String,
    pub(crate) name: String,
    /// The first characters of its token.
    pub(crate) token_prefix: String,
    pub(crate) abilities: Vec<&'static str>,
    /// Where it is bound to; not there, for all of the organization.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) scope: Option<Scope>,
    pub(crate) expires_at: Option<Seconds>,
    pub(crate) last_used_at: Option<Seconds>,
    pub(crate) created_at: Seconds,
    pub(crate) updated_at: Seconds,
}

/// A project, a target or an environment, by its slugs.
#[derive(Debug, Serialize)]
pub(crate) struct Scope {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) project: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) target: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) environment: Option<String>,
}

/// An API key that was made: for clients that look for `token`, and for those that look for `api_key`.
#[derive(Debug, Serialize)]
pub(crate) struct ApiKeyCreated {
    pub(crate) success: bool,
    pub(crate) message: &'static str,
    pub(crate) token: NewApiKey,
    pub(crate) api_key: ApiKey,
}

/// The token of a new API key, and what it may do.
#[derive(Debug, Serialize)]
pub(crate) struct NewApiKey {
    pub(crate) name: String,
    pub(crate) token: Plain,
    pub(crate) abilities: Vec<&'static str>,
    pub(crate) expires_at: Option<Seconds>,
}

/// An API key that was issued anew.
#[derive(Debug, Serialize)]
pub(crate) struct ApiKeyRotated {
    pub(crate) data: RotatedApiKey,
    pub(crate) message: &'static str,
}

/// Its new token, and what is known of it.
#[derive(Debug, Serialize)]
pub(crate) struct RotatedApiKey {
    pub(crate) token: Plain,
    pub(crate) api_key: ApiKey,
}
