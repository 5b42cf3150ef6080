use std::fmt::Debug;

use aes_gcm::aead::AeadInOut as _;
use aes_gcm::{KeyInit as _, Nonce, Tag};
use zeroize::Zeroizing;

use super::aes_key::AesKey;
use super::blob::SealedBlob;
use super::key::LevelKey;
use super::random::Random;
use super::secret::SecretBytes;
use crate::error::{Error, ErrorKind, Result};

/// Seals and opens the blob of a level.
pub trait Cipher: Debug + Send + Sync {
    /// Encrypts `plaintext` under a fresh initialization vector.
    ///
    /// # Errors
    /// `Io`, when `random` fails; `Limit`, when the plaintext is beyond what the cipher can take.
    fn seal(&self, key: &LevelKey, plaintext: &[u8], random: &dyn Random) -> Result<SealedBlob>;

    /// Decrypts `blob`, or says nothing about why not.
    ///
    /// # Errors
    /// `DecryptionFailed`: the key is another one or the blob was changed; which of the two cannot be told.
    fn open(&self, key: &LevelKey, blob: &SealedBlob) -> Result<SecretBytes>;
}

/// AES-256-GCM (NIST SP 800-38D) with a random 96-bit initialization vector, a 128-bit tag and no associated data.
///
/// # Security
/// Initialization vectors are drawn at random for every seal. Keep one key below 2^32 seals.
///
/// ```
/// # fn main() -> Result<(), ioenv::Error> {
/// use ioenv::{Aes256Gcm, Cipher, LevelKey, SystemRandom};
///
/// let key = LevelKey::generate(&SystemRandom)?;
/// let blob = Aes256Gcm.seal(&key, b"PORT=8080\n", &SystemRandom)?;
/// assert_eq!(Aes256Gcm.open(&key, &blob)?.expose_secret(), b"PORT=8080\n");
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct Aes256Gcm;

impl Cipher for Aes256Gcm {
    fn seal(&self, key: &LevelKey, plaintext: &[u8], random: &dyn Random) -> Result<SealedBlob> {
        SealedBlob::from_bytes(seal_bound(key.as_aes_key(), b"", plaintext, random)?)
    }

    fn open(&self, key: &LevelKey, blob: &SealedBlob) -> Result<SecretBytes> {
        open_bound(key.as_aes_key(), b"", blob.parts()).ok_or_else(|| {
            Error::new(
                ErrorKind::DecryptionFailed,
                "decryption failed: the key is not the right one, or the blob was changed",
            )
        })
    }
}

/// `iv ‖ ciphertext ‖ tag`, bound to the associated data.
pub(super) fn seal_bound(key: &AesKey, associated: &[u8], plaintext: &[u8], random: &dyn Random) -> Result<Vec<u8>> {
    let mut iv = [0; SealedBlob::IV_BYTES];
    random.fill(&mut iv)?;

    let mut bytes = Vec::with_capacity(SealedBlob::IV_BYTES + plaintext.len() + SealedBlob::TAG_BYTES);
    bytes.extend_from_slice(&iv);
    bytes.extend_from_slice(plaintext);
    let tag = schedule(key)
        .encrypt_inout_detached(&Nonce::from(iv), associated, (&mut bytes[SealedBlob::IV_BYTES..]).into())
        .map_err(|_| Error::new(ErrorKind::Limit, "the plaintext is too large for one blob"))?;
    bytes.extend_from_slice(&tag);
    Ok(bytes)
}

/// Opens what [`seal_bound`] made, given as its three parts.
pub(super) fn open_bound(
    key: &AesKey,
    associated: &[u8],
    (iv, ciphertext, tag): (&[u8], &[u8], &[u8]),
) -> Option<SecretBytes> {
    let iv = Nonce::try_from(iv).ok()?;
    let tag = Tag::try_from(tag).ok()?;
    let mut bytes = Zeroizing::new(ciphertext.to_vec());
    schedule(key).decrypt_inout_detached(&iv, associated, bytes.as_mut_slice().into(), &tag).ok()?;
    Some(std::mem::take(&mut *bytes).into())
}

fn schedule(key: &AesKey) -> aes_gcm::Aes256Gcm {
    aes_gcm::Aes256Gcm::new(key.expose_bytes().into())
}
