use serde::{Deserialize, Serialize};

use crate::core::clock::Timestamp;
use crate::core::organization_status::OrganizationStatus;
use crate::wire::seconds;
use crate::wire::word::Word;

/// The attributes of an organization.
#[derive(Debug, Deserialize, Serialize)]
pub(crate) struct Organization {
    /// The id again: clients look at either.
    pub(crate) ulid: String,
    pub(crate) name: String,
    pub(crate) slug: String,
    pub(crate) status: Word<OrganizationStatus>,
    /// The plan in lower case. The service publishes no list of its plans.
    pub(crate) plan_name: String,
    #[serde(default, with = "seconds")]
    pub(crate) created_at: Option<Timestamp>,
    #[serde(default, with = "seconds")]
    pub(crate) updated_at: Option<Timestamp>,
}
