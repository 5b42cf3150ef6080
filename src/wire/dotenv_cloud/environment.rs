use serde::Serialize;

use super::super::Seconds;

/// Attributes of an environment; its type is `environments`.
#[derive(Debug, Serialize)]
pub(crate) struct Environment {
    pub(crate) project_id: String,
    pub(crate) target_id: String,
    pub(crate) name: String,
    pub(crate) slug: String,
    pub(crate) description: Option<String>,
    /// `production`, `staging`, `development`, `local`, or a word of one's own.
    pub(crate) status: String,
    pub(crate) is_production: bool,
    pub(crate) created_at: Seconds,
    pub(crate) updated_at: Seconds,
}
