use super::super::operation::no_such;
use super::super::session::Session;
use super::super::use_case::UseCase;
use super::{User, check_email};
use crate::Result;
use crate::core::{Action, Details, Id, Resource, ResourceKind};

impl Session<'_> {
    /// A user. Trusted programs can read all of them, a user themself.
    ///
    /// # Errors
    /// `NotFound`.
    pub fn user(&self, id: Id) -> Result<User> {
        self.read(UseCase::ReadUser, |operation| {
            operation.system_or_user(id)?;
            let user = operation.user(id)?;
            let resource = Resource::named(ResourceKind::Member, operation.vault.id, user.id, &user.name);
            operation.record(Action::Read, resource, Details::default())?;
            Ok(user.into())
        })
    }

    /// The user of an email address, without regard to the case of ASCII letters. Only trusted programs can ask.
    ///
    /// # Errors
    /// `NotFound`; `InvalidValue`, for what is no email address.
    pub fn user_by_email(&self, email: &str) -> Result<User> {
        self.read(UseCase::ReadUser, |operation| {
            operation.system_only()?;
            let user = operation.user_of_email(&check_email(email)?)?.ok_or_else(|| no_such("user"))?;
            let resource = Resource::named(ResourceKind::Member, operation.vault.id, user.id, &user.name);
            operation.record(Action::Read, resource, Details::default())?;
            Ok(user.into())
        })
    }
}
