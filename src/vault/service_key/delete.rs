use super::super::keys;
use super::super::session::Session;
use super::super::use_case::UseCase;
use super::ServiceKey;
use crate::Result;
use crate::core::{Action, Id};

impl Session<'_> {
    /// Removes a key of a service account. It no longer works from then on; the account's other keys do.
    ///
    /// # Errors
    /// `NotFound`; `Denied`, for whoever may not manage it.
    pub fn delete_service_key(&self, organization: Id, account: Id, id: Id) -> Result<()> {
        self.write(UseCase::DeleteServiceKey, |operation| {
            operation.managed_service_account(organization, account)?;
            let index = keys::service_key(organization, account, id);
            let key = ServiceKey::new(operation.token_under(&index, "key")?)?;
            operation.remove_token(&index)?;
            operation.record(Action::Delete, key.resource(), key.details())
        })
    }
}
