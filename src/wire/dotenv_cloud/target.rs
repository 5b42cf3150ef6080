use serde::{Deserialize, Serialize};

use crate::core::clock::Timestamp;
use crate::wire::seconds;

/// The attributes of a target.
#[derive(Debug, Deserialize, Serialize)]
pub(crate) struct Target {
    pub(crate) project_id: String,
    pub(crate) name: String,
    pub(crate) slug: String,
    pub(crate) description: Option<String>,
    pub(crate) environment_count: usize,
    /// The number of levels that hold secrets: its own, and those of its environments.
    pub(crate) secret_count: usize,
    #[serde(default, with = "seconds")]
    pub(crate) created_at: Option<Timestamp>,
    #[serde(default, with = "seconds")]
    pub(crate) updated_at: Option<Timestamp>,
}
