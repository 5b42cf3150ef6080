use super::super::keys;
use super::super::session::Session;
use super::super::use_case::UseCase;
use super::Account;
use crate::Result;
use crate::core::{Action, Details, Id, LevelPath, Resource, ResourceKind};

impl Session<'_> {
    /// The accounts of an environment, in the order they were made.
    ///
    /// # Errors
    /// `NotFound`.
    pub fn accounts(&self, organization: Id, path: &LevelPath) -> Result<Vec<Account>> {
        self.read(UseCase::ListAccounts, |operation| {
            let place = operation.account_place(organization, path)?;
            let path = place.path()?;
            let records = operation.tokens_in(&keys::accounts(place.project.id, place.id()))?;
            let accounts: Vec<Account> = records.into_iter().map(|record| Account::new(record, path.clone())).collect();
            let details = Details::read("list", accounts.iter().map(|account| account.name.as_str()));
            operation.record(Action::Read, Resource::of(&place)?.kind(ResourceKind::Account), details)?;
            Ok(accounts)
        })
    }
}
