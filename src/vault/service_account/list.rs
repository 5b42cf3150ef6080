use super::super::keys;
use super::super::records::{ServiceAccountRecord, decode};
use super::super::session::Session;
use super::super::use_case::UseCase;
use super::ServiceAccount;
use crate::Result;
use crate::core::{Action, Details, Id, Resource};
use crate::store::Order;

impl Session<'_> {
    /// The service accounts of an organization, in the order they were made.
    ///
    /// # Errors
    /// `NotFound`; `Denied`, for whoever may not manage them.
    pub fn service_accounts(&self, organization: Id) -> Result<Vec<ServiceAccount>> {
        self.read(UseCase::ListServiceAccounts, |operation| {
            operation.manage_service_accounts(organization)?;
            let records = operation.tx.scan(&keys::service_accounts(organization), Order::Ascending, usize::MAX)?;
            let accounts: Vec<ServiceAccount> = records
                .iter()
                .map(|record| decode::<ServiceAccountRecord>(&record.value).map(ServiceAccount::from))
                .collect::<Result<_>>()?;
            let details = Details::read("service accounts", accounts.iter().map(|account| account.name.as_str()));
            operation.record(Action::Read, Resource::organization(organization), details)?;
            Ok(accounts)
        })
    }
}
