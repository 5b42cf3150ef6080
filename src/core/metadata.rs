use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, de};
use serde_json::{Map, Value};

use crate::error::{Error, ErrorKind, Result};

/// Longest metadata, in bytes of JSON.
const MAX_BYTES: usize = 16 << 10;

/// Notes about a project: a JSON object of at most 16 KiB. It is not secret.
///
/// It is written and read as JSON, and with `serde`.
///
/// ```
/// # fn main() -> Result<(), ioenv::Error> {
/// use ioenv::vault::Metadata;
///
/// let metadata: Metadata = r#"{ "owner": "payments", "tier": 1 }"#.parse()?;
/// assert_eq!(metadata.to_string(), r#"{"owner":"payments","tier":1}"#);
/// assert!("[1]".parse::<Metadata>().is_err());
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Metadata(Map<String, Value>);

impl Metadata {
    /// Creates metadata without any member.
    pub fn new() -> Self {
        Self::default()
    }

    /// Returns whether it has no members.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Takes an object as it is. Its limits are those of [`checked_json`](Self::checked_json).
    #[cfg(feature = "server")]
    pub(crate) fn from_object(members: Map<String, Value>) -> Self {
        Self(members)
    }

    /// Returns the JSON of the object, or refuses one that is too large.
    pub(crate) fn checked_json(&self) -> Result<String> {
        let text = self.to_string();
        // An object that is nested too deep could not be read again.
        if text.len() > MAX_BYTES || serde_json::from_str::<Map<String, Value>>(&text).is_err() {
            return Err(no_metadata());
        }
        Ok(text)
    }

    fn checked(self) -> Result<Self> {
        self.checked_json()?;
        Ok(self)
    }
}

#[cold]
fn no_metadata() -> Error {
    let message = "metadata is an object of at most 16 KiB of JSON, nested at most 100 deep: note less";
    Error::new(ErrorKind::InvalidValue, message)
}

/// Reads a JSON object.
impl FromStr for Metadata {
    type Err = Error;

    /// # Errors
    /// `InvalidValue`, for text that is not a JSON object and for an object of more than 16 KiB.
    fn from_str(text: &str) -> Result<Self> {
        serde_json::from_str(text).map(Self).map_err(|_| no_metadata())?.checked()
    }
}

/// Writes the object as JSON, without white space.
impl fmt::Display for Metadata {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&serde_json::to_string(&self.0).map_err(|_| fmt::Error)?)
    }
}

impl<'de> Deserialize<'de> for Metadata {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self(Map::deserialize(deserializer)?).checked().map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_an_object_within_the_limits_is_metadata() {
        let sized = |bytes: usize| format!("{{\"a\":\"{}\"}}", "x".repeat(bytes - 8));
        let nested = |depth: usize| format!("{{\"a\":{}{}}}", "[".repeat(depth), "]".repeat(depth));
        for good in ["{}", "{\"a\":{\"b\":[null,1,\"c\"]}}", &sized(MAX_BYTES), &nested(100)] {
            assert_eq!(good.parse::<Metadata>().unwrap().to_string(), *good);
            assert_eq!(serde_json::from_str::<Metadata>(good).unwrap(), good.parse().unwrap());
        }
        for bad in ["", "{", "[]", "null", "\"{}\"", "{} {}", &sized(MAX_BYTES + 1), &nested(200)] {
            assert_eq!(bad.parse::<Metadata>().unwrap_err().kind(), ErrorKind::InvalidValue, "{bad}");
            assert!(serde_json::from_str::<Metadata>(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn what_is_not_metadata_is_not_repeated() {
        let error = "{\"planted\":".parse::<Metadata>().unwrap_err();
        assert!(!format!("{error} {error:?}").contains("planted"));
    }
}
