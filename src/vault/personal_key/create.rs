use super::super::keys;
use super::super::name::check_name;
use super::super::records::HolderRecord;
use super::super::session::Session;
use super::super::token::{check_allow_list, check_end};
use super::super::use_case::UseCase;
use super::PersonalKey;
use crate::Result;
use crate::core::{Action, Id, IpRange, PersonalKeyLevel, Timestamp, Token, TokenFormat};

/// A user's own key that is to be made.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct NewPersonalKey {
    /// Its name.
    pub name: String,
    /// What it allows at most; never more than the user may.
    pub level: PersonalKeyLevel,
    /// From where it may be used, at most 100 ranges; from everywhere, where there is none.
    pub allow_list: Vec<IpRange>,
    /// From when on it no longer works; never, where nothing is given.
    pub expires_at: Option<Timestamp>,
}

impl NewPersonalKey {
    /// A key of that name and level.
    pub fn new(name: impl Into<String>, level: PersonalKeyLevel) -> Self {
        Self { name: name.into(), level, allow_list: Vec::new(), expires_at: None }
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
    pub fn create_personal_key(&self, organization: Id, new: &NewPersonalKey) -> Result<IssuedPersonalKey> {
        self.write(UseCase::CreatePersonalKey, |operation| {
            let user = operation.in_person(organization)?;
            check_end(new.expires_at, operation.now)?;
            let (id, name) = (operation.new_id()?, check_name(&new.name)?);
            let mut record = operation.new_token(organization, id, name, TokenFormat::StashbasePersonal);
            record.holder = HolderRecord::User { user, level: new.level };
            record.allow_list = check_allow_list(&new.allow_list)?;
            record.expires_at = new.expires_at;
            let key = operation.put_token(&mut record, &keys::personal_key(organization, user, id))?;
            let info = PersonalKey::new(record)?;
            operation.record(Action::Create, info.resource(), info.details())?;
            Ok(IssuedPersonalKey { key, info })
        })
    }
}
