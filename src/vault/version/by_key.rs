//! Versions by the level key they are sealed with: an index and a count, so that moving a long history page by page reads
//! each version once.

use crate::core::id::ProjectId;
use crate::error::Result;
use crate::store::{Order, Precondition};
use crate::vault::keys;
use crate::vault::operation::OperationContext;
use crate::vault::records::{MARK, ProjectRecord, VersionCountRecord, get, number_in, put};

/// A version and the level key it is, or was, sealed with.
#[derive(Clone, Copy)]
#[must_use = "the index has to follow"]
pub(in crate::vault) struct VersionKey {
    pub(in crate::vault) number: u32,
    pub(in crate::vault) key_version: u32,
}

impl VersionKey {
    fn record(self, project: ProjectId) -> String {
        keys::version_by_key(project, self.key_version, self.number)
    }
}

impl OperationContext<'_, '_> {
    /// Adds versions to the index.
    pub(in crate::vault) fn index_versions(&mut self, project: ProjectId, versions: &[VersionKey]) -> Result<()> {
        for version in versions {
            self.tx.put(&version.record(project), MARK, Precondition::Always)?;
        }
        self.count_versions(project, &[], versions)
    }

    /// Removes versions from the index.
    pub(in crate::vault) fn unindex_versions(&mut self, project: ProjectId, versions: &[VersionKey]) -> Result<()> {
        for version in versions {
            self.tx.delete(&version.record(project))?;
        }
        self.count_versions(project, versions, &[])
    }

    /// Moves versions that were sealed with other keys to the key in use, and counts them as sealed with it.
    pub(in crate::vault) fn reindex_versions(
        &mut self,
        project: &ProjectRecord,
        versions: &[VersionKey],
    ) -> Result<()> {
        let moved: Vec<VersionKey> =
            versions.iter().map(|version| VersionKey { key_version: project.key_version, ..*version }).collect();
        for (old, new) in versions.iter().zip(&moved) {
            self.tx.delete(&old.record(project.id))?;
            self.tx.put(&new.record(project.id), MARK, Precondition::Always)?;
        }
        self.count_seals(project, moved.len())?;
        self.count_versions(project.id, versions, &moved)
    }

    /// Changes the count of versions, once for any number of them.
    fn count_versions(&mut self, project: ProjectId, removed: &[VersionKey], added: &[VersionKey]) -> Result<()> {
        if removed.is_empty() && added.is_empty() {
            return Ok(());
        }
        let key = keys::version_count(project);
        let mut count: VersionCountRecord = get(self.tx, &key)?.unwrap_or_default();
        let newest_key = added.iter().map(|version| version.key_version).max().unwrap_or_default();
        if newest_key > count.newest_key {
            (count.newest_key, count.under_newest_key) = (newest_key, 0);
        }
        let under_newest = |versions: &[VersionKey]| {
            versions.iter().filter(|version| version.key_version == count.newest_key).count() as u64
        };
        // A count that is too small, such as in a store that was put together from parts, keeps nobody from removing versions.
        count.under_newest_key = (count.under_newest_key + under_newest(added)).saturating_sub(under_newest(removed));
        count.all = (count.all + added.len() as u64).saturating_sub(removed.len() as u64);
        if count.all == 0 {
            return self.tx.delete(&key).map(drop);
        }
        put(self.tx, &key, &count, Precondition::Always)
    }

    /// Returns how many versions are sealed with former keys.
    pub(in crate::vault) fn count_under_former_keys(&mut self, project: &ProjectRecord) -> Result<u64> {
        let count: VersionCountRecord = get(self.tx, &keys::version_count(project.id))?.unwrap_or_default();
        let under_active_key = if count.newest_key == project.key_version { count.under_newest_key } else { 0 };
        Ok(count.all.saturating_sub(under_active_key))
    }

    /// Returns the numbers of the first `limit` versions that are sealed with former keys: those of the oldest key first,
    /// and of one key the oldest version first.
    pub(in crate::vault) fn under_former_keys(&mut self, project: &ProjectRecord, limit: usize) -> Result<Vec<u32>> {
        let range = keys::versions_before_key(project.id, project.key_version);
        let page = self.tx.scan(&range, Order::Ascending, limit)?;
        page.iter().map(|record| number_in(&record.key)).collect()
    }
}
