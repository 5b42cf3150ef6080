//! Service accounts: what programs that work on all of an organization are let in with. Each has permissions, a list of
//! addresses it may be used from, and any number of keys, which all may do what the account may at that moment.

mod create;
mod delete;
mod list;
mod read;
mod update;

pub use self::create::NewServiceAccount;
pub use self::update::ServiceAccountUpdate;
use super::audit::words;
use super::keys;
use super::operation::{OperationContext, no_such};
use super::records::{HolderRecord, ServiceAccountRecord, get};
use crate::core::{AuditActor, Details, Id, IpRange, PermissionSet, Resource, ResourceKind, Timestamp};
use crate::{Error, ErrorKind, Result};

/// A service account.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ServiceAccount {
    /// Its id.
    pub id: Id,
    /// The organization it works on.
    pub organization: Id,
    /// Its name.
    pub name: String,
    /// What it may do in all of the organization.
    pub permissions: PermissionSet,
    /// From where its keys may be used; from everywhere, where there is none.
    pub allow_list: Vec<IpRange>,
    /// When it was made.
    pub created_at: Timestamp,
    /// By whom.
    pub created_by: AuditActor,
    /// When one of these was changed last.
    pub updated_at: Timestamp,
}

impl From<ServiceAccountRecord> for ServiceAccount {
    fn from(record: ServiceAccountRecord) -> Self {
        Self {
            id: record.id,
            organization: record.organization,
            name: record.name,
            permissions: record.permissions,
            allow_list: record.allow_list,
            created_at: record.created_at,
            created_by: record.created_by,
            updated_at: record.updated_at,
        }
    }
}

impl ServiceAccountRecord {
    /// What it was done to, for the audit log.
    fn resource(&self) -> Resource {
        Resource::named(ResourceKind::ServiceAccount, self.organization, self.id, &self.name)
    }

    /// What is recorded when it is made, changed or deleted.
    fn details(&self) -> Details {
        Details::default()
            .with("name", self.name.as_str())
            .with("permissions", words(self.permissions))
            .with("allowList", self.allow_list.iter().map(IpRange::to_string).collect::<Vec<_>>())
    }
}

impl OperationContext<'_, '_> {
    /// Refuses whoever may not manage the service accounts of an organization: who is bound to a place in it, and
    /// service accounts themselves, whatever they hold.
    pub(super) fn manage_service_accounts(&mut self, organization: Id) -> Result<()> {
        self.whole_organization(organization)?;
        match &self.principal.token {
            Some((_, token)) if matches!(token.holder, HolderRecord::ServiceAccount { .. }) => {
                let message = "service accounts are managed by people, not by service accounts: log in";
                Err(Error::new(ErrorKind::Denied, message))
            }
            _ => Ok(()),
        }
    }

    /// The service account of that id, for whoever may manage it.
    pub(super) fn managed_service_account(&mut self, organization: Id, id: Id) -> Result<ServiceAccountRecord> {
        self.manage_service_accounts(organization)?;
        get(self.tx, &keys::service_account(organization, id))?.ok_or_else(|| no_such("service account"))
    }
}
