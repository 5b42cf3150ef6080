use std::net::IpAddr;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::envelope::Resource;
use crate::core;
use crate::core::clock::Timestamp;
use crate::wire::word::Word;

/// A page of the audit log.
#[derive(Debug, Deserialize, Serialize)]
pub(crate) struct AuditLog {
    pub(crate) data: Vec<Resource<AuditRecord>>,
    pub(crate) meta: CursorMeta,
}

/// The start of the next page.
#[derive(Debug, Deserialize, Serialize)]
pub(crate) struct CursorMeta {
    pub(crate) per_page: usize,
    /// `None` on the last page.
    pub(crate) next: Option<String>,
}

/// The attributes of a record.
#[derive(Debug, Deserialize, Serialize)]
pub(crate) struct AuditRecord {
    pub(crate) at: Timestamp,
    pub(crate) organization: String,
    pub(crate) actor: AuditActor,
    /// A kind of resource and what was done to it, such as `project.created`.
    pub(crate) action: String,
    pub(crate) resource: AuditResource,
    pub(crate) outcome: Word<Outcome>,
    pub(crate) ip: Option<IpAddr>,
    /// An object without secrets.
    pub(crate) details: Value,
}

#[derive(Debug, Deserialize, Serialize)]
pub(crate) struct AuditActor {
    #[serde(rename = "type")]
    pub(crate) kind: Word<ActorKind>,
    pub(crate) id: Option<String>,
    pub(crate) name: Option<String>,
}

/// What an actor is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub(crate) enum ActorKind {
    #[serde(rename = "api_token")]
    ApiToken,
    #[serde(untagged)]
    Other(core::audit::ActorKind),
}

impl From<core::audit::ActorKind> for ActorKind {
    fn from(kind: core::audit::ActorKind) -> Self {
        match kind {
            core::audit::ActorKind::Token => Self::ApiToken,
            other => Self::Other(other),
        }
    }
}

#[derive(Debug, Deserialize, Serialize)]
pub(crate) struct AuditResource {
    #[serde(rename = "type")]
    pub(crate) kind: Word<AuditResourceKind>,
    pub(crate) id: Option<String>,
    pub(crate) path: Option<String>,
}

/// What a resource of a record is. A few have other words here than in the core.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum AuditResourceKind {
    ApiToken,
    /// A level or one of its entries.
    Secret,
    SecretVersion,
    #[serde(untagged)]
    Other(core::audit::ResourceKind),
}

impl From<core::audit::ResourceKind> for AuditResourceKind {
    fn from(kind: core::audit::ResourceKind) -> Self {
        match kind {
            core::audit::ResourceKind::Token => Self::ApiToken,
            core::audit::ResourceKind::Secret | core::audit::ResourceKind::Level => Self::Secret,
            core::audit::ResourceKind::Version => Self::SecretVersion,
            other => Self::Other(other),
        }
    }
}

/// Whether the action was performed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Outcome {
    /// Never sent by our server, which does not record what it refuses.
    Denied,
    Success,
}
