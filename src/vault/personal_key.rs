//! Personal keys: what a user's own programs are let in with, in the user's name, in one organization. Such a key may do
//! what its level allows of what the user may, at that moment.

use super::delegation::check_allow_list;
use super::keys;
use super::name::check_name;
use super::operation::OperationContext;
use super::records::{HolderRecord, TokenRecord, damaged};
use super::session::Session;
use super::setters::setters;
use super::token::check_end;
use super::use_case::UseCase;
use crate::core::audit::{Action, Details, Resource, ResourceKind};
use crate::core::clock::Timestamp;
use crate::core::id::OrganizationId;
use crate::core::id::PersonalKeyId;
use crate::core::id::UserId;
use crate::core::ip_range::IpRange;
use crate::core::role::PersonalKeyLevel;
use crate::core::token::{Token, TokenFormat};
use crate::error::{Error, ErrorKind, Result};

/// What is known of a user's key. The key itself is not.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct PersonalKey {
    /// Its id.
    pub id: PersonalKeyId,
    /// The organization it is for.
    pub organization: OrganizationId,
    /// The user whose key it is.
    pub user: UserId,
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
            id: record.id.into(),
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
        Resource::named(ResourceKind::Token, self.organization, self.id.into(), &self.name)
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
    fn in_person(&mut self, organization: OrganizationId) -> Result<UserId> {
        let Some(user) = self.principal.person().map(|user| user.id) else {
            let message = "only users have keys of their own, which no token or key is let near: log in";
            return Err(Error::new(ErrorKind::Denied, message));
        };
        self.organization(organization)?;
        Ok(user)
    }

    /// Finds a member whose keys the actor may look after: it holds all that the member's role does.
    fn look_after(&mut self, organization: OrganizationId, user: UserId) -> Result<()> {
        self.whole_organization(organization)?;
        let member = self.member(organization, user)?;
        self.check_role(organization, member.role)
    }
}

/// A key for a user's own access to create.
#[derive(Clone, Debug)]
pub struct NewPersonalKey {
    pub(crate) name: String,
    pub(crate) level: PersonalKeyLevel,
    pub(crate) allow_list: Vec<IpRange>,
    pub(crate) expires_at: Option<Timestamp>,
}

impl NewPersonalKey {
    /// Creates the input for a key of that name, which allows at most that level and never more than its user may do.
    pub fn new(name: impl Into<String>, level: PersonalKeyLevel) -> Self {
        Self { name: name.into(), level, allow_list: Vec::new(), expires_at: None }
    }

    setters! {
        /// Sets from where the key may be used, at most 100 ranges. An empty list, the default, allows every address.
        allow_list: Vec<IpRange>;
        /// Sets when the key expires. By default it never does.
        expires_at: Option<Timestamp>;
    }
}

/// A user's own key that was just made.
#[derive(Debug)]
#[non_exhaustive]
pub struct IssuedPersonalKey {
    /// The key. It is told once: nothing can get it from the vault again.
    pub key: Token,
    /// What is known of it.
    pub info: PersonalKey,
}

impl Session<'_> {
    /// Makes a key for oneself, in an organization one is a member of. Only a user in person can.
    ///
    /// # Errors
    /// `NotFound`, for an organization the user is no member of; `Denied`, for everybody who is not a user in person;
    /// `InvalidName`; `InvalidValue`, for an end that is past; `Limit`, for more than 100 ranges of addresses.
    pub fn create_personal_key(&self, organization: OrganizationId, new: &NewPersonalKey) -> Result<IssuedPersonalKey> {
        self.write(UseCase::CreatePersonalKey, |operation| {
            let user = operation.in_person(organization)?;
            check_end(new.expires_at, operation.now)?;
            let (id, name) = (operation.new_id()?, check_name(&new.name)?);
            let mut record = operation.new_token(organization, id, name, TokenFormat::StashbasePersonal);
            record.holder = HolderRecord::User { user, level: new.level };
            record.allow_list = check_allow_list(&new.allow_list)?;
            record.expires_at = new.expires_at;
            let key = operation.put_token(&mut record, &keys::personal_key(organization, user, id.into()))?;
            let info = PersonalKey::new(record)?;
            operation.record(Action::Create, info.resource(), info.details())?;
            Ok(IssuedPersonalKey { key, info })
        })
    }
}

impl Session<'_> {
    /// One's own keys in an organization, in the order they were made, those that have expired among them.
    ///
    /// # Errors
    /// `NotFound`; `Denied`, for everybody who is not a user in person.
    pub fn personal_keys(&self, organization: OrganizationId) -> Result<Vec<PersonalKey>> {
        self.read(UseCase::ListPersonalKeys, |operation| {
            let user = operation.in_person(organization)?;
            operation.keys_of(organization, user)
        })
    }

    /// The keys of a member, for whoever looks after the members.
    ///
    /// # Errors
    /// `NotFound`, without such a member; `Denied`, for one whose role holds what the actor does not.
    pub fn member_keys(&self, organization: OrganizationId, user: UserId) -> Result<Vec<PersonalKey>> {
        self.read(UseCase::ListMemberKeys, |operation| {
            operation.look_after(organization, user)?;
            operation.keys_of(organization, user)
        })
    }
}

impl OperationContext<'_, '_> {
    fn keys_of(&mut self, organization: OrganizationId, user: UserId) -> Result<Vec<PersonalKey>> {
        let records = self.tokens_in(keys::personal_keys(organization, user))?;
        let keys: Vec<PersonalKey> =
            records.into_iter().map(|(_, record)| PersonalKey::new(record)).collect::<Result<_>>()?;
        let details = Details::read("personal keys", keys.iter().map(|key| key.name.as_str()));
        let details = details.with("userId", user.to_string());
        self.record(Action::Read, Resource::organization(organization), details)?;
        Ok(keys)
    }
}

impl Session<'_> {
    /// Removes a key of one's own. It no longer works from then on.
    ///
    /// # Errors
    /// `NotFound`; `Denied`, for everybody who is not a user in person.
    pub fn delete_personal_key(&self, organization: OrganizationId, id: PersonalKeyId) -> Result<()> {
        self.write(UseCase::DeletePersonalKey, |operation| {
            let user = operation.in_person(organization)?;
            operation.delete_key_of(organization, user, id)
        })
    }

    /// Removes a key of a member, for whoever looks after the members.
    ///
    /// # Errors
    /// `NotFound`, without such a member or key; `Denied`, for a member whose role holds what the actor does not.
    pub fn delete_member_key(&self, organization: OrganizationId, user: UserId, id: PersonalKeyId) -> Result<()> {
        self.write(UseCase::DeleteMemberKey, |operation| {
            operation.look_after(organization, user)?;
            operation.delete_key_of(organization, user, id)
        })
    }
}

impl OperationContext<'_, '_> {
    fn delete_key_of(&mut self, organization: OrganizationId, user: UserId, id: PersonalKeyId) -> Result<()> {
        let index = keys::personal_key(organization, user, id);
        let key = PersonalKey::new(self.token_under(&index, "key")?)?;
        self.remove_token(&index)?;
        self.record(Action::Delete, key.resource(), key.details())
    }
}
