use super::serde_text::serde_text;
use super::words::words;

words! {
    /// The operation on a level that displaced a version.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    #[non_exhaustive]
    pub enum VersionAction: "the action of a version" {
        /// It was written again.
        Update = "update",
        /// It was deleted.
        Delete = "delete",
        /// A version was restored in its place.
        Restore = "restore",
        /// The same content was sealed under another key.
        Rotate = "rotate",
    }
}

serde_text!(VersionAction, "the action of a version");
