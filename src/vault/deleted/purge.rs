use std::collections::BTreeSet;

use crate::core::audit::{Action, Details, ResourceKind};
use crate::core::id::EnvironmentId;
use crate::core::id::LevelId;
use crate::core::id::OrganizationId;
use crate::core::id::ProjectId;
use crate::core::id::TargetId;
use crate::error::Result;
use crate::store::{Order, Precondition, StoreExt as _};
use crate::vault::deleted::{deleted_nodes, deleted_roots};
use crate::vault::engine::Vault;
use crate::vault::keys;
use crate::vault::operation::OperationContext;
use crate::vault::records::{DeletedRecord, DeletedThing, NodeRecord, ProjectRecord};
use crate::vault::scan::Scan;
use crate::vault::sealed_records::{Owner, SealedRecords, WrappingKey};
use crate::vault::session::{Actor, Session};
use crate::vault::use_case::UseCase;

/// How many records a sweep removes in one transaction, or looks at.
const STEP: usize = 500;

impl Session<'_> {
    /// Removes a deleted project for good, with its levels, versions and keys. Its tokens are revoked.
    ///
    /// # Errors
    /// `NotFound`, also for one that is not deleted.
    pub fn purge_project(&self, organization: OrganizationId, id: ProjectId) -> Result<()> {
        self.write(UseCase::PurgeProject, |operation| operation.purge(organization, ResourceKind::Project, id.into()))
    }

    /// Removes a deleted target for good, with its environments and their versions, also those that were deleted before
    /// it. Their tokens are revoked.
    ///
    /// # Errors
    /// `NotFound`, also for one that is not deleted.
    pub fn purge_target(&self, organization: OrganizationId, id: TargetId) -> Result<()> {
        self.write(UseCase::PurgeTarget, |operation| operation.purge(organization, ResourceKind::Target, id.into()))
    }

    /// Removes a deleted environment for good, with its versions. Its tokens are revoked.
    ///
    /// # Errors
    /// `NotFound`, also for one that is not deleted.
    pub fn purge_environment(&self, organization: OrganizationId, id: EnvironmentId) -> Result<()> {
        self.write(UseCase::PurgeEnvironment, |operation| {
            operation.purge(organization, ResourceKind::Environment, id.into())
        })
    }
}

impl Vault {
    /// Removes for good what was deleted too long ago to be restored, in small transactions.
    pub(in crate::vault) fn purge_due(&self) -> Result<()> {
        let now = self.now();
        let session = self.session(Actor::system("sweep"));
        let mut range = keys::all_deleted();
        loop {
            let page = self.store.read(|tx| tx.scan(&range, Order::Ascending, STEP))?;
            for stored in &page {
                let record: DeletedRecord = self.authenticator.decode(stored)?;
                // Any process may take the next step, so what is left is looked up each time.
                while record.is_due(now)
                    && !session.write(UseCase::PurgeProject, |operation| operation.purge_step(&stored.key))?
                {
                }
            }
            match page.last() {
                Some(last) if page.len() == STEP => range = range.after(&last.key),
                _ => return Ok(()),
            }
        }
    }
}

impl OperationContext<'_, '_> {
    fn purge(&mut self, organization: OrganizationId, kind: ResourceKind, id: LevelId) -> Result<()> {
        let mut record = self.deleted(organization, kind, id)?;
        self.begin_purge(&mut record)?;
        self.remove_deleted(&record, &mut { usize::MAX }).map(drop)
    }

    /// Removes part of what is due; `true`, when nothing of it is left.
    fn purge_step(&mut self, key: &str) -> Result<bool> {
        let Some(mut record) = self.get_authenticated::<DeletedRecord>(key)?.filter(|record| record.is_due(self.now))
        else {
            return Ok(true);
        };
        if !record.is_purged {
            self.begin_purge(&mut record)?;
        }
        self.remove_deleted(&record, &mut { STEP })
    }

    /// From here on there is no way back, also if it takes several transactions.
    fn begin_purge(&mut self, record: &mut DeletedRecord) -> Result<()> {
        record.is_purged = true;
        self.put_authenticated(&keys::deleted(record.organization, record.id.into()), record, Precondition::Present)?;
        let project = record.project();
        let nodes = match record.what {
            DeletedThing::Project(_) => None,
            DeletedThing::Node { .. } => {
                let mut nodes = self.nodes_deleted_with(project, record.id)?;
                nodes.extend(self.deleted_below(record.organization, project, record.id)?.iter().map(|below| below.id));
                Some(nodes)
            }
        };
        self.revoke_tokens(record.organization, project, nodes.as_ref())?;
        let details = Details::default().with("op", "purge").with("name", record.name.as_str());
        let details = details.with("deletedAt", record.deleted_at.to_string());
        self.record(Action::Delete, record.resource(), details)
    }

