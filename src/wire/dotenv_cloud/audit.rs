use std::net::IpAddr;

use serde::Serialize;
use serde_json::Value;

use super::Resource;
use crate::vault::Timestamp;

/// A page of the audit log.
#[derive(Debug, Serialize)]
pub(crate) struct AuditLog {
    pub(crate) data: Vec<Resource<AuditRecord>>,
    pub(crate) meta: CursorMeta,
}

/// Where the next page begins.
#[derive(Debug, Serialize)]
pub(crate) struct CursorMeta {
    pub(crate) per_page: usize,
    /// None, for the last page.
    pub(crate) next: Option<String>,
}

/// Attributes of a record; its type is `audit-log`.
#[derive(Debug, Serialize)]
pub(crate) struct AuditRecord {
    pub(crate) at: Timestamp,
    pub(crate) organization: String,
    pub(crate) actor: AuditActor,
    /// Such as `project.created`.
    pub(crate) action: String,
    pub(crate) resource: AuditResource,
    /// `success`: what was refused has changed nothing, and is not recorded.
    pub(crate) outcome: &'static str,
    pub(crate) ip: Option<IpAddr>,
    /// An object, which says no secret.
    pub(crate) details: Value,
}

/// Who did it.
#[derive(Debug, Serialize)]
pub(crate) struct AuditActor {
    /// `user`, `api_token` or `system`.
    pub(crate) r#type: &'static str,
    pub(crate) id: Option<String>,
    pub(crate) name: Option<String>,
}

/// To what.
#[derive(Debug, Serialize)]
pub(crate) struct AuditResource {
    pub(crate) r#type: &'static str,
    pub(crate) id: Option<String>,
    pub(crate) path: Option<String>,
}
