//! Users: people, each in one organization or more.

mod create;
mod delete;
mod email;
mod list;
mod read;
mod update;

pub use self::create::NewUser;
pub(super) use self::email::{check_email, email_key};
pub use self::update::UserUpdate;
use super::keys;
use super::operation::{OperationContext, no_such};
use super::records::{UserRecord, get};
use crate::Result;
use crate::core::{Id, Timestamp};

/// A person.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct User {
    /// Its id, which never changes.
    pub id: Id,
    /// The person's name.
    pub name: String,
    /// The person's email address, unique in the vault.
    pub email: String,
    /// The organizations the user is a member of: one at least, in the order they came to them.
    pub organizations: Vec<Id>,
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
    pub(super) fn is_user(&self, id: Id) -> bool {
        self.principal.person().is_some_and(|user| user.id == id)
    }

    /// Refuses all but trusted programs and that user.
    fn system_or_user(&self, id: Id) -> Result<()> {
        if self.is_user(id) { Ok(()) } else { self.system_only() }
    }

    /// The user of that id.
    pub(super) fn user(&mut self, id: Id) -> Result<UserRecord> {
        get(self.tx, &keys::user(id))?.ok_or_else(|| no_such("user"))
    }

    /// The user of that email address, if there is one.
    pub(super) fn user_of_email(&mut self, email: &str) -> Result<Option<UserRecord>> {
        match get::<Id>(self.tx, &keys::user_email(&email_key(email)))? {
            Some(id) => self.user(id).map(Some),
            None => Ok(None),
        }
    }
}
