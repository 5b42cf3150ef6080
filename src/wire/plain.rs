use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::core::secret::SecretString;

/// A secret in a request or a response. This is the one type that serializes a secret as it is.
#[derive(Clone)]
pub(crate) struct Plain(pub(crate) SecretString);

impl Default for Plain {
    /// Returns the empty text.
    fn default() -> Self {
        Self("".into())
    }
}

impl From<SecretString> for Plain {
    fn from(secret: SecretString) -> Self {
        Self(secret)
    }
}

impl fmt::Debug for Plain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

impl Serialize for Plain {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.0.expose_secret())
    }
}

impl<'de> Deserialize<'de> for Plain {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        SecretString::deserialize(deserializer).map(Self)
    }
}
