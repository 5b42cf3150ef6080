use crate::core::id::OrganizationId;
use crate::vault::place::At;
use serde::Deserialize;

use crate::core::audit::{Action, Details, Resource, ResourceKind};
use crate::error::{Error, ErrorKind, Result};
use crate::store::Order;
use crate::vault::confirmation::Confirmation;
use crate::vault::keys;
use crate::vault::place::Reach;
use crate::vault::session::Session;
use crate::vault::use_case::UseCase;
use crate::vault::version::by_key::VersionKey;

/// Whose former contents are to be removed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
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
    /// `NotFound`; `Unconfirmed`, unless the call is confirmed.
    pub fn purge_versions(&self, at: At<'_>, scope: PurgeScope, confirmation: Confirmation) -> Result<u64> {
        self.write(UseCase::PurgeVersions, |operation| {
            let place = operation.place(at, Reach::Inside)?;
            if scope == PurgeScope::Project {
                // All of it must be inside of what the token is bound to.
                operation.place(At::Id(place.project.id.into()), Reach::Inside)?;
            }
            confirmation.check()?;
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

impl Session<'_> {
    /// Removes a former content, for good.
    ///
    /// # Errors
    /// `NotFound`; `VersionProtected`, for the newest one of a deleted level, which is what that would be restored from,
    /// unless the call is confirmed.
    pub fn delete_version(&self, organization: OrganizationId, id: u64, confirmation: Confirmation) -> Result<()> {
        self.write(UseCase::DeleteVersion, |operation| {
            let found = operation.version(organization, id)?;
            let (project, node) = (found.place.project.id, found.place.id());
            let number = found.version.number;
            if confirmation.is_missing() && operation.level(&found.place.project, node)?.is_none() {
                let newest = operation.tx.scan(&keys::versions(project, node), Order::Descending, 1)?;
                if newest.first().is_some_and(|newest| newest.key == keys::version(project, node, number)) {
                    let message = "the level was deleted, and can only be restored from this version: remove it by force, if that is meant";
                    return Err(Error::new(ErrorKind::VersionProtected, message));
                }
            }
            operation.tx.delete(&keys::version(project, node, number))?;
            operation.tx.delete(&keys::content(project, number))?;
            operation.unindex_versions(project, &[VersionKey { number, key_version: found.version.key_version }])?;
            let details = Details::default().with("op", "version").with("version", id);
            operation.record(Action::Delete, Resource::of(&found.place)?.kind(ResourceKind::Version), details)
        })
    }
}
