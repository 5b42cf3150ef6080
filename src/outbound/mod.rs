//! Requests that a vault sends to other services: webhooks, and whatever else goes to an address that somebody chose.
//!
//! [`OutboundPolicy`] says where they may go. [`Client`](client::Client) sends them: https alone, to no address inside
//! of the operator's networks, within a time and a size. The host's name is looked up once, and the addresses that were
//! checked are the ones that are connected to. An answer that redirects is an answer: it is followed nowhere.

mod address;
#[cfg(feature = "http")]
pub(crate) mod client;
mod policy;

pub use self::policy::{Lookup, OutboundPolicy};
