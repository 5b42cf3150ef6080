use serde::{Deserialize, Serialize};

/// A step of the hierarchy that holds secrets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Level {
    Project,
    Target,
    Environment,
}
