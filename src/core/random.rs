use std::fmt::Debug;

use crate::error::Result;

/// Where random bytes come from.
///
/// The real one is [`SystemRandom`](crate::SystemRandom); a test hands in its own, so that a blob has the bytes a
/// vector says. Anything but a test must use a cryptographically secure source: a repeated initialization vector
/// breaks AES-GCM for all blobs under that key.
///
/// ```
/// use ioenv::{Aes256Gcm, Cipher, LevelKey, Random, Result};
///
/// /// Draws the bytes of a test vector.
/// #[derive(Debug)]
/// struct Fixed;
///
/// impl Random for Fixed {
///     fn fill(&self, bytes: &mut [u8]) -> Result<()> {
///         bytes.fill(7);
///         Ok(())
///     }
/// }
///
/// # fn main() -> Result<()> {
/// let blob = Aes256Gcm.seal(&LevelKey::from_bytes(&[0; 32]), b"", &Fixed)?;
/// assert_eq!(blob.as_bytes()[..12], [7; 12]);
/// # Ok(())
/// # }
/// ```
pub trait Random: Debug + Send + Sync {
    /// Fills all of `bytes`.
    ///
    /// # Errors
    /// `Io`, when the source fails; nothing may then be sealed.
    fn fill(&self, bytes: &mut [u8]) -> Result<()>;
}
