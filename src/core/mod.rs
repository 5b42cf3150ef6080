//! The pure core: names, documents, inheritance, blobs and keys.
//!
//! Nothing here touches a file, a socket, the process environment, a clock, a thread or a random source of its own;
//! what it needs of those comes in through the traits `Clock` and [`Random`]. So every rule can be tested by value.
#![deny(clippy::disallowed_methods, clippy::disallowed_types)]

mod blob;
mod cipher;
#[cfg(feature = "sealed")]
mod clock;
mod document;
mod dotenv;
mod key;
mod key_ring;
mod merge;
mod name;
mod path;
mod random;
mod secret;

pub use blob::SealedBlob;
pub use cipher::{Aes256Gcm, Cipher};
#[cfg(feature = "sealed")]
pub(crate) use clock::Clock;
pub use document::{Changes, Document, Entry, Kind};
pub use dotenv::{Unresolved, expand};
pub use key::{DataKey, KeyDerivation, KeyProof, KeyString, Padded, Pbkdf2};
pub use key_ring::KeyRing;
pub use merge::{Layer, Origin, Resolved, Variable, merge};
pub use name::{Slug, VarName};
pub use path::LevelPath;
pub use random::Random;
pub use secret::{SecretBytes, SecretString};

/// Largest value of a variable, in bytes of UTF-8. Linux holds `NAME=value` to 128 KiB.
pub const MAX_VALUE_BYTES: usize = 64 * 1024;

/// Largest document or sealed file, in bytes.
pub const MAX_FILE_BYTES: usize = 16 * 1024 * 1024;
