//! The engine does what it promises, on every store.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

#[path = "../counting/mod.rs"]
mod counting;
#[cfg(all(feature = "postgres", unix))]
#[path = "../postgres/mod.rs"]
mod postgres;
#[macro_use]
mod stage;

mod accounts;
mod allow_lists;
mod audit;
mod authorization;
mod changes;
mod clock;
mod created_by;
#[cfg(feature = "sealed")]
mod declarations;
mod delegation;
mod deletion;
#[cfg(feature = "worker")]
mod deliveries;
mod documents;
mod forged_records;
mod former_keys;
mod given_ids;
mod grants;
mod hierarchy;
mod identity;
mod inheritance;
mod integrations;
mod kinds;
mod literal;
mod lookups;
mod members;
mod one_entry;
mod personal_keys;
mod races;
mod refusals;
mod replays;
mod sealed_records;
mod seams;
mod service_accounts;
mod shelf;
mod teams;
mod tokens;
mod updates;
mod versions;
mod webhooks;
