use std::fmt;
use std::str::FromStr;

use ctutils::CtEq as _;

#[cfg(feature = "vault")]
use super::dotenv_cloud::KeyProof;
#[cfg(feature = "vault")]
use super::key::Pbkdf2;
use super::key::{KeyDerivation, KeyString, LevelKey};
use crate::error::{Error, ErrorKind, Result};

/// The keys a program holds, in no particular order: which one opens what is found out by trying.
///
/// Its text, in a key file or in `IOENV_KEY`, has one key a line; blank lines and lines that start with `# ` are
/// skipped. A line that starts with `ioenv_key_` is a [`LevelKey`], any other is a [`KeyString`].
///
/// ```
/// # fn main() -> Result<(), ioenv::Error> {
/// use ioenv::{LevelKey, KeyRing, SystemRandom};
///
/// let key = LevelKey::generate(&SystemRandom)?;
/// let ring = KeyRing::parse(&format!("# staging\n{}\n", key.to_text().expose_secret()))?;
/// assert_eq!(ring.len(), 1);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Default)]
pub struct KeyRing {
    keys: Vec<Key>,
}

#[derive(Clone)]
enum Key {
    Data(LevelKey),
    String(KeyString),
}

impl KeyRing {
    /// Most keys that are read from a text.
    pub const MAX_KEYS: usize = 64;

    /// A ring without keys.
    pub fn new() -> Self {
        Self::default()
    }

    /// Reads a key file's text.
    ///
    /// # Errors
    /// `InvalidValue`, with the line of a level key that has a typo; `Limit`, beyond 64 keys.
    pub fn parse(text: &str) -> Result<Self> {
        let mut ring = Self::new();
        // Some editors begin a file with a byte order mark.
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        for (index, line) in text.lines().enumerate() {
            let line = line.trim();
            if line.is_empty() || line == "#" || line.starts_with("# ") {
                continue;
            }
            if ring.keys.len() == Self::MAX_KEYS {
                return Err(Error::new(ErrorKind::Limit, "more than 64 keys are given"));
            }
            if let Some(why) = decorated(line) {
                return Err(Error::new(ErrorKind::InvalidValue, why).with_position(index + 1, 1));
            }
            ring.keys.push(if line.starts_with(LevelKey::PREFIX) {
                Key::Data(LevelKey::parse(line).map_err(|error| error.with_position(index + 1, 1))?)
            } else {
                Key::String(KeyString::new(line)?)
            });
        }
        Ok(ring)
    }

    /// How many keys there are.
    pub fn len(&self) -> usize {
        self.keys.len()
    }

    /// Whether there is no key.
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    /// Returns whether this ring has all the keys of another one.
    pub(crate) fn has_all(&self, other: &Self) -> bool {
        let is = |one: &Key, other: &Key| match (one, other) {
            (Key::Data(one), Key::Data(other)) => {
                one.as_aes_key().expose_bytes().as_slice().ct_eq(other.as_aes_key().expose_bytes().as_slice()).to_bool()
            }
            (Key::String(one), Key::String(other)) => one.expose_bytes().ct_eq(other.expose_bytes()).to_bool(),
            _ => false,
        };
        other.keys.iter().all(|key| self.keys.iter().any(|own| is(own, key)))
    }

    /// Adds the keys of another ring.
    pub fn extend(&mut self, other: impl Into<Self>) {
        self.keys.extend(other.into().keys);
    }

    /// The first key that `accept` takes: level keys as they are, and then, if there is a `derivation`, key strings as
    /// it derives them.
    ///
    /// This is how a [`Source`](crate::source::Source) gets at a key; deriving may take long, so keep what is found.
    ///
    /// # Errors
    /// Those of the derivation.
    pub fn find(
        &self,
        derivation: Option<&dyn KeyDerivation>,
        accept: impl Fn(&LevelKey) -> bool,
    ) -> Result<Option<LevelKey>> {
        // All that costs nothing is tried before anything is stretched.
        for key in &self.keys {
            if let Key::Data(key) = key
                && accept(key)
            {
                return Ok(Some(key.clone()));
            }
        }
        for key in &self.keys {
            if let Key::String(key) = key
                && let Some(derivation) = derivation
            {
                let key = derivation.derive(key)?;
                if accept(&key) {
                    return Ok(Some(key));
                }
            }
        }
        Ok(None)
    }
}

