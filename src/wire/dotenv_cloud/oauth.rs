use serde::{Deserialize, Serialize};

use crate::wire::word::Word;

/// The body of a refusal of an OAuth endpoint (RFC 6749, section 5.2).
#[derive(Debug, Deserialize, Serialize)]
pub(crate) struct OAuthError {
    pub(crate) error: Word<OAuthErrorCode>,
    #[serde(default)]
    pub(crate) error_description: String,
}

/// Why no token was issued.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum OAuthErrorCode {
    InvalidClient,
    InvalidGrant,
    InvalidRequest,
    UnsupportedGrantType,
}
