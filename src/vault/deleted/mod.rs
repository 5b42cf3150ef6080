//! What was deleted: kept for a while if it holds anything, and then removed for good.
//!
//! Contents, versions and keys lie under ids, and stay where they are. What a deletion takes away is the way to them.

mod delete;
mod purge;
mod restore;

use std::cmp::Reverse;
use std::collections::BTreeSet;
use std::time::Duration;

use super::authenticated_record::RecordAuthenticator;
use super::keys;
use super::operation::{OperationContext, no_such};
use super::place::Reach;
use super::records::{DeletedRecord, DeletedThing, NodeKind, ProjectRecord, TokenRecord, damaged};
use super::session::Session;
use super::use_case::UseCase;
use crate::core::audit::{Action, AuditActor, Details, Resource, ResourceKind};
use crate::core::clock::Timestamp;
use crate::core::id::Id;
use crate::core::id::LevelId;
use crate::core::id::OrganizationId;
use crate::core::id::ProjectId;
use crate::core::path::LevelPath;
use crate::core::permission::PermissionSet;
use crate::error::Result;
use crate::store::{Order, Precondition, Transaction};
use crate::vault::scan::{Scan, scan_keys};

/// How long what was deleted can be restored.
const KEPT_FOR: Duration = Duration::from_secs(30 * 24 * 60 * 60);

impl DeletedRecord {
    /// The last moment at which it can be restored.
    fn restorable_until(&self) -> Timestamp {
        self.deleted_at.checked_add(KEPT_FOR).unwrap_or(Timestamp::MAX)
    }

    /// Whether it is to be removed for good.
    pub(super) fn is_due(&self, now: Timestamp) -> bool {
        self.is_purged || now > self.restorable_until()
    }

    fn kind(&self) -> ResourceKind {
        match &self.what {
            DeletedThing::Project(_) => ResourceKind::Project,
            DeletedThing::Node { kind: NodeKind::Target, .. } => ResourceKind::Target,
            DeletedThing::Node { kind: NodeKind::Environment, .. } => ResourceKind::Environment,
        }
    }

    fn project(&self) -> ProjectId {
        match &self.what {
            DeletedThing::Project(project) => project.id,
            DeletedThing::Node { project, .. } => *project,
        }
    }

    /// For the audit log.
    fn resource(&self) -> Resource {
        let mut resource = Resource::new(self.kind(), self.organization);
        resource.project = Some(self.project());
        resource.environment = Some(self.id);
        if let DeletedThing::Node { target, .. } = &self.what {
            resource.target = target.map(|id| Id::from(id).into());
        }
        resource.path = Some(self.path.clone());
        resource
    }
}

impl OperationContext<'_, '_> {
    /// What was deleted of that kind and id, if the actor may know of it and it can still be restored.
    fn deleted(&mut self, organization: OrganizationId, kind: ResourceKind, id: LevelId) -> Result<DeletedRecord> {
        self.organization(organization)?;
        let record: Option<DeletedRecord> = self.get_authenticated(&keys::deleted(organization, id.into()))?;
        let record = record.filter(|record| record.kind() == kind).ok_or_else(|| no_such("deleted thing"))?;
        self.rights = self.rights_to_deleted(&record)?.ok_or_else(|| no_such("deleted thing"))?;
        self.require()?;
        Ok(record)
    }

    /// What the actor may do with something that was deleted: what they may where it stood. None, if they may not know
    /// of it.
    fn rights_to_deleted(&mut self, record: &DeletedRecord) -> Result<Option<PermissionSet>> {
        if record.is_due(self.now) {
            return Ok(None);
        }
        match record.what {
            DeletedThing::Project(_) if self.principal.scope().is_some() => Ok(None),
            DeletedThing::Project(_) => self.rights_below(record.project(), &[], "", Reach::Inside),
            DeletedThing::Node { project, target, .. } => {
                self.rights_below(project, &Vec::from_iter(target), "", Reach::Inside)
            }
        }
    }

    /// What was deleted before out of a target.
    fn deleted_below(
        &mut self,
        organization: OrganizationId,
        project: ProjectId,
        target: LevelId,
    ) -> Result<Vec<DeletedRecord>> {
        let mut below = Vec::new();
        for root in deleted_roots(self.tx, project)? {
            let record: DeletedRecord = self.require_authenticated(&keys::deleted(organization, root.into()))?;
            if matches!(record.what, DeletedThing::Node { target: Some(above), .. } if above == target) {
                below.push(record);
            }
        }
        Ok(below)
    }

