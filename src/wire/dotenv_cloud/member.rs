use serde::Serialize;

use super::super::{Plain, Seconds};

/// Attributes of a member; its type is `members`.
#[derive(Debug, Serialize)]
pub(crate) struct Member {
    pub(crate) name: String,
    pub(crate) email: String,
    /// Such as `owner`.
    pub(crate) role: &'static str,
    /// `active`.
    pub(crate) status: &'static str,
    pub(crate) created_at: Seconds,
    pub(crate) updated_at: Seconds,
}

/// The same of somebody who was invited.
#[derive(Debug, Serialize)]
pub(crate) struct Invitation {
    pub(crate) email: String,
    pub(crate) role: &'static str,
    /// `invited`.
    pub(crate) status: &'static str,
    /// What the invitation is accepted with. The service sends it to the person itself; here whoever invites does.
    pub(crate) code: Plain,
    pub(crate) created_at: Seconds,
}
