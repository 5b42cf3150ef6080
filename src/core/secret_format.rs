use super::serde_text::serde_text;
use super::words::words;

words! {
    /// The format of the text in the blobs of a project.
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
    #[non_exhaustive]
    pub enum SecretFormat: "a secret format" {
        /// Dotenv text.
        #[default]
        Env = "env",
        /// One JSON object.
        Json = "json",
        /// Any text.
        Text = "text",
        /// One YAML mapping.
        Yaml = "yaml",
    }
}

serde_text!(SecretFormat, "a secret format");
