//! A vault over HTTP, asked by a client over a real socket.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

#[cfg(all(feature = "postgres", unix))]
#[path = "../../postgres/mod.rs"]
mod postgres;
#[macro_use]
mod stage;

mod addresses;
mod callers;
mod credentials;
mod crossed;
mod crowds;
mod docs;
mod dotenv_cloud;
mod failures;
mod ioenv;
mod quotas;
mod renamed;
#[cfg(all(feature = "postgres", unix))]
mod round_trips;
mod stashbase;
mod transport;
mod waiting;
mod watched;
