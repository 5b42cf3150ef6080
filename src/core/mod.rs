//! The pure core: names, documents, inheritance, blobs and keys.
//!
//! Nothing here touches a file, a socket, the process environment, a clock, a thread or a random source of its own;
//! what it needs of those comes in through the traits `Clock` and `Random`. So every rule can be tested by value.
#![deny(clippy::disallowed_methods, clippy::disallowed_types)]

pub(crate) mod aes_key;
#[cfg(feature = "vault")]
pub(crate) mod audit;
pub(crate) mod blob;
pub(crate) mod cipher;
#[cfg(feature = "vault")]
pub(crate) mod clock;
#[cfg(feature = "vault")]
pub(crate) mod custody;
#[cfg(any(feature = "http", feature = "vault"))]
pub(crate) mod delivery_error;
pub(crate) mod document;
pub(crate) mod dotenv;
pub(crate) mod dotenv_cloud;
#[cfg(feature = "vault")]
pub(crate) mod environment_name;
#[cfg(feature = "vault")]
pub(crate) mod id;
#[cfg(any(feature = "http", feature = "vault"))]
pub(crate) mod ip_range;
pub(crate) mod key;
pub(crate) mod key_ring;
pub(crate) mod limits;
#[cfg(any(feature = "sealed", feature = "vault"))]
pub(crate) mod mac;
pub(crate) mod merge;
#[cfg(feature = "vault")]
pub(crate) mod metadata;
pub(crate) mod name;
#[cfg(any(feature = "sealed", feature = "vault"))]
pub(crate) mod opening;
#[cfg(feature = "vault")]
pub(crate) mod organization_status;
pub(crate) mod path;
#[cfg(feature = "vault")]
pub(crate) mod permission;
pub(crate) mod random;
#[cfg(feature = "vault")]
pub(crate) mod refusal;
#[cfg(feature = "vault")]
pub(crate) mod role;
pub(crate) mod secret;
#[cfg(feature = "vault")]
pub(crate) mod secret_format;
pub(crate) mod secret_text;
pub(crate) mod serde_text;
pub(crate) mod source;
#[cfg(feature = "vault")]
pub(crate) mod token;
#[cfg(feature = "vault")]
pub(crate) mod version_action;
#[cfg(feature = "vault")]
pub(crate) mod webhook;
pub(crate) mod words;
#[cfg(feature = "vault")]
pub(crate) mod wrap;
