#![expect(clippy::option_option, reason = "`null` clears a member, and an absent one stays or was not asked for")]

use serde::{Deserialize, Serialize};

use super::secret::NewSecret;
use crate::core::clock::Timestamp;
use crate::core::role::EnvironmentRole;
use crate::wire::lenient;
use crate::wire::word::Word;

#[derive(Debug, Deserialize, Serialize)]
pub(crate) struct Environment {
    pub(crate) id: String,
    pub(crate) created_at: Timestamp,
    pub(crate) updated_at: Timestamp,
    pub(crate) name: String,
    pub(crate) is_production: bool,
    pub(crate) description: Option<String>,
    pub(crate) secret_count: usize,
    /// The role of the user of a personal key; absent for other keys.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) user_role: Option<Word<EnvironmentRole>>,
}

/// The environment of the key that was sent.
#[derive(Debug, Deserialize, Serialize)]
pub(crate) struct KeyEnvironment {
    #[serde(flatten)]
    pub(crate) environment: Environment,
    pub(crate) project: NamedProject,
}

#[derive(Debug, Deserialize, Serialize)]
pub(crate) struct NamedProject {
    pub(crate) id: String,
    pub(crate) name: String,
}

/// A request to create an environment.
#[derive(Debug, Deserialize, Serialize)]
pub(crate) struct NewEnvironment {
    pub(crate) name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) description: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) is_production: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) secrets: Option<Vec<NewSecret>>,
}

/// A request to change an environment.
#[derive(Debug, Deserialize, Serialize)]
pub(crate) struct EnvironmentUpdate {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) is_production: Option<bool>,
    #[serde(default, deserialize_with = "lenient::present", skip_serializing_if = "Option::is_none")]
    pub(crate) description: Option<Option<String>>,
}
