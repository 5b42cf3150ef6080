use super::super::keys;
use super::super::name::check_name;
use super::super::operation::OperationContext;
use super::super::organization::NewOrganization;
use super::super::place::slug_of;
use super::super::records::{UserRecord, put};
use super::super::session::Session;
use super::super::use_case::UseCase;
use super::{User, check_email, email_key};
use crate::core::{Action, Details, Id, MemberRole, OrganizationRole, Resource};
use crate::store::Precondition;
use crate::{Error, ErrorKind, Result};

/// A user that is to be made.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct NewUser {
    /// Its id; a new one, where none is given.
    pub id: Option<Id>,
    /// The person's name.
    pub name: String,
    /// The person's email address, of at most 254 bytes.
    pub email: String,
}

impl NewUser {
    /// A user of that name and email address.
    pub fn new(name: impl Into<String>, email: impl Into<String>) -> Self {
        Self { id: None, name: name.into(), email: email.into() }
    }
}

impl Session<'_> {
    /// Makes a user, with an organization of their own, of which they are the owner. Only trusted programs can.
    ///
    /// # Errors
    /// `InvalidName`; `InvalidValue`, for what is no email address; `Conflict`, when somebody has that address or id.
    pub fn create_user(&self, new: &NewUser) -> Result<User> {
        self.write(UseCase::CreateUser, |operation| {
            operation.system_only()?;
            let email = check_email(&new.email)?;
            if operation.user_of_email(&email)?.is_some() {
                return Err(Error::new(ErrorKind::Conflict, "there is a user of that email address already"));
            }
            Ok(operation.make_user(new.id, &new.name, email)?.into())
        })
    }
}

impl OperationContext<'_, '_> {
    /// Makes a user of an address that nobody has, with an organization of their own.
    pub(in super::super) fn make_user(&mut self, id: Option<Id>, name: &str, email: String) -> Result<UserRecord> {
        let name = check_name(name)?;
        let mut user = UserRecord {
            id: self.given_id(id)?,
            name,
            email,
            organizations: Vec::new(),
            created_at: self.now,
            updated_at: self.now,
        };
        put(self.tx, &keys::user_email(&email_key(&user.email)), &user.id, Precondition::Absent)?;
        put(self.tx, &keys::user(user.id), &user, Precondition::Absent)?;
        // A slug can be made of most names, and of most addresses.
        let local = user.email.split('@').next().unwrap_or_default();
        let slug_from = [&*user.name, local].into_iter().find(|text| !slug_of(text).is_empty());
        let personal = NewOrganization::new(user.name.as_str());
        let organization = self.make_organization(&personal, slug_from.unwrap_or("personal"), true)?;
        self.join(organization.id, &mut user, MemberRole::Organization(OrganizationRole::Owner), Vec::new())?;
        let details = Details::default().with("email", user.email.as_str());
        self.record(Action::Create, Resource::member(organization.id, &user), details)?;
        Ok(user)
    }
}
