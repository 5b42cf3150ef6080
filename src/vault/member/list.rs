use super::super::keys;
use super::super::page::{Page, Paging};
use super::super::records::{MemberRecord, decode};
use super::super::session::Session;
use super::super::use_case::UseCase;
use super::Member;
use crate::Result;
use crate::core::{Action, Details, Id, Resource, ResourceKind};
use crate::store::Order;

impl Session<'_> {
    /// The members of an organization, in the order in which the users were made.
    ///
    /// # Errors
    /// `NotFound`; `InvalidValue`, for a page that begins nowhere.
    pub fn members(&self, organization: Id, paging: &Paging) -> Result<Page<Member>> {
        self.read(UseCase::ListMembers, |operation| {
            operation.whole_organization(organization)?;
            let (found, next) = paging.scan(operation.tx, keys::members(organization), Order::Ascending)?;
            let records = found.iter().map(|record| decode(&record.value)).collect::<Result<Vec<MemberRecord>>>()?;
            let users: Vec<String> = records.iter().map(|record| keys::user(record.user)).collect();
            operation.tx.prefetch(&users)?;
            let mut items = Vec::new();
            for record in records {
                let user = operation.user(record.user)?;
                items.push(Member::new(record, user));
            }
            let details = Details::default().with("op", "members").with("count", items.len());
            operation.record(Action::Read, Resource::new(ResourceKind::Member, organization), details)?;
            Ok(Page { items, next })
        })
    }
}
