use std::fmt;

use serde::{Deserialize, Serialize};

/// Why a request to another service got no answer. Its text is the code that is logged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub enum DeliveryError {
    /// The answer did not come in time.
    #[serde(rename = "ECONNABORTED")]
    Aborted,
    /// The host's name is not known.
    #[serde(rename = "ENOTFOUND")]
    NotFound,
    /// Nothing listens there.
    #[serde(rename = "ECONNREFUSED")]
    Refused,
    /// The connection was not made in time.
    #[serde(rename = "ETIMEDOUT")]
    TimedOut,
    /// The connection was closed before the answer came.
    #[serde(rename = "ECONNRESET")]
    Reset,
    /// No network leads there.
    #[serde(rename = "ENETURNEACH")]
    NetworkUnreachable,
    /// The host is not reached, or stands at an address that requests may not go to.
    #[serde(rename = "ENHOSTUNREACH")]
    HostUnreachable,
    /// What answers speaks no HTTP, or its certificate is not trusted.
    #[serde(rename = "EPROTO")]
    Protocol,
}

impl DeliveryError {
    /// The code.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Aborted => "ECONNABORTED",
            Self::NotFound => "ENOTFOUND",
            Self::Refused => "ECONNREFUSED",
            Self::TimedOut => "ETIMEDOUT",
            Self::Reset => "ECONNRESET",
            Self::NetworkUnreachable => "ENETURNEACH",
            Self::HostUnreachable => "ENHOSTUNREACH",
            Self::Protocol => "EPROTO",
        }
    }
}

impl fmt::Display for DeliveryError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}
