use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;

use crate::core::clock::Timestamp;
use crate::wire::word::Word;
use crate::wire::{lenient, seconds};

/// The body of every response with an error status.
#[derive(Debug, Deserialize, Serialize)]
pub(crate) struct ErrorBody {
    /// Absent where the service's framework refused the request.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) error: Option<Word<ErrorCode>>,
    #[serde(default)]
    pub(crate) message: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) details: Option<Value>,
    /// What is wrong with each field.
    #[serde(default, deserialize_with = "lenient::object", skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) errors: BTreeMap<String, Messages>,
}

/// Messages about one field.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Messages(pub(crate) Vec<String>);

impl<'de> Deserialize<'de> for Messages {
    /// Reads one message without a list around it, too, which is the form that the service's own client declares.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum OneOrMore {
            One(String),
            More(Vec<String>),
        }

        Ok(match OneOrMore::deserialize(deserializer)? {
            OneOrMore::One(message) => Self(vec![message]),
            OneOrMore::More(messages) => Self(messages),
        })
    }
}

/// The details of [`ErrorCode::VersionLocked`].
#[derive(Debug, Deserialize, Serialize)]
pub(crate) struct VersionLock {
    pub(crate) retention_days: u32,
    #[serde(default, with = "seconds")]
    pub(crate) version_created_at: Option<Timestamp>,
}

/// Why a request was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum ErrorCode {
    ClientManagedEncryption,
    ConfirmationRequired,
    Conflict,
    ContentRequiredForOldKey,
    InsufficientPermissions,
    InvalidKeyRotation,
    InvalidParameterCombination,
    KeyProofMismatch,
    KeyProofRequired,
    KeyVersionConflict,
    MalformedRequest,
    MethodNotAllowed,
    NoActiveEncryptionKey,
    NotFound,
    OrganizationInactive,
    PayloadTooLarge,
    RateLimited,
    RotationInProgress,
    ServerError,
    Unauthenticated,
    Unavailable,
    UnsupportedApiVersion,
    ValidationFailed,
    VersionLocked,
    VersionProtected,
}
