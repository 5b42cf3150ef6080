use std::fmt;

use serde::{Deserialize, Serialize};

/// What kind of thing a job does, and so what its subject is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum JobKind {
    /// An event is sent to a webhook.
    Webhook,
    /// An environment's secrets are copied to another service.
    Integration,
}

impl fmt::Display for JobKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Webhook => "webhook",
            Self::Integration => "integration",
        })
    }
}