    fn nodes_deleted_with(&mut self, project: ProjectId, root: LevelId) -> Result<BTreeSet<LevelId>> {
        let nodes: Vec<NodeRecord> = self.scan_authenticated(keys::deleted_nodes_of(project, root))?;
        Ok(nodes.iter().map(|node| node.id).collect())
    }

    /// Removes something deleted, about `left` records of it; `true`, when nothing is left.
    pub(super) fn remove_deleted(&mut self, record: &DeletedRecord, left: &mut usize) -> Result<bool> {
        let is_done = match &record.what {
            DeletedThing::Project(project) => self.remove_project_up_to(project, left)?,
            DeletedThing::Node { project, .. } => {
                for below in self.deleted_below(record.organization, *project, record.id)? {
                    if !self.remove_deleted(&below, left)? {
                        return Ok(false);
                    }
                }
                for node in self.nodes_deleted_with(*project, record.id)? {
                    if !self.remove_node_rows(record.organization, *project, node, left)? {
                        return Ok(false);
                    }
                    self.tx.delete(&keys::deleted_id(node))?;
                }
                self.remove_up_to(&keys::deleted_nodes_of(*project, record.id), left)?
            }
        };
        if is_done {
            self.tx.delete(&keys::deleted(record.organization, record.id.into()))?;
        }
        Ok(is_done)
    }

    /// Removes what lies under the id of a target or an environment; `true`, when nothing is left.
    pub(super) fn remove_node_rows(
        &mut self,
        organization: OrganizationId,
        project: ProjectId,
        node: LevelId,
        left: &mut usize,
    ) -> Result<bool> {
        self.remove_grants(organization, project, Some(node))?;
        self.remove_level(project, node)?;
        self.tx.delete(&keys::floor(project, node))?;
        self.remove_tokens(keys::accounts(project, node))?;
        self.remove_webhooks(project, Some(node))?;
        self.remove_integrations(project, Some(node))?;
        self.remove_versions_up_to(project, &keys::versions(project, node), left)
    }

    /// Removes what lies under the id of a project.
    pub(in crate::vault) fn remove_project(&mut self, project: &ProjectRecord) -> Result<()> {
        self.remove_project_up_to(project, &mut { usize::MAX }).map(drop)
    }

    fn remove_project_up_to(&mut self, project: &ProjectRecord, left: &mut usize) -> Result<bool> {
        let (organization, id) = (project.organization, project.id);
        let mut nodes = Scan::new(keys::nodes(id, ""), Order::Ascending);
        // The nodes themselves go below, the same ones first.
        for _ in 0..*left {
            let Some(record) = nodes.next(self.tx)? else {
                break;
            };
            self.tx.delete(&keys::node_id(self.decode_authenticated::<NodeRecord>(&record)?.id))?;
        }
        for root in deleted_roots(self.tx, id)? {
            self.tx.delete(&keys::deleted(organization, root.into()))?;
        }
        for node in deleted_nodes(self.tx, id)? {
            self.tx.delete(&keys::deleted_id(node))?;
        }
        self.remove_grants(organization, id, None)?;
        self.remove_tokens(keys::project_accounts(id))?;
        self.remove_webhooks(id, None)?;
        self.remove_integrations(id, None)?;
        let owner = Owner::Project(organization, id);
        let sealed = |key| SealedRecords::wrapped_with(key).filter_map(|records| records.range(owner));
        let ranges = [
            keys::nodes(id, ""),
            keys::deleted_nodes(id),
            keys::levels(id),
            keys::floors(id),
            keys::project_versions(id),
            keys::versions_by_key(id),
            keys::ivs(id),
        ];
        // The keys come last: none is removed while a record names it, and what is left can be checked until then.
        let sealed = sealed(WrappingKey::ProjectDek).chain(sealed(WrappingKey::OrganizationKek));
        for range in ranges.into_iter().chain(sealed) {
            if !self.remove_up_to(&range, left)? {
                return Ok(false);
            }
        }
        self.tx.delete(&keys::counter(id))?;
        self.tx.delete(&keys::version_count(id))?;
        self.tx.delete(&keys::project_number(organization, project.number))?;
        self.tx.delete(&keys::project_id(id))?;
        self.tx.delete(&keys::deleted_id(id.into()))?;
        Ok(true)
    }
}
