use serde::{Deserialize, Serialize};

/// Whether an organization may be used. Only the operator can use one that is not active.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum OrganizationStatus {
    /// It may be used.
    #[default]
    Active,
    /// It was cancelled by its owner.
    Cancelled,
    /// It was locked, such as after a failed payment.
    Locked,
    /// It is suspended for a while.
    Suspended,
}
