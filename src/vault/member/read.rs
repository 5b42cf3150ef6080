use super::super::session::Session;
use super::super::use_case::UseCase;
use super::Member;
use crate::Result;
use crate::core::{Action, Details, Id, Resource};

impl Session<'_> {
    /// A member of an organization. Everybody can read what they are themselves.
    ///
    /// # Errors
    /// `NotFound`.
    pub fn member(&self, organization: Id, user: Id) -> Result<Member> {
        self.read(UseCase::ReadMember, |operation| {
            operation.organization_of_member(organization, user)?;
            let record = operation.member(organization, user)?;
            let user = operation.user(user)?;
            operation.record(Action::Read, Resource::member(organization, &user), Details::default())?;
            Ok(Member::new(record, user))
        })
    }
}
