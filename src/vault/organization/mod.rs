//! Organizations: the boundary that no token crosses. Each has a plan, and a key that wraps those of its projects.

mod create;
mod delete;
mod list;
mod read;
mod update;

use serde::{Deserialize, Serialize};

pub use self::create::NewOrganization;
pub use self::update::OrganizationUpdate;
use super::records::OrganizationRecord;
use crate::core::{Id, Tier, Timestamp};

/// An organization.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Organization {
    /// Its id, which never changes.
    pub id: Id,
    /// Its name.
    pub name: String,
    /// Its slug, unique in the vault.
    pub slug: String,
    /// How long its audit log is kept.
    pub tier: Tier,
    /// Whether it may be used.
    pub status: OrganizationStatus,
    /// Days that a version can be opened after it was displaced; 0 for ever.
    pub version_retention_days: u32,
    /// Whether it was made with a user, for what is theirs alone.
    pub is_personal: bool,
    /// When it was made.
    pub created_at: Timestamp,
    /// When one of these was changed last.
    pub updated_at: Timestamp,
}

/// Whether an organization may be used. Only an active one can be, by anyone but the operator.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum OrganizationStatus {
    /// It may be used.
    #[default]
    Active,
    /// It was given up.
    Cancelled,
    /// It was closed, such as after a payment failed.
    Locked,
    /// It is closed for a while.
    Suspended,
}

impl From<OrganizationRecord> for Organization {
    fn from(record: OrganizationRecord) -> Self {
        Self {
            id: record.id,
            name: record.name,
            slug: record.slug,
            tier: record.tier,
            status: record.status,
            version_retention_days: record.version_retention_days,
            is_personal: record.is_personal,
            created_at: record.created_at,
            updated_at: record.updated_at,
        }
    }
}
