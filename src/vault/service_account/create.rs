use super::super::keys;
use super::super::name::check_name;
use super::super::records::{ServiceAccountRecord, put};
use super::super::session::Session;
use super::super::token::{check_allow_list, check_permissions};
use super::super::use_case::UseCase;
use super::ServiceAccount;
use crate::Result;
use crate::core::{Action, Id, IpRange, PermissionSet};
use crate::store::Precondition;

/// A service account that is to be made.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct NewServiceAccount {
    /// Its id, which only trusted programs may give; a new one, where none is given.
    pub id: Option<Id>,
    /// Its name.
    pub name: String,
    /// What it may do in all of the organization: at least one thing.
    pub permissions: PermissionSet,
    /// From where its keys may be used, at most 100 ranges; from everywhere, where there is none.
    pub allow_list: Vec<IpRange>,
}

impl NewServiceAccount {
    /// A service account of that name with those permissions.
    pub fn new(name: impl Into<String>, permissions: PermissionSet) -> Self {
        Self { id: None, name: name.into(), permissions, allow_list: Vec::new() }
    }
}

impl Session<'_> {
    /// Makes a service account, which has no key yet.
    ///
    /// Service accounts are managed by whoever has the `api-token` permissions in all of the organization and is no
    /// service account: among people its owners and admins.
    ///
    /// # Errors
    /// `NotFound`; `Denied`, for a permission that the actor does not hold, and for one that is bound to a place or has
    /// an end; `InvalidName`; `InvalidValue`, without a permission; `Limit`, for more than 100 ranges of addresses;
    /// `Conflict`, for an id that is taken.
    pub fn create_service_account(&self, organization: Id, new: &NewServiceAccount) -> Result<ServiceAccount> {
        self.write(UseCase::CreateServiceAccount, |operation| {
            operation.manage_service_accounts(organization)?;
            // It has no end, so neither may whoever makes it.
            operation.check_grant(new.permissions, None)?;
            check_permissions(new.permissions)?;
            let record = ServiceAccountRecord {
                id: operation.given_id(new.id)?,
                organization,
                name: check_name(&new.name)?,
                permissions: new.permissions,
                allow_list: check_allow_list(&new.allow_list)?,
                created_at: operation.now,
                updated_at: operation.now,
                created_by: operation.principal.actor.clone(),
            };
            put(operation.tx, &keys::service_account(organization, record.id), &record, Precondition::Absent)?;
            operation.record(Action::Create, record.resource(), record.details())?;
            Ok(record.into())
        })
    }
}
