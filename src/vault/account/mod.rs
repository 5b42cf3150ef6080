//! Accounts of environments: what programs that need one environment are let in with. Each has exactly one key, made
//! with it, and what it may do stays what it was made with.

mod create;
mod delete;
mod list;
mod read;

pub use self::create::{IssuedAccount, NewAccount};
use super::audit::words;
use super::keys;
use super::operation::OperationContext;
use super::place::{Place, Reach};
use super::records::{NodeKind, TokenRecord};
use crate::Result;
use crate::core::{AuditActor, Details, Id, LevelPath, PermissionSet, Resource, ResourceKind, Timestamp};

/// What is known of an account of an environment. Its key is not.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Account {
    /// Its id.
    pub id: Id,
    /// Its name.
    pub name: String,
    /// The first characters of its key, to tell it from others.
    pub hint: String,
    /// What it may do: always `environment:read`, too.
    pub permissions: PermissionSet,
    /// The environment it belongs to.
    pub path: LevelPath,
    /// When it was made.
    pub created_at: Timestamp,
    /// By whom.
    pub created_by: AuditActor,
    /// From when on its key no longer works.
    pub expires_at: Option<Timestamp>,
    /// When its key was last used, to the minute.
    pub last_used_at: Option<Timestamp>,
}

impl Account {
    /// What is told of an account of the environment at that path.
    pub(super) fn new(record: TokenRecord, path: LevelPath) -> Self {
        Self {
            id: record.id,
            name: record.name,
            hint: record.hint,
            permissions: record.permissions,
            path,
            created_at: record.created_at,
            created_by: record.created_by.unwrap_or(AuditActor::SYSTEM),
            expires_at: record.expires_at,
            last_used_at: record.last_used_at,
        }
    }

    /// What it was done to, for the audit log.
    fn resource(&self, place: &Place) -> Result<Resource> {
        let mut resource = Resource::of(place)?.kind(ResourceKind::Account);
        resource.id = Some(self.id);
        resource.name = Some(self.name.clone());
        Ok(resource)
    }

    /// What is recorded when it is made or deleted.
    fn details(&self) -> Details {
        Details::default()
            .with("name", self.name.as_str())
            .with("permissions", words(self.permissions))
            .with("expiresAt", self.expires_at.map(|end| end.to_string()))
    }
}

impl OperationContext<'_, '_> {
    /// The environment whose accounts are meant.
    fn account_place(&mut self, organization: Id, path: &LevelPath) -> Result<Place> {
        Ok(self.node(organization, path, NodeKind::Environment, Reach::Inside)?.0)
    }

    /// The account of that id, with the key of its row.
    fn account(&mut self, place: &Place, id: Id) -> Result<(String, Account)> {
        let index = keys::account(place.project.id, place.id(), id);
        let record = self.token_under(&index, "account")?;
        Ok((index, Account::new(record, place.path()?)))
    }
}
