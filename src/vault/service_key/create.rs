use super::super::keys;
use super::super::name::check_name;
use super::super::records::HolderRecord;
use super::super::session::Session;
use super::super::token::check_end;
use super::super::use_case::UseCase;
use super::ServiceKey;
use crate::Result;
use crate::core::{Action, Id, Timestamp, Token, TokenFormat};

/// A key of a service account that is to be made.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct NewServiceKey {
    /// Its name.
    pub name: String,
    /// From when on it no longer works; never, where nothing is given.
    pub expires_at: Option<Timestamp>,
}

impl NewServiceKey {
    /// A key of that name.
    pub fn new(name: impl Into<String>) -> Self {
        Self { name: name.into(), expires_at: None }
    }
}

/// A key of a service account that was just made.
#[derive(Debug)]
#[non_exhaustive]
pub struct IssuedServiceKey {
    /// The key. It is told once: nothing can get it from the vault again.
    pub key: Token,
    /// What is known of it.
    pub info: ServiceKey,
}

impl Session<'_> {
    /// Makes another key of a service account.
    ///
    /// # Errors
    /// `NotFound`; `Denied`, when the account holds, or the key lives longer than, what the actor does, and for whoever
    /// may not manage it; `InvalidName`; `InvalidValue`, for an end that is past.
    pub fn create_service_key(&self, organization: Id, account: Id, new: &NewServiceKey) -> Result<IssuedServiceKey> {
        self.write(UseCase::CreateServiceKey, |operation| {
            let owner = operation.managed_service_account(organization, account)?;
            operation.check_grant(owner.permissions, new.expires_at)?;
            check_end(new.expires_at, operation.now)?;
            let (id, name) = (operation.new_id()?, check_name(&new.name)?);
            let mut record = operation.new_token(organization, id, name, TokenFormat::StashbaseService);
            record.holder = HolderRecord::ServiceAccount { account };
            record.expires_at = new.expires_at;
            let key = operation.put_token(&mut record, &keys::service_key(organization, account, id))?;
            let info = ServiceKey::new(record)?;
            operation.record(Action::Create, info.resource(), info.details())?;
            Ok(IssuedServiceKey { key, info })
        })
    }
}
