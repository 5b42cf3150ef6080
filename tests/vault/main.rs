//! The engine does what it promises, on every store.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

#[cfg(all(feature = "postgres", unix))]
#[path = "../postgres/mod.rs"]
mod postgres;
#[macro_use]
mod stage;

mod audit;
mod authorization;
mod clock;
#[cfg(feature = "http")]
mod deliveries;
mod documents;
mod hierarchy;
mod inheritance;
mod refusals;
mod tokens;
mod versions;
mod webhooks;
