//! The engine does what it promises, on every store.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

#[cfg(all(feature = "postgres", unix))]
#[path = "../postgres/mod.rs"]
mod postgres;
#[macro_use]
mod stage;

mod accounts;
mod allow_lists;
mod audit;
mod authorization;
mod clock;
mod documents;
mod hierarchy;
mod identity;
mod inheritance;
mod integrations;
mod personal_keys;
mod refusals;
mod service_accounts;
mod shelf;
mod tokens;
mod versions;
mod webhooks;
