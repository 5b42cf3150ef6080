//! The keys that blobs are sealed with: who holds them, what proves them, how they change.

mod establish;

pub use self::establish::NewKey;
