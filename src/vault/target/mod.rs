//! Targets: parts of a project that are configured on their own, such as `backend` and `frontend`.

mod create;
mod delete;
mod list;
mod read;
mod update;

pub use self::create::NewTarget;
pub use self::update::TargetUpdate;
use super::records::NodeRecord;
use crate::core::{Id, Timestamp};

/// A target.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Target {
    /// Its id, which never changes.
    pub id: Id,
    /// Its name.
    pub name: String,
    /// Its slug, unique in the project.
    pub slug: String,
    /// What it is about.
    pub description: Option<String>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When one of these was changed last.
    pub updated_at: Timestamp,
}

impl From<NodeRecord> for Target {
    fn from(record: NodeRecord) -> Self {
        Self {
            id: record.id,
            name: record.name,
            slug: record.slug,
            description: record.description,
            created_at: record.created_at,
            updated_at: record.updated_at,
        }
    }
}