    /// Changes the tokens and accounts that are bound to a project, or of these only the ones that are bound to some nodes of it.
    fn change_tokens(
        &mut self,
        organization: OrganizationId,
        project: ProjectId,
        nodes: Option<&BTreeSet<LevelId>>,
        change: impl Fn(&mut TokenRecord),
    ) -> Result<()> {
        let mut indexes = scan_keys(self.tx, keys::token_ids(organization))?;
        indexes.extend(scan_keys(self.tx, keys::project_accounts(project))?);
        for index in indexes {
            let (key, mut token) = self.indexed_token(&index)?.ok_or_else(damaged)?;
            let is_bound = token.scope.as_ref().is_some_and(|scope| {
                scope.project == project
                    && nodes.is_none_or(|nodes| scope.node.is_some_and(|node| nodes.contains(&node)))
            });
            if is_bound {
                change(&mut token);
                self.put_authenticated(&key, &token, Precondition::Present)?;
            }
        }
        Ok(())
    }
}

/// All projects of an organization, also those that were deleted and can be restored.
pub(super) fn all_projects(
    authenticator: &RecordAuthenticator,
    tx: &mut dyn Transaction,
    organization: OrganizationId,
) -> Result<Vec<ProjectRecord>> {
    let mut projects = Vec::new();
    let mut scan = Scan::new(keys::projects(organization), Order::Ascending);
    while let Some(record) = scan.next(tx)? {
        projects.push(authenticator.decode(&record)?);
    }
    let mut scan = Scan::new(keys::deleted_in(organization), Order::Ascending);
    while let Some(record) = scan.next(tx)? {
        if let DeletedThing::Project(project) = authenticator.decode::<DeletedRecord>(&record)?.what {
            projects.push(*project);
        }
    }
    Ok(projects)
}

/// The targets and environments of a project that were deleted, by themselves or with the target above.
pub(super) fn deleted_nodes(tx: &mut dyn Transaction, project: ProjectId) -> Result<BTreeSet<LevelId>> {
    ids_in_keys(tx, project, 0)
}

/// Of these, the ones that were deleted by themselves.
fn deleted_roots(tx: &mut dyn Transaction, project: ProjectId) -> Result<BTreeSet<LevelId>> {
    ids_in_keys(tx, project, 1)
}

fn ids_in_keys(tx: &mut dyn Transaction, project: ProjectId, from_the_end: usize) -> Result<BTreeSet<LevelId>> {
    let id =
        |key: &String| LevelId::parse(key.rsplit('/').nth(from_the_end).unwrap_or_default()).map_err(|_| damaged());
    scan_keys(tx, keys::deleted_nodes(project))?.iter().map(id).collect()
}

/// A project, a target or an environment that was deleted and can be restored.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Deleted {
    /// The id it has.
    pub id: LevelId,
    /// What it is: [`Project`](ResourceKind::Project), [`Target`](ResourceKind::Target) or
    /// [`Environment`](ResourceKind::Environment).
    pub kind: ResourceKind,
    /// Its name.
    pub name: String,
    /// The path it had.
    pub path: LevelPath,
    /// When it was deleted.
    pub deleted_at: Timestamp,
    /// By whom.
    pub deleted_by: AuditActor,
    /// The last moment at which it can be restored.
    pub restorable_until: Timestamp,
}

impl From<DeletedRecord> for Deleted {
    fn from(record: DeletedRecord) -> Self {
        Self {
            id: record.id,
            kind: record.kind(),
            restorable_until: record.restorable_until(),
            name: record.name,
            path: record.path,
            deleted_at: record.deleted_at,
            deleted_by: record.deleted_by,
        }
    }
}

impl Session<'_> {
    /// What was deleted in an organization and can be restored, as far as the actor may know of it; the latest deletion
    /// first. Environments that went with their target or project are not listed: they come back with it.
    ///
    /// # Errors
    /// `NotFound`.
    pub fn deleted(&self, organization: OrganizationId) -> Result<Vec<Deleted>> {
        self.read(UseCase::ListDeleted, |operation| {
            operation.organization(organization)?;
            let mut deleted = Vec::new();
            let mut scan = Scan::new(keys::deleted_in(organization), Order::Ascending);
            while let Some(record) = scan.next(operation.tx)? {
                let record: DeletedRecord = operation.decode_authenticated(&record)?;
                let rights = operation.rights_to_deleted(&record)?;
                if rights.is_some_and(|rights| rights.contains_all(operation.needed)) {
                    deleted.push(Deleted::from(record));
                }
            }
            deleted.sort_by_key(|one| Reverse((one.deleted_at, one.id)));
            let details = Details::read("deleted", deleted.iter().map(|one| one.path.as_str()));
            operation.record(Action::Read, Resource::organization(organization), details)?;
            Ok(deleted)
        })
    }
}
