use super::super::session::Session;
use super::super::use_case::UseCase;
use crate::Result;
use crate::core::{Action, Id, LevelPath};

impl Session<'_> {
    /// Removes an account of an environment for good. Its key no longer works from then on.
    ///
    /// # Errors
    /// `NotFound`.
    pub fn delete_account(&self, organization: Id, path: &LevelPath, id: Id) -> Result<()> {
        self.write(UseCase::DeleteAccount, |operation| {
            let place = operation.account_place(organization, path)?;
            let (index, account) = operation.account(&place, id)?;
            operation.remove_token(&index)?;
            operation.record(Action::Delete, account.resource(&place)?, account.details())
        })
    }
}
