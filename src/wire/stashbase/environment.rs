use serde::{Deserialize, Serialize};

use super::{NewSecret, present};

#[derive(Serialize)]
pub(crate) struct Environment {
    pub(crate) id: String,
    pub(crate) created_at: String,
    pub(crate) updated_at: String,
    pub(crate) name: String,
    pub(crate) is_production: bool,
    pub(crate) description: Option<String>,
    pub(crate) secret_count: usize,
    /// What the user is there whose key asks.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) user_role: Option<&'static str>,
}

/// The environment of the key that asks.
#[derive(Serialize)]
pub(crate) struct KeyEnvironment {
    #[serde(flatten)]
    pub(crate) environment: Environment,
    pub(crate) project: NamedProject,
}

#[derive(Serialize)]
pub(crate) struct NamedProject {
    pub(crate) id: String,
    pub(crate) name: String,
}

/// What was asked for of an environment, beside its secrets. What was not is absent.
#[derive(Default, Serialize)]
pub(crate) struct IncludedEnvironment {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) created_at: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) description: Option<Option<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) is_production: Option<bool>,
}

#[derive(Deserialize)]
pub(crate) struct NewEnvironment {
    pub(crate) name: String,
    #[serde(default)]
    pub(crate) description: Option<String>,
    #[serde(default)]
    pub(crate) is_production: Option<bool>,
    #[serde(default)]
    pub(crate) secrets: Option<Vec<NewSecret>>,
}

#[derive(Deserialize)]
pub(crate) struct EnvironmentUpdate {
    #[serde(default)]
    pub(crate) name: Option<String>,
    #[serde(default)]
    pub(crate) is_production: Option<bool>,
    #[serde(default, deserialize_with = "present")]
    pub(crate) description: Option<Option<String>>,
}
