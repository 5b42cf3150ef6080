use std::collections::BTreeSet;

use crate::core::id::LevelId;
use crate::core::id::OrganizationId;
use crate::core::id::ProjectId;
use crate::core::path::LevelPath;
use crate::error::Result;
use crate::store::{KeyRange, Order, Precondition};
use crate::vault::keys;
use crate::vault::operation::OperationContext;
use crate::vault::place::Place;
use crate::vault::records::{DeletedRecord, DeletedThing, NodeKind, NodeRecord, ProjectRecord, put};
use crate::vault::scan::Scan;

/// What became of something that was deleted.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(in crate::vault) enum Deletion {
    /// It can be restored for a while.
    Soft,
    /// It held nothing, and is gone.
    Hard,
}

impl Deletion {
    pub(in crate::vault) fn as_str(self) -> &'static str {
        match self {
            Self::Soft => "soft",
            Self::Hard => "hard",
        }
    }
}

impl OperationContext<'_, '_> {
    /// Deletes a target with its environments, or an environment.
    pub(in crate::vault) fn delete_node(&mut self, place: &Place, node: &NodeRecord) -> Result<Deletion> {
        let (organization, project) = (place.organization(), place.project.id);
        let path = place.path_below();
        let mut nodes = vec![(keys::node(project, &path), node.clone())];
        let mut scan = Scan::new(keys::nodes(project, &format!("{path}/")), Order::Ascending);
        while let Some(record) = scan.next(self.tx)? {
            let node = self.decode_authenticated(&record)?;
            nodes.push((record.key, node));
        }
        let below = match node.kind {
            NodeKind::Target => self.deleted_below(organization, project, node.id)?,
            NodeKind::Environment => Vec::new(),
        };
        let mut ids: BTreeSet<LevelId> = nodes.iter().map(|(_, node)| node.id).collect();
        let mut is_kept = false;
        for id in ids.iter().copied().chain(below.iter().map(|record| record.id)) {
            is_kept = is_kept || self.is_any(&node_holdings(project, id))?;
        }
        for (key, node) in &nodes {
            self.tx.delete(key)?;
            self.tx.delete(&keys::node_id(node.id))?;
        }
        if is_kept {
            for (_, below) in &nodes {
                self.put_authenticated(&keys::deleted_node(project, node.id, below.id), below, Precondition::Absent)?;
                put(self.tx, &keys::deleted_id(below.id), &node.id, Precondition::Absent)?;
            }
            let target = place.nodes.first().map(|node| node.id).filter(|id| *id != node.id);
            let what = DeletedThing::Node { kind: node.kind, project, target };
            self.keep_deleted(organization, node.id, &node.name, place.path()?, what)?;
            self.suspend_tokens(organization, project, Some(&ids), node.id)?;
            return Ok(Deletion::Soft);
        }
        for id in &ids {
            self.remove_node_rows(organization, project, *id, &mut { usize::MAX })?;
        }
        ids.extend(below.iter().map(|record| record.id));
        for record in below {
            self.remove_deleted(&record, &mut { usize::MAX })?;
        }
        self.revoke_tokens(organization, project, Some(&ids))?;
        Ok(Deletion::Hard)
    }

    pub(in crate::vault) fn delete_project(&mut self, project: &ProjectRecord) -> Result<Deletion> {
        let (organization, id) = (project.organization, project.id);
        let holdings = [
            keys::levels(id),
            keys::project_versions(id),
            keys::project_accounts(id),
            keys::project_webhooks(id),
            keys::project_environment_integrations(id),
        ];
        self.tx.delete(&keys::project(organization, &project.slug))?;
        self.tx.delete(&keys::project_id(id))?;
        if self.is_any(&holdings)? {
            let what = DeletedThing::Project(Box::new(project.clone()));
            put(self.tx, &keys::deleted_id(id.into()), &id, Precondition::Absent)?;
            self.keep_deleted(organization, id.into(), &project.name, LevelPath::new(&project.slug)?, what)?;
            self.suspend_tokens(organization, id, None, id.into())?;
            return Ok(Deletion::Soft);
        }
        self.remove_project(project)?;
        self.revoke_tokens(organization, id, None)?;
        Ok(Deletion::Hard)
    }

    fn keep_deleted(
        &mut self,
        organization: OrganizationId,
        id: LevelId,
        name: &str,
        path: LevelPath,
        what: DeletedThing,
    ) -> Result<()> {
        let record = DeletedRecord {
            id,
            organization,
            name: name.to_owned(),
            path,
            what,
            deleted_at: self.now,
            deleted_by: self.principal.actor.clone(),
            is_purged: false,
        };
        self.put_authenticated(&keys::deleted(organization, id.into()), &record, Precondition::Absent)
    }

    /// Lets tokens rest until what they were deleted with is restored.
    fn suspend_tokens(
        &mut self,
        organization: OrganizationId,
        project: ProjectId,
        nodes: Option<&BTreeSet<LevelId>>,
        deleted: LevelId,
    ) -> Result<()> {
        self.change_tokens(organization, project, nodes, |token| {
            token.deleted_with.get_or_insert(deleted);
        })
    }

    pub(super) fn revoke_tokens(
        &mut self,
        organization: OrganizationId,
        project: ProjectId,
        nodes: Option<&BTreeSet<LevelId>>,
    ) -> Result<()> {
        let now = self.now;
        self.change_tokens(organization, project, nodes, |token| {
            token.revoked_at.get_or_insert(now);
            token.deleted_with = None;
        })
    }

    fn is_any(&mut self, ranges: &[KeyRange]) -> Result<bool> {
        for range in ranges {
            if !self.tx.scan(range, Order::Ascending, 1)?.is_empty() {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

/// What a target or an environment is kept for.
fn node_holdings(project: ProjectId, node: LevelId) -> [KeyRange; 5] {
    [
        KeyRange::prefix(keys::level(project, node)),
        keys::versions(project, node),
        keys::accounts(project, node),
        keys::webhooks(project, node),
        keys::environment_integrations(project, node),
    ]
}
