//! Personal keys: what a user's own programs are let in with, in the user's name, in one organization. Such a key may do
//! what its level allows of what the user may, at that moment.

mod create;
mod delete;
mod list;

pub use self::create::{IssuedPersonalKey, NewPersonalKey};
use super::operation::OperationContext;
use super::records::{HolderRecord, TokenRecord, damaged};
use crate::core::{Details, Id, IpRange, PersonalKeyLevel, Resource, ResourceKind, Timestamp};
use crate::{Error, ErrorKind, Result};

/// What is known of a user's key. The key itself is not.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct PersonalKey {
    /// Its id.
    pub id: Id,
    /// The organization it is for.
    pub organization: Id,
    /// The user whose key it is.
    pub user: Id,
    /// Its name.
    pub name: String,
    /// Its first characters, to tell it from others.
    pub hint: String,
    /// What it allows at most.
    pub level: PersonalKeyLevel,
    /// From where it may be used; from everywhere, where there is none.
    pub allow_list: Vec<IpRange>,
    /// When it was made.
    pub created_at: Timestamp,
    /// From when on it no longer works.
    pub expires_at: Option<Timestamp>,
    /// When it was last used, to the minute.
    pub last_used_at: Option<Timestamp>,
}

impl PersonalKey {
    pub(super) fn new(record: TokenRecord) -> Result<Self> {
        let HolderRecord::User { user, level } = record.holder else {
            return Err(damaged());
        };
        Ok(Self {
            id: record.id,
            organization: record.organization,
            user,
            name: record.name,
            hint: record.hint,
            level,
            allow_list: record.allow_list,
            created_at: record.created_at,
            expires_at: record.expires_at,
            last_used_at: record.last_used_at,
        })
    }

    /// What it was done to, for the audit log.
    fn resource(&self) -> Resource {
        Resource::named(ResourceKind::Token, self.organization, self.id, &self.name)
    }

    /// What is recorded when it is made or deleted.
    fn details(&self) -> Details {
        Details::default()
            .with("name", self.name.as_str())
            .with("userId", self.user.to_string())
            .with("level", self.level.as_str())
            .with("allowList", self.allow_list.iter().map(IpRange::to_string).collect::<Vec<_>>())
            .with("expiresAt", self.expires_at.map(|end| end.to_string()))
    }
}

impl OperationContext<'_, '_> {
    /// The user who is there in person, in an organization they are a member of.
    fn in_person(&mut self, organization: Id) -> Result<Id> {
        let Some(user) = self.principal.person().map(|user| user.id) else {
            let message = "only users have keys of their own, which no token or key is let near: log in";
            return Err(Error::new(ErrorKind::Denied, message));
        };
        self.organization(organization)?;
        Ok(user)
    }

    /// Finds a member whose keys the actor may look after: it holds all that the member's role does.
    fn look_after(&mut self, organization: Id, user: Id) -> Result<()> {
        self.whole_organization(organization)?;
        let member = self.member(organization, user)?;
        self.check_role(organization, member.role)
    }
}
