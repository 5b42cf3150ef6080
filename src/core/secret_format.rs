use serde::{Deserialize, Serialize};

/// The format of the text in the blobs of a project.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum SecretFormat {
    /// Dotenv text.
    #[default]
    Env,
    /// One JSON object.
    Json,
    /// Any text.
    Text,
    /// One YAML mapping.
    Yaml,
}
