#![expect(clippy::option_option, reason = "`null` is no comment, and an absent one stays or was not asked for")]

use serde::{Deserialize, Serialize};

use crate::core::clock::Timestamp;
use crate::wire::lenient;
use crate::wire::plain::Plain;

/// The properties of an environment that a request for secrets asked for. The others are absent.
#[derive(Debug, Default, Deserialize, Serialize)]
pub(crate) struct IncludedEnvironment {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) created_at: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) name: Option<String>,
    #[serde(default, deserialize_with = "lenient::present", skip_serializing_if = "Option::is_none")]
    pub(crate) description: Option<Option<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) is_production: Option<bool>,
}

/// A secret. A property that the request omitted is absent.
#[derive(Debug, Deserialize, Serialize)]
pub(crate) struct Secret {
    pub(crate) name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) value: Option<Plain>,
    #[serde(default, deserialize_with = "lenient::present", skip_serializing_if = "Option::is_none")]
    pub(crate) comment: Option<Option<String>>,
}

/// Secrets and the environment that they are from.
#[derive(Debug, Deserialize, Serialize)]
pub(crate) struct Loaded {
    pub(crate) environment: IncludedEnvironment,
    pub(crate) secrets: Vec<Secret>,
}

/// A secret without its value.
#[derive(Debug, Deserialize, Serialize)]
pub(crate) struct Metadata {
    pub(crate) name: String,
    pub(crate) comment: Option<String>,
    pub(crate) version: u32,
    pub(crate) has_value: bool,
    pub(crate) created_at: Timestamp,
    pub(crate) updated_at: Timestamp,
    pub(crate) last_accessed_at: Option<Timestamp>,
}

#[derive(Debug, Deserialize, Serialize)]
pub(crate) struct MetadataList {
    pub(crate) secrets: Vec<Metadata>,
}

/// A secret to create or set.
#[derive(Debug, Deserialize, Serialize)]
pub(crate) struct NewSecret {
    pub(crate) name: String,
    pub(crate) value: Plain,
    #[serde(default, deserialize_with = "lenient::present", skip_serializing_if = "Option::is_none")]
    pub(crate) comment: Option<Option<String>>,
}

/// A secret to rename or change.
#[derive(Debug, Deserialize, Serialize)]
pub(crate) struct SecretUpdate {
    pub(crate) name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) new_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) value: Option<Plain>,
    #[serde(default, deserialize_with = "lenient::present", skip_serializing_if = "Option::is_none")]
    pub(crate) comment: Option<Option<String>>,
}

#[derive(Debug, Deserialize, Serialize)]
pub(crate) struct Created {
    pub(crate) created_count: usize,
    pub(crate) existing_secrets: Vec<String>,
}

#[derive(Debug, Deserialize, Serialize)]
pub(crate) struct Set {
    pub(crate) created_count: usize,
    pub(crate) updated_count: usize,
}

#[derive(Debug, Deserialize, Serialize)]
pub(crate) struct Updates {
    pub(crate) updated_count: usize,
    pub(crate) not_found_secrets: Vec<String>,
}

#[derive(Debug, Deserialize, Serialize)]
pub(crate) struct Deletions {
    pub(crate) deleted_count: usize,
    pub(crate) not_found_secrets: Vec<String>,
}

#[derive(Debug, Deserialize, Serialize)]
pub(crate) struct DeletedAll {
    pub(crate) deleted_count: usize,
}

/// Environments in which a name has the same value.
#[derive(Debug, Deserialize, Serialize)]
pub(crate) struct FoundByName {
    /// `None` where the request did not ask for values.
    pub(crate) secret_value: Option<Plain>,
    pub(crate) environments: Vec<FoundIn>,
}

/// Environments in which a value has the same name.
#[derive(Debug, Deserialize, Serialize)]
pub(crate) struct FoundByValue {
    pub(crate) secret_name: String,
    pub(crate) environments: Vec<FoundIn>,
}

#[derive(Debug, Deserialize, Serialize)]
pub(crate) struct FoundIn {
    pub(crate) id: String,
    pub(crate) name: String,
}

/// The values of a name in two environments.
#[derive(Debug, Deserialize, Serialize)]
pub(crate) struct Compared {
    pub(crate) name: String,
    pub(crate) values: [Option<Plain>; 2],
}
