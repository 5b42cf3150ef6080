use super::super::session::Session;
use super::super::use_case::UseCase;
use super::ServiceAccount;
use crate::Result;
use crate::core::{Action, Details, Id};

impl Session<'_> {
    /// A service account.
    ///
    /// # Errors
    /// `NotFound`; `Denied`, for whoever may not manage it.
    pub fn service_account(&self, organization: Id, id: Id) -> Result<ServiceAccount> {
        self.read(UseCase::ReadServiceAccount, |operation| {
            let record = operation.managed_service_account(organization, id)?;
            operation.record(Action::Read, record.resource(), Details::default())?;
            Ok(record.into())
        })
    }
}
