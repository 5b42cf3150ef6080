//! Service accounts: what programs that work on all of an organization are let in with. Each has permissions, a list of
//! addresses it may be used from, and any number of keys, which all may do what the account may at that moment.

use super::audit::words;
use super::delegation::check_allow_list;
use super::keys;
use super::name::check_name;
use super::operation::{OperationContext, no_such};
use super::records::{HolderRecord, ServiceAccountRecord};
use super::session::Session;
use super::setters::setters;
use super::token::check_permissions;
use super::use_case::UseCase;
use crate::core::audit::{Action, AuditActor, Details, Resource, ResourceKind};
use crate::core::clock::Timestamp;
use crate::core::id::OrganizationId;
use crate::core::id::ServiceAccountId;
use crate::core::ip_range::IpRange;
use crate::core::permission::PermissionSet;
use crate::error::{Error, ErrorKind, Result};
use crate::store::Precondition;

/// A service account.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ServiceAccount {
    /// Its id.
    pub id: ServiceAccountId,
    /// The organization it works on.
    pub organization: OrganizationId,
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
        Resource::named(ResourceKind::ServiceAccount, self.organization, self.id.into(), &self.name)
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
    pub(super) fn manage_service_accounts(&mut self, organization: OrganizationId) -> Result<()> {
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
    pub(super) fn managed_service_account(
        &mut self,
        organization: OrganizationId,
        id: ServiceAccountId,
    ) -> Result<ServiceAccountRecord> {
        self.manage_service_accounts(organization)?;
        self.get_authenticated(&keys::service_account(organization, id))?.ok_or_else(|| no_such("service account"))
    }
}

/// A service account to create.
#[derive(Clone, Debug)]
pub struct NewServiceAccount {
    pub(crate) id: Option<ServiceAccountId>,
    pub(crate) name: String,
    pub(crate) permissions: PermissionSet,
    pub(crate) allow_list: Vec<IpRange>,
}

impl NewServiceAccount {
    /// Creates the input for a service account of that name with those permissions, at least one, in all of the
    /// organization.
    pub fn new(name: impl Into<String>, permissions: PermissionSet) -> Self {
        Self { id: None, name: name.into(), permissions, allow_list: Vec::new() }
    }

    setters! {
        /// Sets the id, which only trusted programs can choose. By default it is a new one.
        id: Option<ServiceAccountId>;
        /// Sets from where the account's keys may be used, at most 100 ranges. An empty list, the default, allows every
        /// address, or those that the token or key may be used from that the account is made with.
        allow_list: Vec<IpRange>;
    }
}

impl Session<'_> {
    /// Makes a service account, which has no key yet.
    ///
    /// Service accounts are managed by whoever has the `api-token` permissions in all of the organization and is no
    /// service account: among people its owners and admins.
    ///
    /// # Errors
    /// `NotFound`; `Denied`, for a permission that the actor does not hold or addresses beyond the actor's own, and for one
    /// that is bound to a place or has an end; `InvalidName`; `InvalidValue`, without a permission; `Limit`, for more than 100 ranges of addresses;
    /// `Conflict`, for an id that is taken.
    pub fn create_service_account(
        &self,
        organization: OrganizationId,
        new: &NewServiceAccount,
    ) -> Result<ServiceAccount> {
        self.write(UseCase::CreateServiceAccount, |operation| {
            operation.manage_service_accounts(organization)?;
            let allow_list = match &*new.allow_list {
                // As for what is issued with a key: it is used from where that is.
                [] => operation.own_allow_list().to_vec(),
                given => check_allow_list(given)?,
            };
            // It has no end, so neither may whoever makes it.
            operation.check_credential(new.permissions, None, &allow_list)?;
            check_permissions(new.permissions)?;
            let record = ServiceAccountRecord {
                id: operation.given_id(new.id)?,
                organization,
                name: check_name(&new.name)?,
                permissions: new.permissions,
                allow_list,
                created_at: operation.now,
                updated_at: operation.now,
                created_by: operation.principal.actor.clone(),
            };
            operation.put_authenticated(
                &keys::service_account(organization, record.id),
                &record,
                Precondition::Absent,
            )?;
            operation.record(Action::Create, record.resource(), record.details())?;
            Ok(record.into())
        })
    }
}

