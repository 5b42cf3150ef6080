use super::super::keys;
use super::super::session::Session;
use super::super::use_case::UseCase;
use crate::Result;
use crate::core::{Action, Id};

impl Session<'_> {
    /// Removes a service account with its keys. These no longer work from then on.
    ///
    /// # Errors
    /// `NotFound`; `Denied`, for whoever may not manage it.
    pub fn delete_service_account(&self, organization: Id, id: Id) -> Result<()> {
        self.write(UseCase::DeleteServiceAccount, |operation| {
            let record = operation.managed_service_account(organization, id)?;
            let keys = operation.remove_tokens(&keys::service_keys(organization, id))?;
            operation.tx.delete(&keys::service_account(organization, id))?;
            operation.record(Action::Delete, record.resource(), record.details().with("keys", keys))
        })
    }
}
