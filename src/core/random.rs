use std::fmt::Debug;

use crate::Result;

/// Where random bytes come from.
///
/// The real one is [`SystemRandom`](crate::SystemRandom); a test hands in its own, so that a blob has the bytes a
/// vector says. Anything but a test must use a cryptographically secure source: a repeated initialization vector
/// breaks AES-GCM for all blobs under that key.
pub trait Random: Debug + Send + Sync {
    /// Fills all of `bytes`.
    ///
    /// # Errors
    /// `Io`, when the source fails; nothing may then be sealed.
    fn fill(&self, bytes: &mut [u8]) -> Result<()>;
}
