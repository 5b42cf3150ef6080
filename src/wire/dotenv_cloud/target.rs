use serde::Serialize;

use super::super::Seconds;

/// Attributes of a target; its type is `targets`.
#[derive(Debug, Serialize)]
pub(crate) struct Target {
    pub(crate) project_id: String,
    pub(crate) name: String,
    pub(crate) slug: String,
    pub(crate) description: Option<String>,
    pub(crate) environment_count: usize,
    /// How many levels hold something: its own, and those of its environments.
    pub(crate) secret_count: usize,
    pub(crate) created_at: Seconds,
    pub(crate) updated_at: Seconds,
}
