use super::super::keys;
use super::super::name::check_name;
use super::super::records::put;
use super::super::session::Session;
use super::super::use_case::UseCase;
use super::{User, check_email, email_key};
use crate::core::{Action, Details, Id, Resource};
use crate::store::Precondition;
use crate::{Error, ErrorKind, Result};

/// What is to change about a user.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct UserUpdate {
    /// Another name.
    pub name: Option<String>,
    /// Another email address, which whoever sets it has made sure of. Only trusted programs can set it.
    pub email: Option<String>,
}

impl Session<'_> {
    /// Changes a user. Trusted programs can change all of them, a user their own name.
    ///
    /// # Errors
    /// `NotFound`; `InvalidName`; `InvalidValue`, for what is no email address; `Conflict`, when somebody has that
    /// address.
    pub fn update_user(&self, id: Id, update: &UserUpdate) -> Result<User> {
        self.write(UseCase::UpdateUser, |operation| {
            operation.system_or_user(id)?;
            if update.email.is_some() {
                operation.system_only()?;
            }
            let mut user = operation.user(id)?;
            let mut changed = Vec::new();
            if let Some(name) = &update.name {
                user.name = check_name(name)?;
                changed.push("name");
            }
            if let Some(email) = &update.email {
                let email = check_email(email)?;
                if email_key(&email) != email_key(&user.email) {
                    if operation.user_of_email(&email)?.is_some() {
                        let message = "there is a user of that email address already";
                        return Err(Error::new(ErrorKind::Conflict, message));
                    }
                    operation.tx.delete(&keys::user_email(&email_key(&user.email)))?;
                    put(operation.tx, &keys::user_email(&email_key(&email)), &id, Precondition::Absent)?;
                }
                user.email = email;
                changed.push("email");
            }
            user.updated_at = operation.now;
            put(operation.tx, &keys::user(id), &user, Precondition::Present)?;
            for organization in &user.organizations {
                operation.record(Action::Update, Resource::member(*organization, &user), Details::changed(&changed))?;
            }
            Ok(user.into())
        })
    }
}
