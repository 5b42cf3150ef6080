use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::envelope::ResourceKind;
use super::level::Level;
use crate::core::clock::Timestamp;
use crate::core::secret_format::SecretFormat;
use crate::wire::plain::Plain;
use crate::wire::word::Word;
use crate::wire::{lenient, seconds};

/// The secrets of a level and of those above it.
#[derive(Debug, Deserialize, Serialize)]
pub(crate) struct Secrets {
    pub(crate) data: SecretsData,
    pub(crate) meta: SecretsMeta,
}

#[derive(Debug, Deserialize, Serialize)]
pub(crate) struct SecretsData {
    #[serde(rename = "type")]
    pub(crate) kind: Word<ResourceKind>,
    pub(crate) attributes: SecretsAttributes,
}

#[derive(Debug, Deserialize, Serialize)]
pub(crate) struct SecretsAttributes {
    pub(crate) encrypted: bool,
    pub(crate) format: Word<ContentFormat>,
    #[serde(default, deserialize_with = "lenient::optional_object", skip_serializing_if = "Option::is_none")]
    pub(crate) levels: Option<SecretLevels>,
    #[serde(default, deserialize_with = "lenient::optional_object", skip_serializing_if = "Option::is_none")]
    pub(crate) secrets: Option<BTreeMap<String, Plain>>,
}

/// How to read the plaintext of levels.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum ContentFormat {
    /// There are no levels, only what they amount to.
    Merged,
    #[serde(untagged)]
    Document(SecretFormat),
}

/// The levels of a path.
#[derive(Debug, Default, Deserialize, Serialize)]
pub(crate) struct SecretLevels {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) project: Option<SecretLevel>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) target: Option<SecretLevel>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) environment: Option<SecretLevel>,
}

#[derive(Debug, Deserialize, Serialize)]
pub(crate) struct SecretLevel {
    /// Whether `content` is a blob.
    pub(crate) encrypted: bool,
    /// Empty where the level holds nothing.
    #[serde(default, deserialize_with = "lenient::nullable")]
    pub(crate) content: Plain,
    /// The slug of the level.
    pub(crate) source: String,
    /// The id of the level. Only our server sends it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) id: Option<String>,
    /// The version of the key that sealed the blob. Only our server sends it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) key_version: Option<String>,
}

#[derive(Debug, Deserialize, Serialize)]
pub(crate) struct SecretsMeta {
    pub(crate) api_path: String,
    /// `hierarchical`.
    pub(crate) format: String,
    pub(crate) merged: Word<Merge>,
    #[serde(default, with = "seconds")]
    pub(crate) timestamp: Option<Timestamp>,
    pub(crate) action: Word<RetrieveAction>,
    pub(crate) hierarchy: Hierarchy,
}

/// Whether levels are merged.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
pub(crate) enum Merge {
    /// Each level stands alone.
    #[default]
    #[serde(rename = "false")]
    No,
    /// There is only what they amount to.
    #[serde(rename = "true")]
    Yes,
    #[serde(rename = "both")]
    Both,
}

/// What is retrieved.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
pub(crate) enum RetrieveAction {
    /// Levels as they are stored.
    #[default]
    #[serde(rename = "read")]
    Read,
    /// Plaintext.
    #[serde(rename = "decrypt")]
    Decrypt,
    /// The active key.
    #[serde(rename = "key:retrieve")]
    RetrieveKey,
}

/// The slugs of a path.
#[derive(Debug, Deserialize, Serialize)]
pub(crate) struct Hierarchy {
    pub(crate) project: String,
    pub(crate) target: Option<String>,
    pub(crate) environment: Option<String>,
}

/// What the levels of a path amount to.
#[derive(Debug, Deserialize, Serialize)]
pub(crate) struct Merged {
    #[serde(rename = "type")]
    pub(crate) kind: Word<ResourceKind>,
    #[serde(default, deserialize_with = "lenient::object")]
    pub(crate) secrets: BTreeMap<String, Plain>,
}

/// What was written to a level.
#[derive(Debug, Deserialize, Serialize)]
pub(crate) struct Stored {
    #[serde(rename = "type")]
    pub(crate) kind: Word<ResourceKind>,
    pub(crate) level: Word<Level>,
    pub(crate) source: String,
    /// The length of the text of the content.
    pub(crate) bytes: usize,
}

/// A version that was restored.
#[derive(Debug, Deserialize, Serialize)]
pub(crate) struct Restoration {
    #[serde(rename = "type")]
    pub(crate) kind: Word<ResourceKind>,
    #[serde(deserialize_with = "lenient::text")]
    pub(crate) secret_id: String,
    #[serde(deserialize_with = "lenient::text")]
    pub(crate) restored_from: String,
}
