use std::collections::BTreeMap;

use serde::Serialize;

use super::super::{Plain, Seconds};

/// What a level and those above it hold.
#[derive(Debug, Serialize)]
pub(crate) struct Secrets {
    pub(crate) data: SecretsData,
    pub(crate) meta: SecretsMeta,
}

#[derive(Debug, Serialize)]
pub(crate) struct SecretsData {
    pub(crate) r#type: &'static str,
    pub(crate) attributes: SecretsAttributes,
}

#[derive(Debug, Serialize)]
pub(crate) struct SecretsAttributes {
    pub(crate) encrypted: bool,
    /// By which clients read what levels say, such as `env`; `merged`, where there are no levels.
    pub(crate) format: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) levels: Option<SecretLevels>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) secrets: Option<BTreeMap<String, Plain>>,
}

/// All levels of the path.
#[derive(Debug, Serialize)]
pub(crate) struct SecretLevels {
    pub(crate) project: SecretLevel,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) target: Option<SecretLevel>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) environment: Option<SecretLevel>,
}

#[derive(Debug, Serialize)]
pub(crate) struct SecretLevel {
    /// Whether `content` is a blob.
    pub(crate) encrypted: bool,
    /// Nothing, where the level holds nothing.
    pub(crate) content: Plain,
    /// The level's slug.
    pub(crate) source: String,
    /// The level's id, which the service itself does not tell.
    pub(crate) id: String,
    /// Of the key its blob is sealed with; nor this.
    pub(crate) key_version: String,
}

#[derive(Debug, Serialize)]
pub(crate) struct SecretsMeta {
    pub(crate) api_path: String,
    pub(crate) format: &'static str,
    /// `false`, `true` or `both`.
    pub(crate) merged: &'static str,
    pub(crate) timestamp: Seconds,
    pub(crate) action: &'static str,
    pub(crate) hierarchy: Hierarchy,
}

/// The slugs of the path.
#[derive(Debug, Serialize)]
pub(crate) struct Hierarchy {
    pub(crate) project: String,
    pub(crate) target: Option<String>,
    pub(crate) environment: Option<String>,
}

/// What a level amounts to, for whoever asks for nothing else.
#[derive(Debug, Serialize)]
pub(crate) struct Merged {
    pub(crate) r#type: &'static str,
    pub(crate) secrets: BTreeMap<String, Plain>,
}

/// What was written to a level.
#[derive(Debug, Serialize)]
pub(crate) struct Stored {
    pub(crate) r#type: &'static str,
    /// `project`, `target` or `environment`.
    pub(crate) level: &'static str,
    pub(crate) source: String,
    /// Length of the content's text.
    pub(crate) bytes: usize,
}

/// What was put back in its place.
#[derive(Debug, Serialize)]
pub(crate) struct Restoration {
    pub(crate) r#type: &'static str,
    pub(crate) secret_id: String,
    pub(crate) restored_from: String,
}
