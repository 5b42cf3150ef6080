use super::super::audit::id_in;
use super::super::keys;
use super::super::member::Member;
use super::super::page::{Page, Paging};
use super::super::session::Session;
use super::super::use_case::UseCase;
use super::resource;
use crate::Result;
use crate::core::{Action, Details, Id};
use crate::store::Order;

impl Session<'_> {
    /// The members of a team, in the order in which the users were made.
    ///
    /// # Errors
    /// `NotFound`; `InvalidValue`, for a page that begins nowhere.
    pub fn team_members(&self, organization: Id, team: Id, paging: &Paging) -> Result<Page<Member>> {
        self.read(UseCase::ListTeamMembers, |operation| {
            operation.whole_organization(organization)?;
            let record = operation.team(organization, team)?;
            let (marks, next) = paging.scan(operation.tx, keys::team_members(organization, team), Order::Ascending)?;
            let users = marks.iter().map(|mark| id_in(&mark.key)).collect::<Result<Vec<Id>>>()?;
            let wanted = users.iter().flat_map(|user| [keys::member(organization, *user), keys::user(*user)]);
            operation.tx.prefetch(&wanted.collect::<Vec<String>>())?;
            let mut items = Vec::new();
            for user in users {
                items.push(Member::new(operation.member(organization, user)?, operation.user(user)?));
            }
            let details = Details::default().with("op", "members").with("count", items.len());
            operation.record(Action::Read, resource(organization, &record), details)?;
            Ok(Page { items, next })
        })
    }
}
