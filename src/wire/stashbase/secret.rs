use serde::{Deserialize, Serialize};

use super::super::Plain;
use super::{IncludedEnvironment, present};

/// A secret. What was not asked for is absent, where a comment that is not there is `null`.
#[derive(Serialize)]
pub(crate) struct Secret {
    pub(crate) name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) value: Option<Plain>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) comment: Option<Option<String>>,
}

/// Secrets together with where they are from.
#[derive(Serialize)]
pub(crate) struct Loaded {
    pub(crate) environment: IncludedEnvironment,
    pub(crate) secrets: Vec<Secret>,
}

#[derive(Serialize)]
pub(crate) struct Metadata {
    pub(crate) name: String,
    pub(crate) comment: Option<String>,
    pub(crate) version: u32,
    pub(crate) has_value: bool,
    pub(crate) created_at: String,
    pub(crate) updated_at: String,
    pub(crate) last_accessed_at: Option<String>,
}

#[derive(Serialize)]
pub(crate) struct MetadataList {
    pub(crate) secrets: Vec<Metadata>,
}

/// A secret that is to be made or set.
#[derive(Deserialize)]
pub(crate) struct NewSecret {
    pub(crate) name: String,
    pub(crate) value: Plain,
    #[serde(default, deserialize_with = "present")]
    pub(crate) comment: Option<Option<String>>,
}

/// What is to change about a secret.
#[derive(Deserialize)]
pub(crate) struct SecretUpdate {
    pub(crate) name: String,
    #[serde(default)]
    pub(crate) new_name: Option<String>,
    #[serde(default)]
    pub(crate) value: Option<Plain>,
    #[serde(default, deserialize_with = "present")]
    pub(crate) comment: Option<Option<String>>,
}

#[derive(Serialize)]
pub(crate) struct Created {
    pub(crate) created_count: usize,
    pub(crate) existing_secrets: Vec<String>,
}

#[derive(Serialize)]
pub(crate) struct Set {
    pub(crate) created_count: usize,
    pub(crate) updated_count: usize,
}

#[derive(Serialize)]
pub(crate) struct Updates {
    pub(crate) updated_count: usize,
    pub(crate) not_found_secrets: Vec<String>,
}

#[derive(Serialize)]
pub(crate) struct Deletions {
    pub(crate) deleted_count: usize,
    pub(crate) not_found_secrets: Vec<String>,
}

#[derive(Serialize)]
pub(crate) struct DeletedAll {
    pub(crate) deleted_count: usize,
}

/// Environments in which a name has one value.
#[derive(Serialize)]
pub(crate) struct FoundByName {
    pub(crate) secret_value: Option<Plain>,
    pub(crate) environments: Vec<FoundIn>,
}

/// Environments in which a value has one name.
#[derive(Serialize)]
pub(crate) struct FoundByValue {
    pub(crate) secret_name: String,
    pub(crate) environments: Vec<FoundIn>,
}

#[derive(Serialize)]
pub(crate) struct FoundIn {
    pub(crate) id: String,
    pub(crate) name: String,
}

/// A name in two environments.
#[derive(Serialize)]
pub(crate) struct Compared {
    pub(crate) name: String,
    pub(crate) values: [Option<Plain>; 2],
}
