//! The keys of service accounts. What such a key may do, and from where, its account says.

use super::keys;
use super::name::check_name;
use super::records::{HolderRecord, TokenRecord, damaged};
use super::session::Session;
use super::setters::setters;
use super::token::check_end;
use super::use_case::UseCase;
use crate::core::audit::{Action, AuditActor, Details, Resource, ResourceKind};
use crate::core::clock::Timestamp;
use crate::core::id::OrganizationId;
use crate::core::id::ServiceAccountId;
use crate::core::id::ServiceKeyId;
use crate::core::token::{Token, TokenFormat};
use crate::error::Result;

/// What is known of a key of a service account. The key itself is not.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ServiceKey {
    /// Its id.
    pub id: ServiceKeyId,
    /// The organization.
    pub organization: OrganizationId,
    /// The service account whose key it is.
    pub account: ServiceAccountId,
    /// Its name.
    pub name: String,
    /// Its first characters, to tell it from others.
    pub hint: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// By whom.
    pub created_by: AuditActor,
    /// From when on it no longer works.
    pub expires_at: Option<Timestamp>,
    /// When it was last used, to the minute.
    pub last_used_at: Option<Timestamp>,
}

impl ServiceKey {
    pub(super) fn new(record: TokenRecord) -> Result<Self> {
        let HolderRecord::ServiceAccount { account } = record.holder else {
            return Err(damaged());
        };
        Ok(Self {
            id: record.id.into(),
            organization: record.organization,
            account,
            name: record.name,
            hint: record.hint,
            created_at: record.created_at,
            created_by: record.created_by.unwrap_or(AuditActor::SYSTEM),
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
            .with("serviceAccountId", self.account.to_string())
            .with("expiresAt", self.expires_at.map(|end| end.to_string()))
    }
}

/// A key of a service account to create.
#[derive(Clone, Debug)]
pub struct NewServiceKey {
    pub(crate) name: String,
    pub(crate) expires_at: Option<Timestamp>,
}

impl NewServiceKey {
    /// Creates the input for a key of that name.
    pub fn new(name: impl Into<String>) -> Self {
        Self { name: name.into(), expires_at: None }
    }

    setters! {
        /// Sets when the key expires. By default it never does.
        expires_at: Option<Timestamp>;
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
    /// `NotFound`; `Denied`, when the account holds more or is used from more addresses, or the key lives longer, than
    /// the actor's own, and for whoever may not manage it; `InvalidName`; `InvalidValue`, for an end that is past.
    pub fn create_service_key(
        &self,
        organization: OrganizationId,
        account: ServiceAccountId,
        new: &NewServiceKey,
    ) -> Result<IssuedServiceKey> {
        self.write(UseCase::CreateServiceKey, |operation| {
            let owner = operation.managed_service_account(organization, account)?;
            operation.check_credential(owner.permissions, new.expires_at, &owner.allow_list)?;
            check_end(new.expires_at, operation.now)?;
            let (id, name) = (operation.new_id()?, check_name(&new.name)?);
            let mut record = operation.new_token(organization, id, name, TokenFormat::StashbaseService);
            record.holder = HolderRecord::ServiceAccount { account };
            record.expires_at = new.expires_at;
            // Its account says from where it is used.
            record.allow_list.clear();
            let key = operation.put_token(&mut record, &keys::service_key(organization, account, id.into()))?;
            let info = ServiceKey::new(record)?;
            operation.record(Action::Create, info.resource(), info.details())?;
            Ok(IssuedServiceKey { key, info })
        })
    }
}

impl Session<'_> {
    /// The keys of a service account, in the order they were made, those that have expired among them.
    ///
    /// # Errors
    /// `NotFound`; `Denied`, for whoever may not manage it.
    pub fn service_keys(&self, organization: OrganizationId, account: ServiceAccountId) -> Result<Vec<ServiceKey>> {
        self.read(UseCase::ListServiceKeys, |operation| {
            operation.managed_service_account(organization, account)?;
            let records = operation.tokens_in(keys::service_keys(organization, account))?;
            let keys: Vec<ServiceKey> =
                records.into_iter().map(|(_, record)| ServiceKey::new(record)).collect::<Result<_>>()?;
            let mut resource = Resource::new(ResourceKind::ServiceAccount, organization);
            resource.id = Some(account.into());
            operation.record(
                Action::Read,
                resource,
                Details::read("keys", keys.iter().map(|key| key.name.as_str())),
            )?;
            Ok(keys)
        })
    }
}

impl Session<'_> {
    /// Removes a key of a service account. It no longer works from then on; the account's other keys do.
    ///
    /// # Errors
    /// `NotFound`; `Denied`, for whoever may not manage it.
    pub fn delete_service_key(
        &self,
        organization: OrganizationId,
        account: ServiceAccountId,
        id: ServiceKeyId,
    ) -> Result<()> {
        self.write(UseCase::DeleteServiceKey, |operation| {
            operation.managed_service_account(organization, account)?;
            let index = keys::service_key(organization, account, id);
            let key = ServiceKey::new(operation.token_under(&index, "key")?)?;
            operation.remove_token(&index)?;
            operation.record(Action::Delete, key.resource(), key.details())
        })
    }
}
