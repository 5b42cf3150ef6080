//! The keys of service accounts. What such a key may do, and from where, its account says.

mod create;
mod delete;
mod list;

pub use self::create::{IssuedServiceKey, NewServiceKey};
use super::records::{HolderRecord, TokenRecord, damaged};
use crate::Result;
use crate::core::{Details, Id, Resource, ResourceKind, Timestamp};

/// What is known of a key of a service account. The key itself is not.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ServiceKey {
    /// Its id.
    pub id: Id,
    /// The organization.
    pub organization: Id,
    /// The service account whose key it is.
    pub account: Id,
    /// Its name.
    pub name: String,
    /// Its first characters, to tell it from others.
    pub hint: String,
    /// When it was made.
    pub created_at: Timestamp,
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
            id: record.id,
            organization: record.organization,
            account,
            name: record.name,
            hint: record.hint,
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
            .with("serviceAccountId", self.account.to_string())
            .with("expiresAt", self.expires_at.map(|end| end.to_string()))
    }
}
