use std::fmt;

#[cfg(feature = "vault")]
use ctutils::CtEq as _;
use secrecy::{CloneableSecret, ExposeSecret as _, SecretBox};
use serde::de::{Deserialize, Deserializer, Error as _, Visitor};
use zeroize::Zeroize;

/// Text that must not be seen: a value, a key, a whole document.
///
/// It is wiped when dropped, prints as `[REDACTED]`, and has no `Display`, `PartialEq` or `Serialize`. The only way
/// to read it is [`expose_secret`](SecretString::expose_secret), a word a reviewer can search for.
///
/// ```
/// use ioenv::SecretString;
///
/// let password = SecretString::from("correct horse");
/// assert_eq!(format!("{password:?}"), "SecretString([REDACTED])");
/// assert_eq!(password.expose_secret().len(), 13);
/// ```
///
/// ```compile_fail
/// println!("{}", ioenv::SecretString::from("no Display"));
/// ```
///
/// ```compile_fail
/// assert!(ioenv::SecretString::from("no ==") == ioenv::SecretString::from("no =="));
/// ```
#[derive(Clone)]
pub struct SecretString(secrecy::SecretString);

impl SecretString {
    /// The text itself.
    pub fn expose_secret(&self) -> &str {
        self.0.expose_secret()
    }
}

impl SecretString {
    /// Whether both are the same, in a time that does not depend on what is in them.
    #[cfg(feature = "vault")]
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        self.expose_secret().as_bytes().ct_eq(other.expose_secret().as_bytes()).to_bool()
    }
}

impl From<&str> for SecretString {
    fn from(text: &str) -> Self {
        Self(Box::<str>::from(text).into())
    }
}

impl From<String> for SecretString {
    fn from(mut text: String) -> Self {
        if text.capacity() == text.len() {
            return Self(text.into_boxed_str().into());
        }
        // Shrinking would leave a copy behind that nobody wipes.
        let secret = Self::from(text.as_str());
        text.zeroize();
        secret
    }
}

impl fmt::Debug for SecretString {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretString([REDACTED])")
    }
}

impl<'de> Deserialize<'de> for SecretString {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Text;

        impl Visitor<'_> for Text {
            type Value = SecretString;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string")
            }

            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<SecretString, E> {
                Ok(text.into())
            }

            fn visit_string<E: serde::de::Error>(self, text: String) -> Result<SecretString, E> {
                Ok(text.into())
            }
        }

        // A type error of the format's own could quote what it found.
        deserializer.deserialize_string(Text).map_err(|_| D::Error::custom("expected a secret string"))
    }
}

/// Bytes that must not be seen: what a blob held, before it is known to be text.
///
/// Like [`SecretString`] it is wiped when dropped and never printed.
///
/// ```
/// let bytes = ioenv::SecretBytes::from(b"PORT=8080\n".to_vec());
/// assert_eq!(format!("{bytes:?}"), "SecretBytes([REDACTED])");
/// ```
#[derive(Clone)]
pub struct SecretBytes(SecretBox<Buffer>);

impl SecretBytes {
    /// The bytes themselves.
    pub fn expose_secret(&self) -> &[u8] {
        &self.0.expose_secret().0
    }
}

impl From<Vec<u8>> for SecretBytes {
    fn from(mut bytes: Vec<u8>) -> Self {
        if bytes.capacity() != bytes.len() {
            // What lies behind the end may be of the same secret.
            let exact = bytes.as_slice().to_vec();
            bytes.zeroize();
            bytes = exact;
        }
        Self(SecretBox::new(Box::new(Buffer(bytes))))
    }
}

/// Bytes that are wiped by one `memset`: a whole document is too long for the one byte after another of `[u8]`.
#[derive(Clone)]
struct Buffer(Vec<u8>);

impl Zeroize for Buffer {
    fn zeroize(&mut self) {
        self.0.fill(0);
        zeroize::optimization_barrier(&self.0);
    }
}

impl CloneableSecret for Buffer {}

impl fmt::Debug for SecretBytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretBytes([REDACTED])")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_text_of_any_capacity() {
        let mut roomy = String::with_capacity(100);
        roomy.push_str("planted");
        assert_eq!(SecretString::from(roomy).expose_secret(), "planted");
        assert_eq!(SecretString::from("planted").expose_secret(), "planted");
        assert_eq!(SecretBytes::from(b"planted".to_vec()).expose_secret(), b"planted");
    }

    #[test]
    fn debug_shows_neither_text_nor_length() {
        assert_eq!(format!("{:?}", SecretString::from("planted")), "SecretString([REDACTED])");
        assert_eq!(format!("{:#?}", SecretBytes::from(vec![1])), "SecretBytes([REDACTED])");
    }
}
