//! What only dotenv.cloud does with a key.

use std::fmt::{self, Debug};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use ctutils::CtEq as _;
use zeroize::Zeroizing;

use super::aes_key::KEY_BYTES;
use super::key::{KeyDerivation, KeyString, LevelKey, Pbkdf2};
use super::secret::SecretString;
use crate::error::{Error, ErrorKind, Result};

/// dotenv.cloud's old derivation: the first 32 bytes of the key string, filled up with `0`.
///
/// # Security
/// It is no derivation worth the name, and exists so that old blobs can be read. Seal nothing under it.
///
/// ```
/// # fn main() -> Result<(), ioenv::Error> {
/// use ioenv::dotenv_cloud::Padded;
/// use ioenv::{Aes256Gcm, Cipher, KeyDerivation, KeyString, SealedBlob};
///
/// let key = Padded.derive(&KeyString::verbatim("old-server-key")?)?;
/// let blob: SealedBlob = "QVxDT+d1ryYPYATlsN+of8K/4dX+17NYUqtOlYnILvJkqQ==".parse()?;
/// let text = Aes256Gcm.open(&key, &blob)?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct Padded;

impl KeyDerivation for Padded {
    fn derive(&self, key: &KeyString) -> Result<LevelKey> {
        Ok(LevelKey::from_bytes(&key.padded()))
    }
}

/// What shows a dotenv.cloud server that a client holds the key of a project, without giving it the key.
///
/// It is PBKDF2 with the key's own salt and iterations over the first 32 bytes of the key string, filled up with `0`;
/// its text is padded standard base64.
///
/// # Security
/// The proof sees 32 bytes only, so two keys can share a proof; and with salt and iterations it is enough to guess a
/// weak key offline. It is therefore not printed by `Debug`.
///
/// ```
/// # fn main() -> Result<(), ioenv::Error> {
/// use ioenv::dotenv_cloud::KeyProof;
/// use ioenv::{KeyString, Pbkdf2};
///
/// let parameters = Pbkdf2::new(b"sixteen byte salt", 1_000)?;
/// let proof = KeyProof::establish(&KeyString::new("tide-pool-ledger-41")?, &parameters)?;
/// assert!(proof.matches(proof.to_text().expose_secret()));
/// # Ok(())
/// # }
/// ```
pub struct KeyProof(Zeroizing<[u8; KEY_BYTES]>);

impl KeyProof {
    /// The proof of a key that is already in use.
    pub fn new(key: &KeyString, parameters: &Pbkdf2) -> Self {
        Self(parameters.stretch(key.padded().as_slice()))
    }

    /// The proof of a key that is about to be put to use.
    ///
    /// # Errors
    /// `InvalidValue`, for a key string of exactly 32 bytes: its proof would *be* its level key.
    pub fn establish(key: &KeyString, parameters: &Pbkdf2) -> Result<Self> {
        if key.expose_bytes().len() == KEY_BYTES {
            return Err(Error::new(
                ErrorKind::InvalidValue,
                "a key of exactly 32 bytes would be given away by its own proof: choose one of another length",
            ));
        }
        Ok(Self::new(key, parameters))
    }

    /// The proof of a random key, which no derivation stands before: HKDF-SHA256 (RFC 5869) of the key under the label
    /// `ioenv:proof:v1`.
    #[cfg(feature = "vault")]
    pub fn of(key: &LevelKey) -> Self {
        Self(key.as_aes_key().derive(b"ioenv:proof:v1"))
    }

    /// The proof as it is sent.
    pub fn to_text(&self) -> SecretString {
        BASE64.encode(self.0.as_slice()).into()
    }

    /// Compares with a proof's text in constant time, as the service does.
    pub fn matches(&self, text: &str) -> bool {
        self.to_text().expose_secret().as_bytes().ct_eq(text.as_bytes()).to_bool()
    }
}

impl Debug for KeyProof {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("KeyProof([REDACTED])")
    }
}
