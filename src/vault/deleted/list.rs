use std::cmp::Reverse;

use super::super::keys;
use super::super::records::{DeletedRecord, decode};
use super::super::session::Session;
use super::super::use_case::UseCase;
use crate::Result;
use crate::core::{Action, AuditActor, Details, Id, LevelPath, Resource, ResourceKind, Timestamp};
use crate::store::Order;

/// A project, a target or an environment that was deleted and can be restored.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Deleted {
    /// The id it has.
    pub id: Id,
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
    pub fn deleted(&self, organization: Id) -> Result<Vec<Deleted>> {
        self.read(UseCase::ListDeleted, |operation| {
            operation.organization(organization)?;
            let mut deleted = Vec::new();
            for record in operation.tx.scan(&keys::deleted_in(organization), Order::Ascending, usize::MAX)? {
                let record: DeletedRecord = decode(&record.value)?;
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
