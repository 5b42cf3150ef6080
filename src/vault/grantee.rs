use serde::{Deserialize, Serialize};

use crate::core::id::TeamId;
use crate::core::id::UserId;

/// To whom something is granted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[expect(clippy::exhaustive_enums, reason = "who grants something must know to whom it can be")]
pub enum Grantee {
    /// To a user who is a member of the organization.
    User(UserId),
    /// To a team of the organization, and so to all who are in it.
    Team(TeamId),
}
