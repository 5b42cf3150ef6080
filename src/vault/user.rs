//! Users: people, each in one organization or more.

use super::authenticated_record::forged;
use super::keys;
use super::name::check_name;
use super::operation::{OperationContext, no_such};
use super::organization::NewOrganization;
use super::page::{Page, Paging};
use super::records::{OrganizationRecord, UserRecord, get, put};
use super::session::Session;
use super::setters::setters;
use super::slug::slug_of;
use super::use_case::UseCase;
use crate::core::audit::{Action, Details, Resource, ResourceKind};
use crate::core::clock::Timestamp;
use crate::core::id::OrganizationId;
use crate::core::id::UserId;
use crate::core::role::{MemberRole, OrganizationRole};
use crate::error::{Error, ErrorKind, Result};
use crate::store::{Order, Precondition};

/// A person.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct User {
    /// Its id, which never changes.
    pub id: UserId,
    /// The person's name.
    pub name: String,
    /// The person's email address, unique in the vault.
    pub email: String,
    /// The organizations the user is a member of: one at least, in the order they came to them.
    pub organizations: Vec<OrganizationId>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When one of these was changed last.
    pub updated_at: Timestamp,
}

impl From<UserRecord> for User {
    fn from(record: UserRecord) -> Self {
        Self {
            id: record.id,
            name: record.name,
            email: record.email,
            organizations: record.organizations,
            created_at: record.created_at,
            updated_at: record.updated_at,
        }
    }
}

impl OperationContext<'_, '_> {
    /// Whether the actor is that user, in person.
    pub(super) fn is_user(&self, id: UserId) -> bool {
        self.principal.person().is_some_and(|user| user.id == id)
    }

    /// Refuses all but trusted programs and that user.
    fn system_or_user(&self, id: UserId) -> Result<()> {
        if self.is_user(id) { Ok(()) } else { self.system_only() }
    }

    /// The user of that id.
    pub(super) fn user(&mut self, id: UserId) -> Result<UserRecord> {
        self.get_authenticated(&keys::user(id))?.ok_or_else(|| no_such("user"))
    }

    /// The user of that email address, if there is one.
    pub(super) fn user_of_email(&mut self, email: &str) -> Result<Option<UserRecord>> {
        match get::<UserId>(self.tx, &keys::user_email(&email_key(email)))? {
            // The index bears no MAC: the user must say the same.
            Some(id) => match self.user(id)? {
                user if email_key(&user.email) == email_key(email) => Ok(Some(user)),
                _ => Err(forged()),
            },
            None => Ok(None),
        }
    }
}

/// A user to create.
#[derive(Clone, Debug)]
pub struct NewUser {
    pub(crate) id: Option<UserId>,
    pub(crate) name: String,
    pub(crate) email: String,
}

impl NewUser {
    /// Creates the input for a user of that name and email address, of at most 254 bytes.
    pub fn new(name: impl Into<String>, email: impl Into<String>) -> Self {
        Self { id: None, name: name.into(), email: email.into() }
    }

    setters! {
        /// Sets the id. By default it is a new one.
        id: Option<UserId>;
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
    pub(super) fn make_user(&mut self, id: Option<UserId>, name: &str, email: String) -> Result<UserRecord> {
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
        self.put_authenticated(&keys::user(user.id), &user, Precondition::Absent)?;
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

impl Session<'_> {
    /// A user. Trusted programs can read all of them, a user themself.
    ///
    /// # Errors
    /// `NotFound`.
    pub fn user(&self, id: UserId) -> Result<User> {
        self.read(UseCase::ReadUser, |operation| {
            operation.system_or_user(id)?;
            let user = operation.user(id)?;
            let resource = Resource::named(ResourceKind::Member, operation.vault.id.into(), user.id.into(), &user.name);
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
            let resource = Resource::named(ResourceKind::Member, operation.vault.id.into(), user.id.into(), &user.name);
            operation.record(Action::Read, resource, Details::default())?;
            Ok(user.into())
        })
    }
}

impl Session<'_> {
    /// All users of the vault, in the order they were made. Only trusted programs can list them.
    ///
    /// # Errors
    /// `InvalidValue`, for a page that begins nowhere.
    pub fn users(&self, paging: &Paging) -> Result<Page<User>> {
        self.read(UseCase::ListUsers, |operation| {
            operation.system_only()?;
            let (records, next) = paging.scan(operation.tx, keys::users(), Order::Ascending)?;
            let users =
                records.iter().map(|record| operation.decode_authenticated::<UserRecord>(record).map(User::from));
            let items: Vec<User> = users.collect::<Result<_>>()?;
            let resource = Resource::new(ResourceKind::Member, operation.vault.id.into());
            operation.record(
                Action::Read,
                resource,
                Details::default().with("op", "users").with("count", items.len()),
            )?;
            Ok(Page { items, next })
        })
    }
}

/// The fields of a user to change.
#[derive(Clone, Debug, Default)]
pub struct UserUpdate {
    pub(crate) name: Option<String>,
    pub(crate) email: Option<String>,
}

impl UserUpdate {
    /// Creates an update that changes nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    setters! {
        /// Sets the name.
        name: Option<impl Into<String>>;
        /// Sets the email address, which the caller has verified. Only trusted programs can change it.
        email: Option<impl Into<String>>;
    }
}

