use super::super::keys;
use super::super::page::{Page, Paging};
use super::super::records::{UserRecord, decode};
use super::super::session::Session;
use super::super::use_case::UseCase;
use super::User;
use crate::Result;
use crate::core::{Action, Details, Resource, ResourceKind};
use crate::store::Order;

impl Session<'_> {
    /// All users of the vault, in the order they were made. Only trusted programs can list them.
    ///
    /// # Errors
    /// `InvalidValue`, for a page that begins nowhere.
    pub fn users(&self, paging: &Paging) -> Result<Page<User>> {
        self.read(UseCase::ListUsers, |operation| {
            operation.system_only()?;
            let (records, next) = paging.scan(operation.tx, keys::users(), Order::Ascending)?;
            let users = records.iter().map(|record| decode::<UserRecord>(&record.value).map(User::from));
            let items: Vec<User> = users.collect::<Result<_>>()?;
            let resource = Resource::new(ResourceKind::Member, operation.vault.id);
            operation.record(
                Action::Read,
                resource,
                Details::default().with("op", "users").with("count", items.len()),
            )?;
            Ok(Page { items, next })
        })
    }
}
