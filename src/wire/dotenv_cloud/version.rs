use serde::{Deserialize, Serialize};

use super::envelope::ResourceKind;
use super::key::KeyEntry;
use super::level::Level;
use crate::core::clock::Timestamp;
use crate::core::version_action::VersionAction;
use crate::wire::plain::Plain;
use crate::wire::word::Word;
use crate::wire::{lenient, seconds};

/// The attributes of a version.
#[derive(Debug, Deserialize, Serialize)]
pub(crate) struct VersionAttributes {
    /// The operation that displaced it.
    pub(crate) action: Word<VersionAction>,
    pub(crate) size_bytes: u32,
    pub(crate) is_client_encrypted: bool,
    #[serde(deserialize_with = "lenient::text")]
    pub(crate) encryption_key_version: String,
    #[serde(deserialize_with = "lenient::text")]
    pub(crate) key_version: String,
    #[serde(default, with = "seconds")]
    pub(crate) created_at: Option<Timestamp>,
    #[serde(default, deserialize_with = "lenient::optional_object")]
    pub(crate) created_by: Option<VersionAuthor>,
    #[serde(default, deserialize_with = "lenient::object")]
    pub(crate) metadata: VersionMetadata,
    /// Whether it is older than the retention of the plan, so that its content cannot be read.
    #[serde(default)]
    pub(crate) locked: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) locked_reason: Option<Word<LockedReason>>,
}

/// Why a version cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum LockedReason {
    Retention,
}

/// The user or API token that displaced a version.
#[derive(Debug, Deserialize, Serialize)]
pub(crate) struct VersionAuthor {
    #[serde(deserialize_with = "lenient::number")]
    pub(crate) id: u64,
    pub(crate) name: String,
}

/// The level of a version. Only our server sends it.
#[derive(Debug, Default, Deserialize, Serialize)]
pub(crate) struct VersionMetadata {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) level: Option<Word<Level>>,
    /// The slug of the level.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) source: Option<String>,
}

/// A version with its content and the key that sealed it.
#[derive(Debug, Deserialize, Serialize)]
pub(crate) struct VersionWithContent {
    #[serde(rename = "type")]
    pub(crate) kind: Word<ResourceKind>,
    #[serde(deserialize_with = "lenient::text")]
    pub(crate) id: String,
    pub(crate) attributes: VersionAttributes,
    #[serde(default, deserialize_with = "lenient::nullable")]
    pub(crate) content: Plain,
    /// Absent for the active key.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) key: Option<KeyEntry>,
}

/// The number of versions that were removed.
#[derive(Debug, Deserialize, Serialize)]
pub(crate) struct Purged {
    pub(crate) purged_count: u64,
}