/// Says why a line is a key with something around it, as in a dotenv file. It would be taken for a passphrase, and nothing
/// would open.
fn decorated(line: &str) -> Option<&'static str> {
    let is_quoted = |quote: char| line.len() > 1 && line.starts_with(quote) && line.ends_with(quote);
    if is_quoted('"') || is_quoted('\'') {
        Some("the key stands between quotes: remove them")
    } else if line.starts_with("IOENV_KEY=") || line.starts_with("export ") {
        Some("a line holds the key alone: remove the name of the variable in front of it")
    } else if line.contains(LevelKey::PREFIX) && !line.starts_with(LevelKey::PREFIX) {
        Some("a line holds the key alone: remove what stands in front of it")
    } else {
        None
    }
}

#[cfg(feature = "vault")]
impl KeyRing {
    /// The keys that can be those of a client-managed project with that `derivation`, each with its proof. Where there
    /// is one, each key string is stretched for it twice.
    ///
    /// # Errors
    /// Those of the derivation.
    pub fn with_proofs(&self, derivation: Option<&Pbkdf2>) -> Result<Vec<(LevelKey, KeyProof)>> {
        let mut found = Vec::new();
        for key in &self.keys {
            match (key, derivation) {
                (Key::Data(key), None) => found.push((key.clone(), KeyProof::of(key))),
                (Key::String(key), Some(derivation)) => {
                    found.push((derivation.derive(key)?, KeyProof::new(key, derivation)));
                }
                _ => {}
            }
        }
        Ok(found)
    }
}

impl From<LevelKey> for KeyRing {
    fn from(key: LevelKey) -> Self {
        Self { keys: vec![Key::Data(key)] }
    }
}

impl From<&LevelKey> for KeyRing {
    fn from(key: &LevelKey) -> Self {
        key.clone().into()
    }
}

impl From<KeyString> for KeyRing {
    fn from(key: KeyString) -> Self {
        Self { keys: vec![Key::String(key)] }
    }
}

impl FromStr for KeyRing {
    type Err = Error;

    /// Reads it, as [`parse`](KeyRing::parse) does.
    fn from_str(text: &str) -> Result<Self> {
        Self::parse(text)
    }
}

impl fmt::Debug for KeyRing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeyRing").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::key::Pbkdf2;

    #[test]
    fn reads_one_key_a_line() {
        let key = LevelKey::from_bytes(&[3; 32]).to_text();
        let text =
            format!("\u{feff}# production\n\n{}\r\n  a passphrase  \n#tag is a passphrase\n", key.expose_secret());
        let ring = KeyRing::parse(&text).unwrap();
        assert_eq!(ring.len(), 3);
        assert!(ring.find(None, |key| *key.expose_bytes() == [3; 32]).unwrap().is_some());

        let derivation = Pbkdf2::new(b"salt", 1).unwrap();
        let derived = derivation.derive(&KeyString::new("a passphrase").unwrap()).unwrap();
        let is_derived = |key: &LevelKey| key.expose_bytes() == derived.expose_bytes();
        assert!(ring.find(Some(&derivation), is_derived).unwrap().is_some());
        assert!(ring.find(None, is_derived).unwrap().is_none());
    }

    #[test]
    fn a_key_with_something_around_it_is_no_passphrase() {
        let key = LevelKey::from_bytes(&[3; 32]).to_text();
        let key = key.expose_secret();
        for line in [
            format!("\"{key}\""),
            format!("'{key}'"),
            format!("IOENV_KEY={key}"),
            format!("IOENV_KEY=\"{key}\""),
            format!("export IOENV_KEY={key}"),
            format!("key: {key}"),
            format!("- {key}"),
            "IOENV_KEY=a passphrase".to_owned(),
            "'a passphrase'".to_owned(),
            "\"a passphrase\"".to_owned(),
        ] {
            let error = KeyRing::parse(&format!("\n{line}\n")).unwrap_err();
            assert_eq!((error.kind(), error.position()), (ErrorKind::InvalidValue, Some((2, 1))), "{line}");
            assert!(!format!("{error:?}").contains(&key[10..]) && !format!("{error:?}").contains("passphrase"));
        }
        for line in ["it's a passphrase", "\"", "a 'quoted' one", "name=value", "'tis"] {
            assert_eq!(KeyRing::parse(line).unwrap().len(), 1, "{line}");
        }
    }

    #[test]
    fn names_the_line_of_a_typo_and_not_the_key() {
        let error = KeyRing::parse("\nioenv_key_planted").unwrap_err();
        assert_eq!(error.position(), Some((2, 1)));
        assert!(!format!("{error:?}").contains("planted"));
        assert_eq!(KeyRing::parse(&"k\n".repeat(65)).unwrap_err().kind(), ErrorKind::Limit);
    }
}
