use serde::{Deserialize, Serialize};

use crate::core::clock::Timestamp;
use crate::core::custody::Custody;
use crate::core::secret_format::SecretFormat;
use crate::wire::seconds;
use crate::wire::word::Word;

/// The attributes of a project.
#[derive(Debug, Deserialize, Serialize)]
pub(crate) struct Project {
    pub(crate) ulid: String,
    pub(crate) organization_id: String,
    pub(crate) name: String,
    pub(crate) slug: String,
    pub(crate) description: Option<String>,
    pub(crate) secret_format: Word<SecretFormat>,
    pub(crate) encryption_type: Word<Custody>,
    pub(crate) has_secrets: bool,
    /// The number of levels that hold secrets.
    pub(crate) secret_count: usize,
    pub(crate) environment_count: usize,
    pub(crate) target_count: usize,
    #[serde(default, with = "seconds")]
    pub(crate) created_at: Option<Timestamp>,
    #[serde(default, with = "seconds")]
    pub(crate) updated_at: Option<Timestamp>,
}
