//! Projects: one deployable unit each, with a key of its own and levels below it.

mod create;
mod delete;
mod list;
mod read;
mod update;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

pub use self::create::NewProject;
pub use self::update::ProjectUpdate;
use super::records::{ProjectRecord, encode};
use crate::core::{Id, Timestamp};
use crate::{Error, ErrorKind, Result};

/// Longest metadata, in bytes of JSON.
const MAX_METADATA_BYTES: usize = 16 << 10;

/// The text of metadata; none, for none.
fn check_metadata(metadata: &Map<String, Value>) -> Result<Option<String>> {
    if metadata.is_empty() {
        return Ok(None);
    }
    let text = encode(metadata)?;
    // What is nested too deep could not be read again.
    if text.len() > MAX_METADATA_BYTES || serde_json::from_str::<Map<String, Value>>(&text).is_err() {
        let message = "metadata is an object of at most 16 KiB of JSON, nested at most 100 deep: note less";
        return Err(Error::new(ErrorKind::InvalidValue, message));
    }
    Ok(Some(text))
}

/// What has a fixed meaning where a project's slug stands in a path.
const RESERVED: &[&str] = &["projects", "secrets"];

/// A project.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Project {
    /// Its id, which never changes; also that of the project's own level.
    pub id: Id,
    /// The organization it belongs to.
    pub organization: Id,
    /// Its name.
    pub name: String,
    /// Its slug, unique in the organization: the first segment of its levels' paths.
    pub slug: String,
    /// What it is about.
    pub description: Option<String>,
    /// Whatever its people note about it, as the members of a JSON object; it is no secret.
    pub metadata: Map<String, Value>,
    /// What the text of its blobs is.
    pub secret_format: SecretFormat,
    /// Whether previous contents are kept when a level is written.
    pub versioning: bool,
    /// Whether the project's own level is called `_base`, and `dev`, `staging` and `prod` are built in.
    pub has_base: bool,
    /// Who holds the key.
    pub custody: Custody,
    /// The version of the level key that is in use.
    pub key_version: u32,
    /// Whether a rotation has not reached everything yet; [`continue_rotation`](super::Session::continue_rotation)
    /// takes it on.
    pub is_rotating: bool,
    /// When it was made.
    pub created_at: Timestamp,
    /// When one of these was changed last.
    pub updated_at: Timestamp,
}

/// Who holds the key that the blobs of a project are sealed with. Blobs are the same either way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[expect(clippy::exhaustive_enums, reason = "there is no third place for a key")]
pub enum Custody {
    /// The project's people: the vault stores what proves that somebody has the key, and cannot open anything.
    Client,
    /// The vault.
    Server,
}

/// What the text of a project's blobs is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum SecretFormat {
    /// Dotenv text.
    #[default]
    Env,
    /// One JSON object.
    Json,
    /// Anything.
    Text,
    /// One YAML mapping.
    Yaml,
}

impl From<ProjectRecord> for Project {
    fn from(record: ProjectRecord) -> Self {
        Self {
            id: record.id,
            organization: record.organization,
            name: record.name,
            slug: record.slug,
            description: record.description,
            // It was written from an object.
            metadata: record.metadata.and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default(),
            secret_format: record.secret_format,
            versioning: record.versioning,
            has_base: record.has_base,
            custody: record.custody,
            key_version: record.key_version,
            is_rotating: record.rotation.is_some(),
            created_at: record.created_at,
            updated_at: record.updated_at,
        }
    }
}
