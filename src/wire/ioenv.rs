//! ioenv: `/api/v1/env/…` and `/api/v1/project/…`.

use std::net::IpAddr;

use serde::Serialize;
use serde_json::Value;

use super::{Plain, Seconds};
use crate::core::{Action, ActorKind, ResourceKind, Timestamp};

/// The environments of a project.
#[derive(Debug, Serialize)]
pub(crate) struct Environments {
    pub(crate) environments: Vec<Environment>,
}

/// An environment that was made or changed.
#[derive(Debug, Serialize)]
pub(crate) struct OneEnvironment {
    pub(crate) environment: Environment,
}

#[derive(Debug, Serialize)]
pub(crate) struct Environment {
    pub(crate) id: String,
    pub(crate) name: String,
}

/// The variables of an environment.
#[derive(Debug, Serialize)]
pub(crate) struct Variables {
    pub(crate) variables: Vec<Variable>,
}

/// A variable that was set.
#[derive(Debug, Serialize)]
pub(crate) struct OneVariable {
    pub(crate) variable: Variable,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Variable {
    pub(crate) key: String,
    /// Not there in the answer to whoever has set a secret, and perhaps may not read it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) value: Option<Plain>,
    pub(crate) is_secret: bool,
    pub(crate) updated_at: Seconds,
    /// Not there in the answer to whoever has set it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) inherited: Option<bool>,
}

/// The tokens of a project.
#[derive(Debug, Serialize)]
pub(crate) struct Tokens {
    pub(crate) tokens: Vec<Token>,
}

/// A token that was issued.
#[derive(Debug, Serialize)]
pub(crate) struct OneToken {
    pub(crate) token: IssuedToken,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Token {
    pub(crate) id: String,
    pub(crate) project_id: String,
    pub(crate) name: String,
    pub(crate) permissions: Vec<&'static str>,
    pub(crate) hint: String,
    pub(crate) created_at: Timestamp,
    pub(crate) expires_at: Option<Timestamp>,
    pub(crate) revoked_at: Option<Timestamp>,
    pub(crate) last_used_at: Option<Timestamp>,
}

#[derive(Debug, Serialize)]
pub(crate) struct IssuedToken {
    #[serde(flatten)]
    pub(crate) token: Token,
    /// The token itself, which is told this once.
    pub(crate) plaintext: Plain,
}

/// Records of the audit log, newest first.
#[derive(Debug, Serialize)]
pub(crate) struct Records {
    pub(crate) records: Vec<Record>,
    pub(crate) next: Option<String>,
}

#[derive(Debug, Serialize)]
pub(crate) struct Record {
    pub(crate) id: String,
    pub(crate) timestamp: Timestamp,
    pub(crate) actor: Actor,
    pub(crate) ip: Option<IpAddr>,
    pub(crate) action: Action,
    pub(crate) resource: Resource,
    pub(crate) details: Value,
}

#[derive(Debug, Serialize)]
pub(crate) struct Actor {
    #[serde(rename = "type")]
    pub(crate) kind: ActorKind,
    pub(crate) id: Option<String>,
    pub(crate) name: Option<String>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Resource {
    #[serde(rename = "type")]
    pub(crate) kind: ResourceKind,
    /// Of a token or a member.
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

/// Why a request was refused.
#[derive(Debug, Serialize)]
pub(crate) struct Refusal {
    pub(crate) error: RefusalError,
}

#[derive(Debug, Serialize)]
pub(crate) struct RefusalError {
    pub(crate) code: &'static str,
    pub(crate) message: &'static str,
}
