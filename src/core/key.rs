use std::fmt::{self, Debug};
use std::str::FromStr;

use hmac::Hmac;
use sha2::Sha256;
use zeroize::Zeroizing;

use super::aes_key::{AesKey, KEY_BYTES, KeyText};
use super::random::Random;
use super::secret::SecretString;
use crate::error::{Error, ErrorKind, Result};

/// The 32 bytes a blob is sealed with.
///
/// Its text is `ioenv_key_` and 48 characters of unpadded base64url (RFC 4648, section 5), which hold the key and the
/// first four bytes of `SHA-256("ioenv:key:v1" ‖ key)`. So a secret scanner finds it by
/// `ioenv_key_[A-Za-z0-9_-]{48}`, and a typo is told from a wrong key.
///
/// ```
/// # fn main() -> Result<(), ioenv::Error> {
/// use ioenv::{LevelKey, SystemRandom};
///
/// let key = LevelKey::generate(&SystemRandom)?;
/// let text = key.to_text();
/// assert!(text.expose_secret().starts_with("ioenv_key_"));
/// LevelKey::parse(text.expose_secret())?;
/// # Ok(())
/// # }
/// ```
///
/// ```compile_fail
/// println!("{}", ioenv::LevelKey::from_bytes(&[0; 32]));
/// ```
///
/// ```compile_fail
/// assert!(ioenv::LevelKey::from_bytes(&[0; 32]) == ioenv::LevelKey::from_bytes(&[0; 32]));
/// ```
#[derive(Clone)]
pub struct LevelKey(AesKey);

impl LevelKey {
    /// What the text of every level key starts with.
    pub const PREFIX: &str = "ioenv_key_";
    const TEXT: KeyText = KeyText { name: "level key", prefix: Self::PREFIX, label: "ioenv:key:v1" };

    /// Draws a new key.
    ///
    /// # Errors
    /// `Io`, when `random` fails.
    pub fn generate(random: &dyn Random) -> Result<Self> {
        AesKey::generate(random).map(Self)
    }

    /// Takes key bytes that come from elsewhere, such as a key management service.
    pub fn from_bytes(bytes: &[u8; KEY_BYTES]) -> Self {
        Self(AesKey::from_bytes(bytes))
    }

    /// Reads a key's text; white space around it is ignored.
    ///
    /// # Errors
    /// `InvalidValue`, which says whether the prefix, the length or the checksum is wrong.
    pub fn parse(text: &str) -> Result<Self> {
        AesKey::parse(&Self::TEXT, text).map(Self)
    }

    /// The key as text, to be kept where no stranger reads.
    pub fn to_text(&self) -> SecretString {
        self.0.to_text(&Self::TEXT)
    }

    #[cfg(feature = "vault")]
    pub(crate) fn from_aes_key(key: AesKey) -> Self {
        Self(key)
    }

    pub(crate) fn as_aes_key(&self) -> &AesKey {
        &self.0
    }

    #[cfg(any(feature = "vault", test))]
    pub(crate) fn expose_bytes(&self) -> &[u8; KEY_BYTES] {
        self.0.expose_bytes()
    }
}

impl FromStr for LevelKey {
    type Err = Error;

    /// Reads it, as [`parse`](LevelKey::parse) does.
    fn from_str(text: &str) -> Result<Self> {
        Self::parse(text)
    }
}

impl Debug for LevelKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("LevelKey([REDACTED])")
    }
}

/// The text a passphrase or a dotenv.cloud key consists of; a [`KeyDerivation`] makes a [`LevelKey`] of it.
///
/// Its UTF-8 bytes count as they are: they are never decoded as hexadecimal or base64 and never normalized.
#[derive(Clone)]
pub struct KeyString(SecretString);

impl KeyString {
    /// Takes what a person gave, without the Unicode white space around it.
    ///
    /// # Errors
    /// `InvalidValue`, when nothing is left.
    ///
    /// ```
    /// # fn main() -> Result<(), ioenv::Error> {
    /// let key = ioenv::KeyString::new("tide-pool-ledger-41\n")?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn new(text: &str) -> Result<Self> {
        Self::verbatim(text.trim())
    }

    /// Takes what a server gave, to the byte.
    ///
    /// # Errors
    /// `InvalidValue`, when it is empty: an empty key would pad to a public constant.
    pub fn verbatim(text: &str) -> Result<Self> {
        if text.is_empty() {
            return Err(Error::new(ErrorKind::InvalidValue, "the key is empty"));
        }
        Ok(Self(text.into()))
    }

    /// Draws a new one: 64 lower-case hexadecimal characters, of 32 random bytes. It is not of the one length, 32
    /// characters, at which a key is given away by its own proof.
    ///
    /// # Errors
    /// `Io`, when `random` fails.
    #[cfg(feature = "vault")]
    pub fn generate(random: &dyn Random) -> Result<Self> {
        let key = LevelKey::generate(random)?;
        Ok(Self(base16ct::lower::encode_string(key.expose_bytes()).into()))
    }

    /// The key string itself, to be kept where no stranger reads.
    #[cfg(feature = "vault")]
    pub fn to_text(&self) -> SecretString {
        self.0.clone()
    }

    /// The first 32 bytes, filled up with `0` (byte 0x30).
    pub(super) fn padded(&self) -> Zeroizing<[u8; KEY_BYTES]> {
        let text = self.expose_bytes();
        let taken = text.len().min(KEY_BYTES);
        let mut padded = Zeroizing::new([b'0'; KEY_BYTES]);
        padded[..taken].copy_from_slice(&text[..taken]);
        padded
    }

    pub(super) fn expose_bytes(&self) -> &[u8] {
        self.0.expose_secret().as_bytes()
    }
}

