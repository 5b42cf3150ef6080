//! Environments: where secrets are used, below a project or below one of its targets.

mod create;
mod delete;
mod find;
mod list;
mod locate;
mod read;
mod update;

pub use self::create::NewEnvironment;
pub(super) use self::create::builtin;
pub use self::find::{IdOrSlug, LocatedEnvironment, LocatedProject};
pub use self::update::EnvironmentUpdate;
use super::place::{BASE, Place};
use super::records::NodeRecord;
use crate::core::{Id, Timestamp};

/// An environment.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Environment {
    /// Its id, which never changes.
    pub id: Id,
    /// Its name.
    pub name: String,
    /// Its slug, unique below its project or target.
    pub slug: String,
    /// What it is about.
    pub description: Option<String>,
    /// `production`, `staging`, `development`, `local`, or a word of one's own.
    pub status: String,
    /// Whether it holds what live systems use.
    pub is_production: bool,
    /// Whether it came with its project, and keeps its name.
    pub is_builtin: bool,
    /// When it was made.
    pub created_at: Timestamp,
    /// When one of these was changed last.
    pub updated_at: Timestamp,
}

/// What an environment is, when nobody says.
const DEFAULT_STATUS: &str = "development";
const PRODUCTION: &str = "production";

impl Environment {
    /// The project's own level, where it is called `_base`.
    fn base(place: &Place) -> Self {
        let project = &place.project;
        Self {
            id: project.id,
            name: BASE.to_owned(),
            slug: BASE.to_owned(),
            description: None,
            status: DEFAULT_STATUS.to_owned(),
            is_production: false,
            is_builtin: true,
            created_at: project.created_at,
            updated_at: project.created_at,
        }
    }
}

impl From<NodeRecord> for Environment {
    fn from(record: NodeRecord) -> Self {
        Self {
            id: record.id,
            name: record.name,
            slug: record.slug,
            description: record.description,
            status: record.status.unwrap_or_else(|| DEFAULT_STATUS.to_owned()),
            is_production: record.is_production,
            is_builtin: record.is_builtin,
            created_at: record.created_at,
            updated_at: record.updated_at,
        }
    }
}
