use smol_str::SmolStr;

use super::key::LevelKey;
use crate::error::{Error, ErrorKind, Result};

/// Longest name of a variable, in bytes.
const MAX_NAME_BYTES: usize = 255;
/// Longest segment of a level path, in bytes.
const MAX_SLUG_BYTES: usize = 100;

/// The name of a variable: `[A-Za-z_][A-Za-z0-9_.]*`, at most 255 bytes, case-sensitive.
///
/// Lower case is allowed, because names such as `http_proxy` exist. So is a dot, because programs read names such as
/// `spring.datasource.url`. Every operating system accepts such a name, but no shell and no service does: see
/// [`is_shell_name`](Self::is_shell_name).
///
/// ```
/// # fn main() -> Result<(), ioenv::Error> {
/// let name: ioenv::VarName = "DATABASE_URL".parse()?;
/// assert_eq!(name.as_str(), "DATABASE_URL");
/// assert!("spring.datasource.url".parse::<ioenv::VarName>().is_ok());
/// assert!("2FA".parse::<ioenv::VarName>().is_err());
/// # Ok(())
/// # }
/// ```
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct VarName(SmolStr);

impl VarName {
    /// Reads a name.
    ///
    /// # Errors
    /// `InvalidName`. The text is not repeated: what was meant as a name may well be a misplaced value.
    pub fn new(text: &str) -> Result<Self> {
        if is_var_name(text) {
            return Ok(Self(text.into()));
        }
        Err(Error::new(ErrorKind::InvalidName, broken_name_rule(text)))
    }

    /// The name that `text` begins with, if a `=` follows it at once; one pass, for the common line.
    pub(super) fn before_equals(text: &str) -> Option<Self> {
        let length = text.bytes().position(|byte| !is_name_byte(byte))?;
        let (name, rest) = text.split_at(length);
        let is_name = begins_name(name) && name.len() <= MAX_NAME_BYTES;
        (is_name && rest.starts_with('=')).then(|| Self(name.into()))
    }

