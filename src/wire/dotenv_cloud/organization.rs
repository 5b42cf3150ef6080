use serde::Serialize;

use super::super::Seconds;

/// Attributes of an organization; its type is `organizations`.
#[derive(Debug, Serialize)]
pub(crate) struct Organization {
    /// The same as its id: clients look at either.
    pub(crate) ulid: String,
    pub(crate) name: String,
    pub(crate) slug: String,
    /// `active`, `suspended`, `locked` or `cancelled`.
    pub(crate) status: &'static str,
    pub(crate) plan_name: &'static str,
    pub(crate) created_at: Seconds,
    pub(crate) updated_at: Seconds,
}
