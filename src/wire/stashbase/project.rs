#![expect(clippy::option_option, reason = "`null` clears a member, and an absent one stays")]

use serde::{Deserialize, Serialize};

use crate::core::clock::Timestamp;
use crate::wire::lenient;
use crate::wire::word::Word;

#[derive(Debug, Deserialize, Serialize)]
pub(crate) struct Project {
    pub(crate) id: String,
    pub(crate) created_at: Timestamp,
    pub(crate) updated_at: Timestamp,
    pub(crate) name: String,
    pub(crate) description: Option<String>,
    pub(crate) environment_count: usize,
    /// How much of the project the user of a personal key can reach; absent for other keys.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) access_level: Option<Word<AccessLevel>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum AccessLevel {
    /// All of the project.
    Full,
    /// The environments that were granted.
    Granted,
}

/// A request to create a project.
#[derive(Debug, Deserialize, Serialize)]
pub(crate) struct NewProject {
    pub(crate) name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) description: Option<String>,
}

/// A request to change a project.
#[derive(Debug, Deserialize, Serialize)]
pub(crate) struct ProjectUpdate {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) name: Option<String>,
    #[serde(default, deserialize_with = "lenient::present", skip_serializing_if = "Option::is_none")]
    pub(crate) description: Option<Option<String>>,
}
