use serde::{Deserialize, Serialize};

use crate::core::clock::Timestamp;
use crate::wire::seconds;

/// The attributes of an environment.
#[derive(Debug, Deserialize, Serialize)]
pub(crate) struct Environment {
    pub(crate) project_id: String,
    pub(crate) target_id: String,
    pub(crate) name: String,
    pub(crate) slug: String,
    pub(crate) description: Option<String>,
    /// `production`, `staging`, `development`, `local` or a word of the user's own.
    pub(crate) status: String,
    pub(crate) is_production: bool,
    #[serde(default, with = "seconds")]
    pub(crate) created_at: Option<Timestamp>,
    #[serde(default, with = "seconds")]
    pub(crate) updated_at: Option<Timestamp>,
}
