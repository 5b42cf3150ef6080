use super::super::keys;
use super::super::level::unconfirmed;
use super::super::place::Reach;
use super::super::session::Session;
use super::super::use_case::UseCase;
use crate::Result;
use crate::core::{Action, Details, Id, LevelPath, Resource, ResourceKind};

/// Whose former contents are to be removed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "there is nothing between one level and all")]
pub enum PurgeScope {
    /// Those of the level at the path.
    Level,
    /// Those of all levels of the path's project, also of what was deleted in it and can be restored.
    Project,
}

impl Session<'_> {
    /// Removes former contents, for good, and tells how many. What levels hold now stays.
    ///
    /// # Errors
    /// `NotFound`; `Unconfirmed`, unless `confirmed`.
    pub fn purge_versions(
        &self,
        organization: Id,
        path: &LevelPath,
        scope: PurgeScope,
        confirmed: bool,
    ) -> Result<u64> {
        self.write(UseCase::PurgeVersions, |operation| {
            let place = operation.place(organization, path, Reach::Inside)?;
            if scope == PurgeScope::Project {
                // All of it must be inside of what the token is bound to.
                operation.place(organization, &LevelPath::new(&place.project.slug)?, Reach::Inside)?;
            }
            if !confirmed {
                return Err(unconfirmed());
            }
            let project = place.project.id;
            let range = match scope {
                PurgeScope::Level => keys::versions(project, place.id()),
                PurgeScope::Project => keys::project_versions(project),
            };
            let count = operation.remove_versions(project, &range)?;
            let details = Details::default().with("op", "purge").with("versions", count);
            operation.record(Action::Delete, Resource::of(&place)?.kind(ResourceKind::Version), details)?;
            Ok(count)
        })
    }
}
