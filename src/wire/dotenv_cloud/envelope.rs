//! What stands around the attributes of everything.

use serde::{Deserialize, Serialize};

use crate::wire::lenient;
use crate::wire::word::Word;

/// A resource of JSON:API.
#[derive(Debug, Deserialize, Serialize)]
pub(crate) struct Resource<A> {
    #[serde(rename = "type")]
    pub(crate) kind: Word<ResourceKind>,
    #[serde(deserialize_with = "lenient::text")]
    pub(crate) id: String,
    pub(crate) attributes: A,
}

/// What a resource is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub(crate) enum ResourceKind {
    #[serde(rename = "api_tokens")]
    ApiToken,
    #[serde(rename = "audit-log")]
    AuditRecord,
    #[serde(rename = "environments")]
    Environment,
    #[serde(rename = "encryption_keys")]
    Key,
    #[serde(rename = "members")]
    Member,
    #[serde(rename = "organizations")]
    Organization,
    #[serde(rename = "projects")]
    Project,
    /// A key that a rotation made, for which the service has another spelling.
    #[serde(rename = "encryption-keys")]
    RotatedKey,
    #[serde(rename = "secrets")]
    Secrets,
    #[serde(rename = "targets")]
    Target,
    #[serde(rename = "users")]
    User,
    #[serde(rename = "secret-versions")]
    Version,
}

/// One item.
#[derive(Debug, Deserialize, Serialize)]
pub(crate) struct Single<T> {
    pub(crate) data: T,
}

/// The result of an operation, and a sentence about it.
#[derive(Debug, Deserialize, Serialize)]
pub(crate) struct Done<T> {
    pub(crate) data: T,
    pub(crate) message: String,
}

/// A list, or a page of one.
#[derive(Debug, Deserialize, Serialize)]
pub(crate) struct List<T> {
    pub(crate) data: Vec<T>,
    /// Absent where the list is not paginated.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) meta: Option<PageMeta>,
}

/// The place of a page in its list.
#[derive(Clone, Copy, Debug, Deserialize, Serialize)]
pub(crate) struct PageMeta {
    pub(crate) current_page: usize,
    pub(crate) last_page: usize,
    pub(crate) per_page: usize,
    pub(crate) total: usize,
}
