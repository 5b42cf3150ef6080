use serde::Serialize;

use super::super::Seconds;

/// Attributes of a project; its type is `projects`.
#[derive(Debug, Serialize)]
pub(crate) struct Project {
    pub(crate) ulid: String,
    pub(crate) organization_id: String,
    pub(crate) name: String,
    pub(crate) slug: String,
    pub(crate) description: Option<String>,
    /// Such as `env`.
    pub(crate) secret_format: &'static str,
    /// `client` or `server`.
    pub(crate) encryption_type: &'static str,
    pub(crate) has_secrets: bool,
    /// How many levels hold something.
    pub(crate) secret_count: usize,
    pub(crate) environment_count: usize,
    pub(crate) target_count: usize,
    pub(crate) created_at: Seconds,
    pub(crate) updated_at: Seconds,
}
