use serde::{Deserialize, Serialize};

/// The holder of the key that seals the blobs of a project. Blobs are the same either way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[expect(clippy::exhaustive_enums, reason = "there is no third place for a key")]
pub enum Custody {
    /// The members of the project. The vault stores a proof of the key, and cannot open anything.
    Client,
    /// The vault.
    Server,
}
