//! ioenv: `/api/v1/env/…` and `/api/v1/project/…`.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::plain::Plain;
use super::seconds;
use super::word::Word;
use crate::core::audit::{Action, ActorKind, ResourceKind};
use crate::core::clock::Timestamp;

/// The environments of a project.
#[derive(Debug, Deserialize, Serialize)]
pub(crate) struct EnvironmentList {
    pub(crate) environments: Vec<Environment>,
}

/// An environment that was created or renamed.
#[derive(Debug, Deserialize, Serialize)]
pub(crate) struct EnvironmentResponse {
    pub(crate) environment: Environment,
}

#[derive(Debug, Deserialize, Serialize)]
pub(crate) struct Environment {
    pub(crate) id: String,
    pub(crate) name: String,
}

/// The variables of an environment.
#[derive(Debug, Deserialize, Serialize)]
pub(crate) struct VariableList {
    pub(crate) variables: Vec<Variable>,
}

/// A variable that was set.
#[derive(Debug, Deserialize, Serialize)]
pub(crate) struct VariableResponse {
    pub(crate) variable: Variable,
}

#[derive(Debug, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Variable {
    pub(crate) key: String,
    /// Absent in the response to setting a secret, since the token may not be allowed to read it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) value: Option<Plain>,
    pub(crate) is_secret: bool,
    #[serde(default, with = "seconds")]
    pub(crate) updated_at: Option<Timestamp>,
    /// Whether it comes from `_base`. Only the engine says so, and only in lists.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) inherited: Option<bool>,
}

/// The tokens of a project.
#[derive(Debug, Deserialize, Serialize)]
pub(crate) struct TokenList {
    pub(crate) tokens: Vec<Token>,
}

/// A token that was issued.
#[derive(Debug, Deserialize, Serialize)]
pub(crate) struct TokenResponse {
    pub(crate) token: IssuedToken,
}

#[derive(Debug, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Token {
    pub(crate) id: String,
    pub(crate) project_id: String,
    pub(crate) name: String,
    /// Words of [`Vocabulary::Ioenv`](crate::core::permission::Vocabulary::Ioenv).
    pub(crate) permissions: Vec<String>,
    pub(crate) hint: String,
    pub(crate) created_at: Timestamp,
    pub(crate) expires_at: Option<Timestamp>,
    pub(crate) revoked_at: Option<Timestamp>,
    pub(crate) last_used_at: Option<Timestamp>,
}

#[derive(Debug, Deserialize, Serialize)]
pub(crate) struct IssuedToken {
    #[serde(flatten)]
    pub(crate) token: Token,
    /// The token itself, which no other response contains.
    pub(crate) plaintext: Plain,
}

/// Records of the audit log, newest first.
#[derive(Debug, Deserialize, Serialize)]
pub(crate) struct AuditPage {
    pub(crate) records: Vec<AuditRecord>,
    /// The cursor of the next page; `None` on the last one.
    pub(crate) next: Option<String>,
}

#[derive(Debug, Deserialize, Serialize)]
pub(crate) struct AuditRecord {
    pub(crate) id: String,
    pub(crate) timestamp: Timestamp,
    pub(crate) actor: AuditActor,
    pub(crate) ip: Option<IpAddr>,
    pub(crate) action: Word<Action>,
    pub(crate) resource: AuditResource,
    pub(crate) details: Value,
}

#[derive(Debug, Deserialize, Serialize)]
pub(crate) struct AuditActor {
    #[serde(rename = "type")]
    pub(crate) kind: Word<ActorKind>,
    pub(crate) id: Option<String>,
    pub(crate) name: Option<String>,
}

#[derive(Debug, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct AuditResource {
    #[serde(rename = "type")]
    pub(crate) kind: Word<ResourceKind>,
    /// The id of a token or a member.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) id: Option<String>,
    pub(crate) org_id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) project_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) env_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) key: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) name: Option<String>,
}

/// The body of every response with an error status.
#[derive(Debug, Deserialize, Serialize)]
pub(crate) struct ErrorResponse {
    pub(crate) error: ErrorBody,
}

#[derive(Debug, Deserialize, Serialize)]
pub(crate) struct ErrorBody {
    pub(crate) code: Word<ErrorCode>,
    pub(crate) message: String,
}

/// Why a request was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub(crate) enum ErrorCode {
    Forbidden,
    InternalError,
    MethodNotAllowed,
    NotFound,
    PreconditionFailed,
    RateLimited,
    Unauthorized,
    Unavailable,
    ValidationError,
}
