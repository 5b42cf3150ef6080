use super::super::keys;
use super::super::name::check_name;
use super::super::records::put;
use super::super::session::Session;
use super::super::token::{check_allow_list, check_permissions};
use super::super::use_case::UseCase;
use super::ServiceAccount;
use crate::Result;
use crate::core::{Action, Id, IpRange, PermissionSet};
use crate::store::Precondition;

/// What is to change about a service account.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct ServiceAccountUpdate {
    /// Another name.
    pub name: Option<String>,
    /// Other permissions.
    pub permissions: Option<PermissionSet>,
    /// Another list of where its keys may be used from; an empty one for everywhere.
    pub allow_list: Option<Vec<IpRange>>,
}

impl Session<'_> {
    /// Changes a service account, and with it at once what all of its keys may do.
    ///
    /// # Errors
    /// `NotFound`; `Denied`, when it holds, or is to hold, what the actor does not, and for whoever may not manage it;
    /// `InvalidName`; `InvalidValue`, without a permission; `Limit`, for more than 100 ranges of addresses.
    pub fn update_service_account(
        &self,
        organization: Id,
        id: Id,
        update: &ServiceAccountUpdate,
    ) -> Result<ServiceAccount> {
        self.write(UseCase::UpdateServiceAccount, |operation| {
            let mut record = operation.managed_service_account(organization, id)?;
            // What it may do was not this actor's to give, nor is it to change.
            operation.check_grant(record.permissions, None)?;
            if let Some(permissions) = update.permissions {
                operation.check_grant(permissions, None)?;
                check_permissions(permissions)?;
                record.permissions = permissions;
            }
            if let Some(allow_list) = &update.allow_list {
                record.allow_list = check_allow_list(allow_list)?;
            }
            if let Some(name) = &update.name {
                record.name = check_name(name)?;
            }
            record.updated_at = operation.now;
            put(operation.tx, &keys::service_account(organization, id), &record, Precondition::Present)?;
            operation.record(Action::Update, record.resource(), record.details())?;
            Ok(record.into())
        })
    }
}