    /// Returns whether shells and the services accept the name too: it has no dot.
    ///
    /// ```
    /// # fn main() -> Result<(), ioenv::Error> {
    /// assert!("DATABASE_URL".parse::<ioenv::VarName>()?.is_shell_name());
    /// assert!(!"spring.datasource.url".parse::<ioenv::VarName>()?.is_shell_name());
    /// # Ok(())
    /// # }
    /// ```
    pub fn is_shell_name(&self) -> bool {
        !self.0.contains('.')
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Returns whether the byte can stand in a name. A table, because the reader asks for every byte of every name.
pub(super) fn is_name_byte(byte: u8) -> bool {
    const IS: [bool; 256] = {
        let mut is = [false; 256];
        let mut byte = 0_u8;
        while byte < 128 {
            is[byte as usize] = byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'.';
            byte += 1;
        }
        is
    };
    IS[usize::from(byte)]
}

/// Whether `text` is a name, without making one.
pub(crate) fn is_var_name(text: &str) -> bool {
    begins_name(text) && text.len() <= MAX_NAME_BYTES && text.bytes().all(is_name_byte)
}

/// Whether the first byte of a text whose bytes can stand in a name can begin one.
fn begins_name(text: &str) -> bool {
    text.bytes().next().is_some_and(|first| !first.is_ascii_digit() && first != b'.')
}

#[cold]
fn broken_name_rule(text: &str) -> String {
    let rule = if text.is_empty() {
        "it is empty"
    } else if text.len() > MAX_NAME_BYTES {
        "it is longer than 255 bytes"
    } else if text.contains('\0') {
        "it holds a NUL byte"
    } else if text.contains('=') {
        "it holds a `=`"
    } else if text.starts_with(|c: char| c.is_ascii_digit()) {
        "it starts with a digit"
    } else if text.starts_with('.') {
        "it starts with a dot"
    } else {
        "it holds something other than A-Z, a-z, 0-9, _ and dots"
    };
    format!("this is not the name of a variable: {rule}")
}

impl Error {
    /// Adds variables that the error is about, for [`names`](Self::names). The text does not show them.
    ///
    /// ```
    /// # fn main() -> Result<(), ioenv::Error> {
    /// use ioenv::{Error, ErrorKind};
    ///
    /// let error = Error::new(ErrorKind::NotFound, "the store does not have PORT").with_names(["PORT".parse()?]);
    /// assert_eq!(error.names()[0].as_str(), "PORT");
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    #[cold]
    pub fn with_names(self, names: impl IntoIterator<Item = VarName>) -> Self {
        self.with_name_texts(names.into_iter().map(|name| name.0))
    }

    /// Returns the variables the error is about: all that are missing, or the members of a cycle of references.
    pub fn names(&self) -> Vec<VarName> {
        self.name_texts().iter().cloned().map(VarName).collect()
    }
}

/// One segment of a [`LevelPath`](crate::LevelPath), or the id of a key: 1 to 100 of `A-Z a-z 0-9 _ -`.
///
/// Slugs are shown and committed, so what begins like a [`LevelKey`] is refused: somebody has put a key
/// in the wrong place.
///
/// ```
/// # fn main() -> Result<(), ioenv::Error> {
/// let slug: ioenv::Slug = "acme-store".parse()?;
/// assert_eq!(slug.as_str(), "acme-store");
/// # Ok(())
/// # }
/// ```
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Slug(Box<str>);

impl Slug {
    /// Reads a slug.
    ///
    /// # Errors
    /// `InvalidName`.
    pub fn new(text: &str) -> Result<Self> {
        if is_slug(text) {
            return Ok(Self(text.into()));
        }
        let rule = if text.starts_with(LevelKey::PREFIX) {
            "this is a key, and keys go into IOENV_KEY or a key file"
        } else {
            "1 to 100 characters of A-Z, a-z, 0-9, _ and - are allowed here"
        };
        Err(Error::new(ErrorKind::InvalidName, rule))
    }

    /// The slug as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Whether `text` is a slug, without making one.
pub(super) fn is_slug(text: &str) -> bool {
    (1..=MAX_SLUG_BYTES).contains(&text.len())
        && !text.starts_with(LevelKey::PREFIX)
        && text.bytes().all(|byte| matches!(byte, b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'_' | b'-'))
}

/// Gives a type with `new` and `as_str` the conversions of a text that was checked.
macro_rules! parsed_text {
    ($name:ident) => {
        impl ::std::str::FromStr for $name {
            type Err = $crate::error::Error;

            fn from_str(text: &str) -> $crate::error::Result<Self> {
                Self::new(text)
            }
        }

        impl TryFrom<&str> for $name {
            type Error = $crate::error::Error;

            fn try_from(text: &str) -> $crate::error::Result<Self> {
                Self::new(text)
            }
        }

        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                self.as_str()
            }
        }

        impl ::std::borrow::Borrow<str> for $name {
            fn borrow(&self) -> &str {
                self.as_str()
            }
        }

        impl ::std::fmt::Display for $name {
            fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                f.pad(self.as_str())
            }
        }

        impl ::std::fmt::Debug for $name {
            fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                write!(f, "{}({})", stringify!($name), self.as_str())
            }
        }
    };
}
pub(super) use parsed_text;

parsed_text!(VarName);
parsed_text!(Slug);

super::serde_text::serde_text!(VarName, "the name of a variable");
super::serde_text::serde_text!(Slug, "1 to 100 of A-Z, a-z, 0-9, _ and -");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_follow_the_rule() {
        for good in ["A", "_", "http_proxy", "A1", "spring.datasource.url", "_.", "A..b", &"N".repeat(255)] {
            assert_eq!(VarName::new(good).unwrap().as_str(), good);
        }
        for bad in ["", "1A", ".", ".A", "A=B", "A\0", "A B", "A-B", "A.B-", "É", &"N".repeat(256)] {
            assert_eq!(VarName::new(bad).unwrap_err().kind(), ErrorKind::InvalidName, "{bad:?}");
        }
    }

    #[test]
    fn a_refused_name_is_not_repeated() {
        let error = VarName::new("sk_live_planted=").unwrap_err();
        assert!(!format!("{error} {error:?}").contains("planted"));
    }

    #[test]
    fn slugs_follow_the_rule() {
        for good in ["a", "_base", "api-ci_cd", "Prod", &"s".repeat(100)] {
            assert_eq!(Slug::new(good).unwrap().as_str(), good);
        }
        for bad in ["", "a/b", "a.b", "..", "a b", "ü", "ioenv_key_x", &"s".repeat(101)] {
            assert_eq!(Slug::new(bad).unwrap_err().kind(), ErrorKind::InvalidName, "{bad:?}");
        }
    }
}
