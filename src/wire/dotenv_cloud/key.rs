use serde::{Deserialize, Serialize};

use super::envelope::Resource;
use crate::core::clock::Timestamp;
use crate::core::custody::Custody;
use crate::wire::plain::Plain;
use crate::wire::word::Word;
use crate::wire::{lenient, seconds};

/// The attributes of the active key.
#[derive(Debug, Deserialize, Serialize)]
pub(crate) struct KeyDocument {
    /// How to read `content`: `json`.
    pub(crate) format: String,
    pub(crate) encrypted: bool,
    /// A [`KeyDescriptor`] as JSON text.
    pub(crate) content: Plain,
}

/// What clients need of the active key.
#[derive(Debug, Deserialize, Serialize)]
pub(crate) struct KeyDescriptor {
    pub(crate) key: DescribedKey,
}

#[derive(Debug, Deserialize, Serialize)]
pub(crate) struct DescribedKey {
    #[serde(default = "on_server")]
    pub(crate) managed: Word<Custody>,
    /// The key string, in server custody.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) key: Option<Plain>,
    #[serde(deserialize_with = "lenient::number")]
    pub(crate) version: u32,
    #[serde(flatten)]
    pub(crate) derivation: Derivation,
    #[serde(default, with = "seconds")]
    pub(crate) created_at: Option<Timestamp>,
}

/// The custody of a key that names none.
fn on_server() -> Word<Custody> {
    Custody::Server.into()
}

/// How a key string becomes a key.
#[derive(Debug, Default, Deserialize, Serialize)]
pub(crate) struct Derivation {
    /// Base64. Absent for a key of an older form, which is not derived.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) key_check_salt: Option<String>,
    /// Absent, zero and negative stand for the default.
    #[serde(default, deserialize_with = "lenient::optional_number", skip_serializing_if = "Option::is_none")]
    pub(crate) key_check_iterations: Option<i64>,
}

/// A key of a project's history.
#[derive(Debug, Deserialize, Serialize)]
pub(crate) struct KeyEntry {
    #[serde(deserialize_with = "lenient::text")]
    pub(crate) version: String,
    #[serde(default = "on_server")]
    pub(crate) managed: Word<Custody>,
    /// The proof of the key, in client custody.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) key_check: Option<Plain>,
    #[serde(flatten)]
    pub(crate) derivation: Derivation,
    pub(crate) is_active: bool,
    #[serde(default, with = "seconds")]
    pub(crate) created_at: Option<Timestamp>,
    #[serde(default, with = "seconds", skip_serializing_if = "Option::is_none")]
    pub(crate) rotated_at: Option<Timestamp>,
}

/// The result of a rotation in server custody.
#[derive(Debug, Deserialize, Serialize)]
pub(crate) struct Rotated {
    pub(crate) key: Resource<RotatedKey>,
}

/// The attributes of a key that a rotation made.
#[derive(Debug, Deserialize, Serialize)]
pub(crate) struct RotatedKey {
    #[serde(deserialize_with = "lenient::number")]
    pub(crate) id: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) key: Option<Plain>,
    #[serde(deserialize_with = "lenient::text")]
    pub(crate) version: String,
    pub(crate) is_active: bool,
    #[serde(default, with = "seconds")]
    pub(crate) created_at: Option<Timestamp>,
    #[serde(default = "on_server")]
    pub(crate) managed: Word<Custody>,
    #[serde(flatten)]
    pub(crate) derivation: Derivation,
}

/// The response to a rotation in client custody.
#[derive(Debug, Deserialize, Serialize)]
pub(crate) struct ClientRotated {
    pub(crate) success: bool,
    pub(crate) message: String,
    pub(crate) data: Count,
}

#[derive(Debug, Deserialize, Serialize)]
pub(crate) struct Count {
    pub(crate) count: usize,
}

/// Versions that are sealed with a former key.
#[derive(Debug, Deserialize, Serialize)]
pub(crate) struct Pending {
    pub(crate) data: Vec<PendingVersion>,
    pub(crate) meta: Remaining,
}

#[derive(Debug, Deserialize, Serialize)]
pub(crate) struct PendingVersion {
    #[serde(deserialize_with = "lenient::number")]
    pub(crate) id: u64,
    pub(crate) content: Plain,
    #[serde(deserialize_with = "lenient::text")]
    pub(crate) key_version: String,
}

#[derive(Debug, Deserialize, Serialize)]
pub(crate) struct Remaining {
    pub(crate) remaining: u64,
}

/// The result of storing re-encrypted versions.
#[derive(Debug, Deserialize, Serialize)]
pub(crate) struct Reencrypted {
    pub(crate) updated: u64,
    pub(crate) remaining: u64,
}

/// The new custody of a key.
#[derive(Debug, Deserialize, Serialize)]
pub(crate) struct CustodyChanged {
    pub(crate) managed: Word<Custody>,
    /// The key string, for a client that is to keep it from now on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) key: Option<Plain>,
}
