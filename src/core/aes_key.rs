use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64URL;
use ctutils::CtEq as _;
use secrecy::{ExposeSecret as _, ExposeSecretMut as _, SecretBox};
use sha2::{Digest as _, Sha256};
use zeroize::{Zeroize as _, Zeroizing};

use super::random::Random;
use super::secret::SecretString;
use crate::error::{Error, ErrorKind, Result};

/// Bytes of a key of AES-256.
pub(crate) const KEY_BYTES: usize = 32;
/// Bytes of the checksum behind a key's text.
const CHECKSUM_BYTES: usize = 4;

/// The text form of one kind of key: its prefix, then base64url of the key and of its checksum under a label.
pub(super) struct KeyText {
    pub(super) name: &'static str,
    pub(super) prefix: &'static str,
    pub(super) label: &'static str,
}

/// A key of AES-256-GCM, whatever it seals: a level key, the root key, a key encryption key or a data encryption key.
///
/// It has no `Debug`, so that nothing that holds one derives it.
pub(crate) struct AesKey(SecretBox<[u8; KEY_BYTES]>);

impl AesKey {
    /// Draws a new key.
    ///
    /// # Errors
    /// `Io`, when `random` fails.
    pub(crate) fn generate(random: &dyn Random) -> Result<Self> {
        let mut key = SecretBox::new(Box::new([0; KEY_BYTES]));
        random.fill(key.expose_secret_mut())?;
        Ok(Self(key))
    }

    pub(crate) fn from_bytes(bytes: &[u8; KEY_BYTES]) -> Self {
        Self(SecretBox::init_with_mut(|key: &mut [u8; KEY_BYTES]| key.copy_from_slice(bytes)))
    }

    pub(crate) fn expose_bytes(&self) -> &[u8; KEY_BYTES] {
        self.0.expose_secret()
    }

    /// Reads the text of a kind of key; white space around it is ignored.
    ///
    /// # Errors
    /// `InvalidValue`, which says whether the prefix, the length or the checksum is wrong.
    pub(super) fn parse(kind: &KeyText, text: &str) -> Result<Self> {
        let KeyText { name, prefix, .. } = kind;
        let invalid = |what: &str| Error::new(ErrorKind::InvalidValue, format!("this is not a {name}: {what}"));
        let Some(text) = text.trim().strip_prefix(prefix) else {
            return Err(invalid(&format!("it does not start with `{prefix}`")));
        };
        let mut bytes = Zeroizing::new([0; KEY_BYTES + CHECKSUM_BYTES]);
        match BASE64URL.decode_slice(text, bytes.as_mut_slice()) {
            Ok(length) if length == bytes.len() => {}
            Ok(_) => return Err(invalid("it is too short: it was cut off")),
            Err(_) => {
                return Err(invalid(&format!("`{prefix}` must be followed by exactly 48 characters of base64url")));
            }
        }
        let (key, checksum) = bytes.split_at(KEY_BYTES);
        let key = Self(SecretBox::init_with_mut(|secret: &mut [u8; KEY_BYTES]| secret.copy_from_slice(key)));
        if key.checksum(kind).as_slice().ct_ne(checksum).to_bool() {
            return Err(invalid("its checksum does not match: there is a typo in it"));
        }
        Ok(key)
    }

    pub(super) fn to_text(&self, kind: &KeyText) -> SecretString {
        let mut bytes = Zeroizing::new([0; KEY_BYTES + CHECKSUM_BYTES]);
        bytes[..KEY_BYTES].copy_from_slice(self.expose_bytes());
        bytes[KEY_BYTES..].copy_from_slice(&self.checksum(kind));
        let mut text = String::with_capacity(kind.prefix.len() + 48);
        text.push_str(kind.prefix);
        BASE64URL.encode_string(bytes.as_slice(), &mut text);
        text.into()
    }

    fn checksum(&self, kind: &KeyText) -> [u8; CHECKSUM_BYTES] {
        let mut hash = Sha256::new_with_prefix(kind.label).chain_update(self.expose_bytes()).finalize();
        let checksum = [hash[0], hash[1], hash[2], hash[3]];
        hash.as_mut_slice().zeroize();
        checksum
    }

    /// Derives a key for one purpose: HKDF-SHA256 (RFC 5869) without a salt, with `label` as its info, 32 bytes.
    #[cfg(any(feature = "sealed", feature = "vault"))]
    pub(crate) fn derive(&self, label: &[u8]) -> Zeroizing<[u8; KEY_BYTES]> {
        let mut derived = Zeroizing::new([0; KEY_BYTES]);
        hkdf::Hkdf::<Sha256>::new(None, self.expose_bytes())
            .expand(label, derived.as_mut_slice())
            .expect("invariant: 32 bytes are below HKDF-SHA256's limit of 8,160");
        derived
    }
}

impl Clone for AesKey {
    fn clone(&self) -> Self {
        Self::from_bytes(self.expose_bytes())
    }
}
