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
        self.write(UseCase::DeleteServiceAccount, |call| {
            let record = call.managed_service_account(organization, id)?;
            let keys = call.remove_tokens(&keys::service_keys(organization, id))?;
            call.tx.delete(&keys::service_account(organization, id))?;
            call.record(Action::Delete, record.resource(), record.details().with("keys", keys))
        })
    }
}
