use super::super::session::Session;
use super::super::use_case::UseCase;
use super::Account;
use crate::Result;
use crate::core::{Action, Details, Id, LevelPath};

impl Session<'_> {
    /// What is known of an account of an environment.
    ///
    /// # Errors
    /// `NotFound`.
    pub fn account(&self, organization: Id, path: &LevelPath, id: Id) -> Result<Account> {
        self.read(UseCase::ReadAccount, |operation| {
            let place = operation.account_place(organization, path)?;
            let (_, account) = operation.account(&place, id)?;
            operation.record(Action::Read, account.resource(&place)?, Details::default())?;
            Ok(account)
        })
    }
}