impl Session<'_> {
    /// Changes a user. Trusted programs can change all of them, a user their own name.
    ///
    /// # Errors
    /// `NotFound`; `InvalidName`; `InvalidValue`, for what is no email address; `Conflict`, when somebody has that
    /// address.
    pub fn update_user(&self, id: UserId, update: &UserUpdate) -> Result<User> {
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
            operation.put_authenticated(&keys::user(id), &user, Precondition::Present)?;
            for organization in &user.organizations {
                operation.record(Action::Update, Resource::member(*organization, &user), Details::changed(&changed))?;
            }
            Ok(user.into())
        })
    }
}

impl Session<'_> {
    /// Removes a user from all organizations, with what was granted to them. Organizations in which nobody else is and
    /// nothing, such as the user's own, go with them. Only trusted programs can.
    ///
    /// # Errors
    /// `NotFound`; `Conflict`, for the last owner of an organization in which there is somebody or something.
    pub fn delete_user(&self, id: UserId) -> Result<()> {
        self.write(UseCase::DeleteUser, |operation| {
            operation.system_only()?;
            let user = operation.user(id)?;
            for organization in user.organizations.clone() {
                if operation.is_of_one_and_empty(organization)? {
                    let organization: OrganizationRecord =
                        operation.require_authenticated(&keys::organization(organization))?;
                    operation.remove_organization(&organization)?;
                    continue;
                }
                operation.keep_an_owner(organization, id)?;
                operation.forget_member(organization, id)?;
                let details = Details::default().with("email", user.email.as_str());
                operation.record(Action::Delete, Resource::member(organization, &user), details)?;
            }
            operation.remove_user(&user)
        })
    }
}

impl OperationContext<'_, '_> {
    /// Removes a user who is in no organization any more.
    pub(super) fn remove_user(&mut self, user: &UserRecord) -> Result<()> {
        self.tx.delete(&keys::user_email(&email_key(&user.email)))?;
        self.tx.delete(&keys::user(user.id))?;
        Ok(())
    }

    fn is_of_one_and_empty(&mut self, organization: OrganizationId) -> Result<bool> {
        Ok(self.tx.scan(&keys::members(organization), Order::Ascending, 2)?.len() == 1
            && self.tx.scan(&keys::projects(organization), Order::Ascending, 1)?.is_empty()
            && self.tx.scan(&keys::deleted_in(organization), Order::Ascending, 1)?.is_empty())
    }
}

/// Longest email address, in bytes, as RFC 5321 has it.
const MAX_EMAIL: usize = 254;
/// Longest part before the `@`.
const MAX_LOCAL: usize = 64;

/// An email address as it looks; whether mail arrives there is another question.
pub(super) fn check_email(email: &str) -> Result<String> {
    let email = email.trim();
    let is_email = email.len() <= MAX_EMAIL
        && email.rsplit_once('@').is_some_and(|(local, domain)| is_local(local) && is_domain(domain));
    if is_email {
        return Ok(email.to_owned());
    }
    let message = "this is not an email address: one is such as `ann@example.com`, of at most 254 bytes";
    Err(Error::new(ErrorKind::InvalidValue, message))
}

/// An address as it is compared with others: without regard to the case of ASCII letters.
pub(super) fn email_key(email: &str) -> String {
    email.trim().to_ascii_lowercase()
}

fn is_local(local: &str) -> bool {
    let is_atom = |atom: &str| {
        let is_text = |c: char| c.is_alphanumeric() || "!#$%&'*+-/=?^_`{|}~".contains(c);
        !atom.is_empty() && atom.chars().all(is_text)
    };
    local.len() <= MAX_LOCAL && local.split('.').all(is_atom)
}

fn is_domain(domain: &str) -> bool {
    let is_label = |label: &str| {
        let is_ldh = |c: char| c.is_alphanumeric() || c == '-';
        !label.is_empty()
            && label.len() <= 63
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.chars().all(is_ldh)
    };
    domain.split('.').all(is_label)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_told_from_other_text() {
        let longest = format!("{}@{}.com", "l".repeat(64), "d.".repeat(92) + "d");
        assert_eq!(longest.len(), 254);
        for good in ["a@b", " ann.o'hara+x@mail.example.com ", "Ann@Example.COM", "jürgen@bücher.example", &longest] {
            assert_eq!(check_email(good).unwrap(), good.trim(), "{good}");
        }
        let too_long = format!("{}@{}.com", "l".repeat(64), "d.".repeat(92) + "dd");
        let long_local = format!("{}@b", "l".repeat(65));
        let bad = [
            "",
            "a",
            "@",
            "a@",
            "@b",
            "a b@c",
            "a@b c",
            "a@@b",
            "a@-b",
            "a@b-",
            "a@b..c",
            ".a@b",
            "a.@b",
            "a@b\n.c",
            "a@\0b",
            "<a@b>",
            "\"a\"@b",
            "a@[::1]",
            &too_long,
            &long_local,
        ];
        for bad in bad {
            assert_eq!(check_email(bad).unwrap_err().kind(), ErrorKind::InvalidValue, "{bad:?}");
        }
    }

    #[test]
    fn the_case_of_ascii_letters_does_not_count() {
        assert_eq!(email_key(" Ann@Example.COM"), "ann@example.com");
        assert_ne!(email_key("Ä@b"), email_key("ä@b"));
    }
}
