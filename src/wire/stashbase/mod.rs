//! Stashbase: `/v1/…`.

pub(crate) mod change;
pub(crate) mod environment;
pub(crate) mod error;
pub(crate) mod identity;
pub(crate) mod page;
pub(crate) mod project;
pub(crate) mod secret;
pub(crate) mod webhook;
