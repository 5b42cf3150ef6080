use serde::Serialize;

use super::super::{Plain, Seconds};
use super::Resource;

/// Attributes of the key in use; its type is `encryption_keys`.
#[derive(Debug, Serialize)]
pub(crate) struct KeyDocument {
    pub(crate) format: &'static str,
    pub(crate) encrypted: bool,
    /// A [`KeyDescriptor`] as JSON text.
    pub(crate) content: Plain,
}

/// What clients need of the key in use.
#[derive(Debug, Serialize)]
pub(crate) struct KeyDescriptor {
    pub(crate) key: DescribedKey,
}

#[derive(Debug, Serialize)]
pub(crate) struct DescribedKey {
    /// `client` or `server`.
    pub(crate) managed: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) key: Option<Plain>,
    pub(crate) version: u32,
    #[serde(flatten)]
    pub(crate) derivation: Option<Derivation>,
    pub(crate) created_at: Seconds,
}

/// How a key string becomes a key.
#[derive(Debug, Serialize)]
pub(crate) struct Derivation {
    /// Base64.
    pub(crate) key_check_salt: String,
    pub(crate) key_check_iterations: u32,
}

/// A key of a project's history.
#[derive(Debug, Serialize)]
pub(crate) struct KeyEntry {
    pub(crate) version: String,
    /// `client` or `server`.
    pub(crate) managed: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) key_check: Option<Plain>,
    #[serde(flatten)]
    pub(crate) derivation: Option<Derivation>,
    pub(crate) is_active: bool,
    pub(crate) created_at: Seconds,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) rotated_at: Option<Seconds>,
}

/// The answer to a rotation.
#[derive(Debug, Serialize)]
pub(crate) struct Rotated {
    pub(crate) key: Resource<RotatedKey>,
}

/// Attributes of a key that was made; its type is `encryption-keys`.
#[derive(Debug, Serialize)]
pub(crate) struct RotatedKey {
    pub(crate) id: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) key: Option<Plain>,
    pub(crate) version: String,
    pub(crate) is_active: bool,
    pub(crate) created_at: Seconds,
    pub(crate) managed: &'static str,
    #[serde(flatten)]
    pub(crate) derivation: Option<Derivation>,
}

/// The answer to a rotation by clients.
#[derive(Debug, Serialize)]
pub(crate) struct ClientRotated {
    pub(crate) success: bool,
    pub(crate) message: &'static str,
    pub(crate) data: Count,
}

#[derive(Debug, Serialize)]
pub(crate) struct Count {
    pub(crate) count: usize,
}

/// Versions that are sealed with former keys.
#[derive(Debug, Serialize)]
pub(crate) struct Pending {
    pub(crate) data: Vec<PendingVersion>,
    pub(crate) meta: Remaining,
}

#[derive(Debug, Serialize)]
pub(crate) struct PendingVersion {
    pub(crate) id: u64,
    pub(crate) content: Plain,
    pub(crate) key_version: String,
}

#[derive(Debug, Serialize)]
pub(crate) struct Remaining {
    pub(crate) remaining: u64,
}

/// What became of versions that were sealed anew.
#[derive(Debug, Serialize)]
pub(crate) struct Reencrypted {
    pub(crate) updated: u64,
    pub(crate) remaining: u64,
}

/// Who holds the key from now on; with the key, for those who are to keep it.
#[derive(Debug, Serialize)]
pub(crate) struct CustodyChanged {
    pub(crate) managed: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) key: Option<Plain>,
}
