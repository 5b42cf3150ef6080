use serde::Serialize;

use super::super::{Plain, Seconds};
use super::key::KeyEntry;

/// Attributes of a version; its type is `secret-versions`.
#[derive(Debug, Serialize)]
pub(crate) struct VersionAttributes {
    /// What displaced it, such as `update`.
    pub(crate) action: &'static str,
    pub(crate) size_bytes: u32,
    pub(crate) is_client_encrypted: bool,
    pub(crate) encryption_key_version: String,
    pub(crate) key_version: String,
    pub(crate) created_at: Seconds,
    pub(crate) created_by: Option<VersionAuthor>,
    pub(crate) metadata: VersionMetadata,
    pub(crate) locked: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) locked_reason: Option<&'static str>,
}

/// Who displaced it.
#[derive(Debug, Serialize)]
pub(crate) struct VersionAuthor {
    pub(crate) id: u64,
    pub(crate) name: String,
}

#[derive(Debug, Serialize)]
pub(crate) struct VersionMetadata {
    /// `project`, `target` or `environment`.
    pub(crate) level: &'static str,
    /// The level's slug.
    pub(crate) source: String,
}

/// A version with what the level held.
#[derive(Debug, Serialize)]
pub(crate) struct VersionWithContent {
    pub(crate) r#type: &'static str,
    pub(crate) id: String,
    pub(crate) attributes: VersionAttributes,
    pub(crate) content: Plain,
    pub(crate) key: KeyEntry,
}

/// How many versions were removed.
#[derive(Debug, Serialize)]
pub(crate) struct Purged {
    pub(crate) purged_count: u64,
}
