//! What only dotenv.cloud does with keys: its proof that a client holds a key, and its old derivation.
//!
//! A vault uses the same proofs for every project whose key only its clients hold.

pub use crate::core::dotenv_cloud::{KeyProof, Padded};
