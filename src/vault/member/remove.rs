use super::super::session::Session;
use super::super::use_case::UseCase;
use crate::core::{Action, Details, Id, Resource};
use crate::{Error, ErrorKind, Result};

impl Session<'_> {
    /// Removes a member from an organization, from its teams, and what was granted to them. Everybody may leave.
    ///
    /// # Errors
    /// `NotFound`; `Denied`, for whoever holds more than the actor does; `Conflict`, for the last owner, and for a user
    /// who would be in no organization at all.
    pub fn remove_member(&self, organization: Id, user: Id) -> Result<()> {
        self.write(UseCase::RemoveMember, |operation| {
            operation.organization_of_member(organization, user)?;
            let member = operation.member(organization, user)?;
            if !operation.is_user(user) {
                operation.check_role(organization, member.role)?;
            }
            operation.keep_an_owner(organization, user)?;
            let user = operation.user(user)?;
            if user.organizations.len() == 1 {
                let message = "every user is in one organization at least, and this is their only one: delete the \
                               user, or make them a member of another one first";
                return Err(Error::new(ErrorKind::Conflict, message));
            }
            operation.forget_member(organization, user.id)?;
            let details = Details::default().with("email", user.email.as_str()).with("role", member.role.to_string());
            operation.record(Action::Delete, Resource::member(organization, &user), details)
        })
    }
}
