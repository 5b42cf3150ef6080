use serde::{Deserialize, Serialize};

/// The operation on a level that displaced a version.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum VersionAction {
    /// It was written again.
    Update,
    /// It was deleted.
    Delete,
    /// A version was restored in its place.
    Restore,
    /// The same content was sealed under another key.
    Rotate,
}