impl Session<'_> {
    /// A service account.
    ///
    /// # Errors
    /// `NotFound`; `Denied`, for whoever may not manage it.
    pub fn service_account(&self, organization: OrganizationId, id: ServiceAccountId) -> Result<ServiceAccount> {
        self.read(UseCase::ReadServiceAccount, |operation| {
            let record = operation.managed_service_account(organization, id)?;
            operation.record(Action::Read, record.resource(), Details::default())?;
            Ok(record.into())
        })
    }
}

impl Session<'_> {
    /// The service accounts of an organization, in the order they were made.
    ///
    /// # Errors
    /// `NotFound`; `Denied`, for whoever may not manage them.
    pub fn service_accounts(&self, organization: OrganizationId) -> Result<Vec<ServiceAccount>> {
        self.read(UseCase::ListServiceAccounts, |operation| {
            operation.manage_service_accounts(organization)?;
            let range = keys::service_accounts(organization);
            let records: Vec<ServiceAccountRecord> = operation.scan_authenticated(range)?;
            let accounts: Vec<ServiceAccount> = records.into_iter().map(ServiceAccount::from).collect();
            let details = Details::read("service accounts", accounts.iter().map(|account| account.name.as_str()));
            operation.record(Action::Read, Resource::organization(organization), details)?;
            Ok(accounts)
        })
    }
}

/// The fields of a service account to change.
#[derive(Clone, Debug, Default)]
pub struct ServiceAccountUpdate {
    pub(crate) name: Option<String>,
    pub(crate) permissions: Option<PermissionSet>,
    pub(crate) allow_list: Option<Vec<IpRange>>,
}

impl ServiceAccountUpdate {
    /// Creates an update that changes nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    setters! {
        /// Sets the name.
        name: Option<impl Into<String>>;
        /// Sets the permissions.
        permissions: Option<PermissionSet>;
        /// Sets from where the account's keys may be used. An empty list allows every address.
        allow_list: Option<Vec<IpRange>>;
    }
}

impl Session<'_> {
    /// Changes a service account, and with it at once what all of its keys may do.
    ///
    /// # Errors
    /// `NotFound`; `Denied`, when it holds, or is to hold, what the actor does not, or is used from more addresses than the
    /// actor's own, and for whoever may not manage it;
    /// `InvalidName`; `InvalidValue`, without a permission; `Limit`, for more than 100 ranges of addresses.
    pub fn update_service_account(
        &self,
        organization: OrganizationId,
        id: ServiceAccountId,
        update: &ServiceAccountUpdate,
    ) -> Result<ServiceAccount> {
        self.write(UseCase::UpdateServiceAccount, |operation| {
            let mut record = operation.managed_service_account(organization, id)?;
            // What it may do was not this actor's to give, nor is it to change.
            operation.check_credential(record.permissions, None, &record.allow_list)?;
            if let Some(permissions) = update.permissions {
                check_permissions(permissions)?;
                record.permissions = permissions;
            }
            if let Some(allow_list) = &update.allow_list {
                record.allow_list = check_allow_list(allow_list)?;
            }
            operation.check_credential(record.permissions, None, &record.allow_list)?;
            if let Some(name) = &update.name {
                record.name = check_name(name)?;
            }
            record.updated_at = operation.now;
            operation.put_authenticated(&keys::service_account(organization, id), &record, Precondition::Present)?;
            operation.record(Action::Update, record.resource(), record.details())?;
            Ok(record.into())
        })
    }
}

impl Session<'_> {
    /// Removes a service account with its keys. These no longer work from then on.
    ///
    /// # Errors
    /// `NotFound`; `Denied`, for whoever may not manage it.
    pub fn delete_service_account(&self, organization: OrganizationId, id: ServiceAccountId) -> Result<()> {
        self.write(UseCase::DeleteServiceAccount, |operation| {
            let record = operation.managed_service_account(organization, id)?;
            let keys = operation.remove_tokens(keys::service_keys(organization, id))?;
            operation.tx.delete(&keys::service_account(organization, id))?;
            operation.record(Action::Delete, record.resource(), record.details().with("keys", keys))
        })
    }
}
