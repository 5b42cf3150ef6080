use serde::{Deserialize, Serialize};

use super::present;

#[derive(Serialize)]
pub(crate) struct Project {
    pub(crate) id: String,
    pub(crate) created_at: String,
    pub(crate) updated_at: String,
    pub(crate) name: String,
    pub(crate) description: Option<String>,
    pub(crate) environment_count: usize,
    /// How much of it the user has whose key asks.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) access_level: Option<&'static str>,
}

#[derive(Deserialize)]
pub(crate) struct NewProject {
    pub(crate) name: String,
    #[serde(default)]
    pub(crate) description: Option<String>,
}

#[derive(Deserialize)]
pub(crate) struct ProjectUpdate {
    #[serde(default)]
    pub(crate) name: Option<String>,
    #[serde(default, deserialize_with = "present")]
    pub(crate) description: Option<Option<String>>,
}
