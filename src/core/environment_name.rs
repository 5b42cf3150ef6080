use std::fmt;
use std::ops::RangeInclusive;
use std::str::FromStr;

use super::serde_text::serde_text;
use crate::error::{Error, ErrorKind, Result};

/// Characters of a name that is given to an environment.
const NEW_CHARS: RangeInclusive<usize> = 2..=32;
/// Characters of a name, or an id, that an environment is addressed by.
const IDENTIFIER_CHARS: RangeInclusive<usize> = 2..=40;

/// The name of an environment at Stashbase: letters, digits and `_`, and at most one `-`, which parts the group from
/// the name in it. Case is kept.
///
/// ```
/// # fn main() -> Result<(), ioenv::Error> {
/// use ioenv::vault::EnvironmentName;
///
/// let name = EnvironmentName::new("api-production")?;
/// assert_eq!((name.group(), name.name()), (Some("api"), "production"));
/// assert_eq!(EnvironmentName::new("dev")?.group(), None);
/// assert!(EnvironmentName::new("eu-web-1").is_err());
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EnvironmentName(Box<str>);

impl EnvironmentName {
    /// Reads the name that an environment is to be given: 2 to 32 characters, and not the form of an id.
    ///
    /// # Errors
    /// `InvalidName`, which says which rule is broken.
    pub fn new(text: &str) -> Result<Self> {
        if Self::is_id(text) {
            return Err(Error::new(ErrorKind::InvalidName, "an environment cannot be named like the id of one"));
        }
        Self::within(&NEW_CHARS, text)
    }

    /// Reads the name that an environment is addressed by: 2 to 40 characters. An id is one of those too.
    ///
    /// # Errors
    /// `InvalidName`, which says which rule is broken.
    pub(crate) fn identifier(text: &str) -> Result<Self> {
        Self::within(&IDENTIFIER_CHARS, text)
    }

    /// Whether `text` has the form of an id: `env_` and 22 letters and digits.
    pub(crate) fn is_id(text: &str) -> bool {
        let rest = text.strip_prefix("env_");
        rest.is_some_and(|rest| rest.len() == 22 && rest.bytes().all(|byte| byte.is_ascii_alphanumeric()))
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What stands before the hyphen.
    pub fn group(&self) -> Option<&str> {
        self.0.split_once('-').map(|(group, _)| group)
    }

    /// What stands behind the hyphen, or all of it where there is none.
    pub fn name(&self) -> &str {
        self.0.split_once('-').map_or(&self.0, |(_, name)| name)
    }

    fn within(length: &RangeInclusive<usize>, text: &str) -> Result<Self> {
        let invalid = |rule: String| {
            Err(Error::new(ErrorKind::InvalidName, format!("this is not the name of an environment: {rule}")))
        };
        if !text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-')) {
            return invalid("it holds something other than letters, digits, _ and -".to_owned());
        }
        if !length.contains(&text.len()) {
            return invalid(format!("it takes {} to {} characters", length.start(), length.end()));
        }
        if text.matches('-').count() > 1 || text.starts_with('-') || text.ends_with('-') {
            return invalid("one - is allowed, between the group and the name".to_owned());
        }
        Ok(Self(text.into()))
    }
}

impl FromStr for EnvironmentName {
    type Err = Error;

    /// Reads what is there already: a name as it may be addressed, which an id is, too.
    fn from_str(text: &str) -> Result<Self> {
        Self::identifier(text)
    }
}

impl AsRef<str> for EnvironmentName {
    fn as_ref(&self) -> &str {
        self.as_str()
    }
}

impl fmt::Display for EnvironmentName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

serde_text!(EnvironmentName, "the name of an environment");

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    #[test]
    fn names_are_those_of_the_service() {
        let vectors: Value = serde_json::from_str(include_str!("../../tests/vectors/stashbase.json")).unwrap();
        let cases = vectors["environment_name"].as_array().unwrap();
        assert!(!cases.is_empty());
        for case in cases {
            let name = case["name"].as_str().unwrap();
            assert_eq!(EnvironmentName::new(name).is_ok(), case["valid_new"] == true, "{case}");
            assert_eq!(EnvironmentName::identifier(name).is_ok(), case["valid_identifier"] == true, "{case}");
            assert_eq!(EnvironmentName::is_id(name), case["id_format"] == true, "{case}");
            if let Err(error) = EnvironmentName::new(name) {
                assert_eq!(error.kind(), ErrorKind::InvalidName);
            }
        }
    }

    #[test]
    fn the_one_hyphen_parts_group_and_name() {
        for (text, group, name) in [
            ("dev", None, "dev"),
            ("api-ci_cd", Some("api"), "ci_cd"),
            ("_base", None, "_base"),
            ("a-_", Some("a"), "_"),
        ] {
            let parsed = EnvironmentName::new(text).unwrap();
            assert_eq!((parsed.group(), parsed.name(), parsed.as_str()), (group, name, text));
        }
    }
}