impl FromStr for KeyString {
    type Err = Error;

    /// Reads it, as [`new`](KeyString::new) does.
    fn from_str(text: &str) -> Result<Self> {
        Self::new(text)
    }
}

impl Debug for KeyString {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("KeyString([REDACTED])")
    }
}

/// How a [`KeyString`] becomes a [`LevelKey`].
pub trait KeyDerivation: Debug + Send + Sync {
    /// Derives the key. This may take long on purpose; keep what it returns.
    ///
    /// # Errors
    /// None of ours; a derivation of one's own may need what is not there, such as a key management service.
    fn derive(&self, key: &KeyString) -> Result<LevelKey>;
}

/// PBKDF2-HMAC-SHA256 (RFC 8018) over the whole key string, 32 bytes long.
///
/// ```
/// # fn main() -> Result<(), ioenv::Error> {
/// use ioenv::{KeyDerivation, KeyString, Pbkdf2};
///
/// let derivation = Pbkdf2::new(b"sixteen byte salt", 1_000)?;
/// let key = derivation.derive(&KeyString::new("tide-pool-ledger-41")?)?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pbkdf2 {
    salt: Vec<u8>,
    iterations: u32,
}

impl Pbkdf2 {
    /// Iterations of a new key: 55 to 75 ms of one core in a release build.
    pub const DEFAULT_ITERATIONS: u32 = 600_000;
    /// Most iterations that are accepted: about a second in a release build.
    pub const MAX_ITERATIONS: u32 = 10_000_000;
    /// Bytes of a new salt.
    pub const SALT_BYTES: usize = 16;

    /// Takes the decoded salt and the number of iterations; 0 or less means 600,000, as dotenv.cloud has it.
    ///
    /// # Errors
    /// `Limit`, beyond 10,000,000 iterations: the number comes from a file or a server, and must not cost hours.
    pub fn new(salt: &[u8], iterations: i64) -> Result<Self> {
        let iterations = if iterations <= 0 { i64::from(Self::DEFAULT_ITERATIONS) } else { iterations };
        match u32::try_from(iterations) {
            Ok(iterations) if iterations <= Self::MAX_ITERATIONS => Ok(Self { salt: salt.to_vec(), iterations }),
            _ => Err(Error::new(
                ErrorKind::Limit,
                format!("a key asks for {iterations} iterations; at most {} are accepted", Self::MAX_ITERATIONS),
            )),
        }
    }

    /// Draws a new salt, for 600,000 iterations.
    ///
    /// # Errors
    /// `Io`, when `random` fails.
    pub fn generate(random: &dyn Random) -> Result<Self> {
        let mut salt = vec![0; Self::SALT_BYTES];
        random.fill(&mut salt)?;
        Ok(Self { salt, iterations: Self::DEFAULT_ITERATIONS })
    }

    /// The salt, decoded.
    pub fn salt(&self) -> &[u8] {
        &self.salt
    }

    /// The number of iterations.
    pub fn iterations(&self) -> u32 {
        self.iterations
    }

    pub(super) fn stretch(&self, password: &[u8]) -> Zeroizing<[u8; KEY_BYTES]> {
        let mut derived = Zeroizing::new([0; KEY_BYTES]);
        pbkdf2::pbkdf2::<Hmac<Sha256>>(password, &self.salt, self.iterations, derived.as_mut_slice())
            .expect("invariant: HMAC takes a key of any length");
        derived
    }
}

impl KeyDerivation for Pbkdf2 {
    fn derive(&self, key: &KeyString) -> Result<LevelKey> {
        Ok(LevelKey::from_bytes(&self.stretch(key.expose_bytes())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: [u8; 32] = [7; 32];

    #[test]
    fn text_goes_there_and_back() {
        let key = LevelKey::from_bytes(&KEY);
        let text = key.to_text();
        assert_eq!(text.expose_secret().len(), 58);
        assert_eq!(LevelKey::parse(&format!(" {}\n", text.expose_secret())).unwrap().expose_bytes(), &KEY);
    }

    #[test]
    fn every_typo_is_named_as_one() {
        let text = LevelKey::from_bytes(&KEY).to_text();
        let text = text.expose_secret();
        for at in LevelKey::PREFIX.len()..text.len() {
            let other = if text.as_bytes()[at] == b'A' { "B" } else { "A" };
            let typo = format!("{}{other}{}", &text[..at], &text[at + 1..]);
            let error = LevelKey::parse(&typo).unwrap_err();
            assert!(error.to_string().contains("typo"), "{at}: {error}");
        }
        for bad in ["", "ioenv_key_", &text[..57], &format!("{text}A"), &text[1..]] {
            assert_eq!(LevelKey::parse(bad).unwrap_err().kind(), ErrorKind::InvalidValue);
        }
    }

    #[test]
    fn iterations_are_bounded() {
        assert_eq!(Pbkdf2::new(b"salt", 4_000_000_000).unwrap_err().kind(), ErrorKind::Limit);
        assert_eq!(Pbkdf2::new(b"salt", 10_000_001).unwrap_err().kind(), ErrorKind::Limit);
        assert_eq!(Pbkdf2::new(b"salt", 10_000_000).unwrap().iterations(), 10_000_000);
        assert_eq!(Pbkdf2::new(b"salt", -1).unwrap().iterations(), 600_000);
    }

    #[test]
    fn a_key_string_is_trimmed_once_and_never_empty() {
        assert_eq!(KeyString::new("\t key \r\n").unwrap().expose_bytes(), b"key");
        assert_eq!(KeyString::verbatim(" key ").unwrap().expose_bytes(), b" key ");
        assert_eq!(KeyString::new(" \n").unwrap_err().kind(), ErrorKind::InvalidValue);
    }
}
