use super::deleted::deleted_nodes;
use super::iv_index::is_rotation_advised;
use super::keys;
use super::records::{CounterRecord, DeletedRecord, OrganizationRecord, ProjectRecord, VaultRecord, get};
use super::scan::Scan;
use crate::core::clock::Timestamp;
use crate::core::id::Id;
use crate::core::id::OrganizationId;
use crate::core::path::LevelPath;
use crate::error::Result;
use crate::store::{KeyRange, Order, Record, StoreExt as _, Transaction};
use crate::vault::engine::Vault;

/// How much there is in a vault.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Statistics {
    /// The version of the shapes of its records.
    pub schema: u32,
    /// When it was made.
    pub created_at: Timestamp,
    /// Organizations.
    pub organizations: u64,
    /// Projects, in all organizations.
    pub projects: u64,
    /// Projects, targets and environments: the places that can hold a document.
    pub levels: u64,
    /// Former contents of levels.
    pub versions: u64,
    /// What was deleted and is kept to be restored; neither that nor what is in it is counted elsewhere here.
    pub deleted: u64,
    /// The projects whose level key has sealed so many blobs that it should be rotated; see
    /// [`ProjectKey::is_rotation_advised`](crate::vault::ProjectKey::is_rotation_advised).
    pub rotation_advised: Vec<(OrganizationId, LevelPath)>,
    /// Whether there is something for [`Vault::sweep`] to remove: audit records that nobody sees any more, or what can no
    /// longer be restored.
    pub is_sweep_due: bool,
}

impl Vault {
    /// Counts what there is. It opens nothing, and no content of a level is read.
    ///
    /// # Errors
    /// What the store says.
    pub fn statistics(&self) -> Result<Statistics> {
        let now = self.now();
        self.store.read(|tx| {
            let vault: VaultRecord = super::records::require(tx, keys::VAULT)?;
            let mut statistics = Statistics {
                schema: vault.schema,
                created_at: vault.created_at,
                organizations: 0,
                projects: 0,
                levels: 0,
                versions: 0,
                deleted: 0,
                rotation_advised: Vec::new(),
                is_sweep_due: false,
            };
            let mut organizations: Vec<OrganizationId> = Vec::new();
            each(tx, keys::organizations(), |record| {
                organizations.push(self.authenticator.decode::<OrganizationRecord>(record)?.id);
                Ok(())
            })?;
            statistics.organizations = organizations.len() as u64;
            for organization in organizations {
                let mut projects: Vec<ProjectRecord> = Vec::new();
                each(tx, keys::projects(organization), |record| {
                    projects.push(self.authenticator.decode(record)?);
                    Ok(())
                })?;
                statistics.projects += projects.len() as u64;
                for ProjectRecord { id: project, slug, key_version, .. } in projects {
                    let counter: CounterRecord = get(tx, &keys::counter(project))?.unwrap_or_default();
                    if is_rotation_advised(counter.seals_of(key_version)) {
                        statistics.rotation_advised.push((organization, LevelPath::new(&slug)?));
                    }
                    statistics.levels += 1 + each(tx, keys::nodes(project, ""), |_| Ok(()))?;
                    statistics.versions += each(tx, keys::project_versions(project), |_| Ok(()))?;
                    for node in deleted_nodes(tx, project)? {
                        statistics.versions -= each(tx, keys::versions(project, node), |_| Ok(()))?;
                    }
                }
                statistics.deleted += each(tx, keys::deleted_in(organization), |record| {
                    statistics.is_sweep_due |= self.authenticator.decode::<DeletedRecord>(record)?.is_due(now);
                    Ok(())
                })?;
                let owner: Option<OrganizationRecord> =
                    self.authenticator.get(tx, &keys::organization(organization))?;
                let oldest = tx.scan(&keys::audits(organization), Order::Ascending, 1)?;
                if let (Some(owner), Some(oldest)) = (owner, oldest.first()) {
                    let id = Id::parse(oldest.key.rsplit('/').next().unwrap_or_default())?;
                    statistics.is_sweep_due |= id.timestamp() < owner.tier.retention().oldest_visible(now);
                }
            }
            Ok(statistics)
        })
    }
}

/// Counts the records of a range, with a look at each.
fn each(tx: &mut dyn Transaction, range: KeyRange, mut look: impl FnMut(&Record) -> Result<()>) -> Result<u64> {
    let mut scan = Scan::new(range, Order::Ascending);
    let mut count = 0;
    while let Some(record) = scan.next(tx)? {
        look(&record)?;
        count += 1;
    }
    Ok(count)
}
