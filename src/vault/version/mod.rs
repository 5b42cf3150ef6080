//! Former contents of levels: every write keeps the one before it.

pub(super) mod by_key;
mod changes;
mod kinds;
mod list;
mod purge;
mod restore;
mod roll_back;
mod states;

pub use self::changes::{Change, ChangedEntry};
pub use self::list::{Version, VersionContent};
pub use self::purge::PurgeScope;
pub use self::restore::Restore;
use super::keys;
use super::operation::{OperationContext, no_such};
use super::place::{Place, Reach};
use super::records::{ContentRecord, OrganizationRecord, ProjectRecord, VersionRecord, damaged, get};
use crate::core::clock::Timestamp;
use crate::core::id::OrganizationId;
use crate::core::id::ProjectId;
use crate::core::refusal::Refusal;
use crate::error::{Error, ErrorKind, Result};
use crate::vault::place::At;

/// The id of a version: the number of its project in the upper half, its own in the lower one. Unique in its
/// organization, and exact in a JSON number.
pub(super) fn version_id(project: &ProjectRecord, number: u32) -> u64 {
    u64::from(project.number) << 32 | u64::from(number)
}

const DAY_MILLIS: i64 = 24 * 60 * 60 * 1000;

/// Whether a version is older than its organization keeps versions open.
fn is_locked(organization: &OrganizationRecord, displaced_at: Timestamp, now: Timestamp) -> bool {
    let days = i64::from(organization.version_retention_days);
    days > 0 && now.as_millis() - displaced_at.as_millis() > days * DAY_MILLIS
}

/// Refuses to open a version that is too old.
fn check_lock(organization: &OrganizationRecord, displaced_at: Timestamp, now: Timestamp) -> Result<()> {
    if !is_locked(organization, displaced_at, now) {
        return Ok(());
    }
    let days = organization.version_retention_days;
    let message = format!("the version is older than the {days} days for which this organization can open versions");
    Err(Error::new(ErrorKind::VersionLocked, message)
        .with_refusal(Refusal::VersionLocked { days, replaced_at: displaced_at }))
}

/// A version, with where it belongs.
struct Found {
    place: Place,
    content: ContentRecord,
    version: VersionRecord,
}

impl OperationContext<'_, '_> {
    /// The version of that id, if the actor may know of its level.
    fn version(&mut self, organization: OrganizationId, id: u64) -> Result<Found> {
        let [upper, number] = [id >> 32, id & u64::from(u32::MAX)].map(|half| u32::try_from(half).unwrap_or_default());
        let project: ProjectId =
            get(self.tx, &keys::project_number(organization, upper))?.ok_or_else(|| no_such("version"))?;
        let content: ContentRecord =
            get(self.tx, &keys::content(project, number))?.ok_or_else(|| no_such("version"))?;
        if content.number != number {
            return Err(damaged());
        }
        let found =
            self.path_of(content.node).and_then(|(_, path)| self.place(At::Path(organization, &path), Reach::Inside));
        let place = match found {
            // In the same words as for a version that does not exist.
            Err(error) if error.kind() == ErrorKind::NotFound => return Err(no_such("version")),
            found => found?,
        };
        // What a level holds now is no version of it.
        let version = get(self.tx, &keys::version(project, content.node, number))?.ok_or_else(|| no_such("version"))?;
        Ok(Found { place, content, version })
    }
}
