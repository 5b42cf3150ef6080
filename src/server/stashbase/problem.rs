use axum::http::StatusCode;
use axum::http::header::RETRY_AFTER;
use serde_json::{Map, Value, json};

use crate::core::refusal::Refusal;
use crate::error::{Error, ErrorKind};
use crate::server::log::Cause;
use crate::server::rate_limit::Quota;
use crate::server::reply::{self, Reply};
use crate::server::request_context::Fault;
use crate::server::request_id::RequestId;
use crate::vault::{PermissionSet, Vocabulary};
use crate::wire::stashbase::error::{ErrorBody, ErrorResponse};

/// Why a request is refused, in the service's words.
pub(in crate::server) struct Problem {
    status: StatusCode,
    code: &'static str,
    message: &'static str,
    details: Map<String, Value>,
    /// Why the server failed, if it did.
    cause: Option<Cause>,
}

impl Problem {
    #[cold]
    fn new(status: StatusCode, code: &'static str, message: &'static str) -> Self {
        Self { status, code, message, details: Map::new(), cause: None }
    }

    /// What is asked for cannot be as it is.
    pub(super) fn invalid(code: &'static str, message: &'static str) -> Self {
        Self::new(StatusCode::BAD_REQUEST, code, message)
    }

    /// What is asked for is no request of this kind at all.
    pub(super) fn bad_request(message: &'static str) -> Self {
        Self::invalid("validation.bad_request", message)
    }

    pub(super) fn not_found(code: &'static str, message: &'static str) -> Self {
        Self::new(StatusCode::NOT_FOUND, code, message)
    }

    pub(super) fn conflict(code: &'static str, message: &'static str) -> Self {
        Self::new(StatusCode::CONFLICT, code, message)
    }

    pub(super) fn project_not_found() -> Self {
        Self::not_found("resource.project_not_found", "Project not found.")
    }

    pub(super) fn environment_not_found() -> Self {
        Self::not_found("resource.environment_not_found", "Environment not found.")
    }

    /// The key is of another kind than what is asked for takes.
    pub(super) fn unsupported_key(supported: &[&str]) -> Self {
        let message = "This takes an API key of another type.";
        Self::new(StatusCode::FORBIDDEN, "access.unsupported_api_key_type", message)
            .with("supported_api_key_types", supported)
    }

    pub(super) fn missing_permission(missing: PermissionSet) -> Self {
        let message = "The API key lacks a permission for this.";
        let mut words = Vocabulary::Stashbase.words_giving(missing);
        if words.is_empty() {
            // The service has no word for its history.
            words = Vocabulary::DotenvCloud.words_giving(missing);
        }
        Self::new(StatusCode::FORBIDDEN, "access.missing_permission", message).with("required_permissions", words)
    }

    pub(super) fn missing_full_project_access() -> Self {
        let message = "This takes full access to the project: ask somebody who has it.";
        Self::new(StatusCode::FORBIDDEN, "access.missing_full_project_access", message)
    }

    /// The same, with a detail.
    pub(super) fn with(mut self, key: &'static str, value: impl serde::Serialize) -> Self {
        self.details.insert(key.to_owned(), json!(value));
        self
    }

    /// Names the request that the server failed at.
    pub(super) fn for_request(self, request: RequestId) -> Self {
        if self.status == StatusCode::INTERNAL_SERVER_ERROR {
            self.with("request_id", request.to_string())
        } else {
            self
        }
    }

    fn unauthorized() -> Self {
        let message = "Send a valid API key in the Authorization header.";
        Self::new(StatusCode::UNAUTHORIZED, "auth.unauthorized", message)
    }

    fn unavailable() -> Self {
        let message = "The service cannot answer now: try again later.";
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "server.temporary_unavailable", message)
    }

    fn internal() -> Self {
        let message = "The service has failed: tell whoever runs it.";
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "server.internal_error", message)
    }
}

/// What is not found is an environment, unless the handler knows better.
impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        let problem = Self::of(&error);
        let cause = problem.status.is_server_error().then(|| Cause::from(&error));
        Self { cause, ..problem }
    }
}

impl Problem {
    fn of(error: &Error) -> Self {
        match error.kind() {
            ErrorKind::Unauthenticated => match error.refusal() {
                Some(Refusal::Expired { since }) => {
                    let message = "The API key has expired: use another one.";
                    Self::new(StatusCode::UNAUTHORIZED, "auth.expired_api_key", message)
                        .with("expired_at", since.to_string())
                }
                _ => Self::unauthorized(),
            },
            ErrorKind::Denied if error.refusal() == Some(Refusal::Address) => {
                let message = "The API key is not to be used from this IP address.";
                Self::new(StatusCode::FORBIDDEN, "access.ip_address_not_allowed", message)
            }
            ErrorKind::Denied => Self::missing_permission(match error.refusal() {
                Some(Refusal::Permissions(missing)) => missing,
                _ => PermissionSet::EMPTY,
            }),
            ErrorKind::NotFound => Self::environment_not_found(),
            // There is no code for it, because at the service itself there is no such project.
            ErrorKind::ClientManaged => Self::conflict(
                "validation.bad_request",
                "Only its own people hold the key of this project: its secrets cannot be opened here.",
            ),
            // Nor for this, which its clients do not write.
            ErrorKind::Syntax | ErrorKind::DecryptionFailed => Self::conflict(
                "validation.bad_request",
                "What this environment holds is no dotenv text: delete or store it with what wrote it.",
            ),
            ErrorKind::Conflict => {
                Self::conflict("validation.bad_request", "Something else changed this meanwhile: try again.")
            }
            ErrorKind::InvalidName | ErrorKind::InvalidValue | ErrorKind::Limit => {
                Self::bad_request("Something in the request is too long, or holds what it must not hold.")
            }
            ErrorKind::RateLimited => Fault::TooManyRequests(Quota::exceeded(error.retry_after())).into(),
            ErrorKind::RotationInProgress | ErrorKind::Unavailable => Self::unavailable(),
            _ => Self::internal(),
        }
    }
}

impl From<Fault> for Problem {
    fn from(fault: Fault) -> Self {
        let bad_request = |status, message| Self::new(status, "validation.bad_request", message);
        let problem = match fault {
            Fault::NoSuchRoute => bad_request(StatusCode::NOT_FOUND, "Nothing is served at this address."),
            Fault::MethodNotAllowed => {
                bad_request(StatusCode::METHOD_NOT_ALLOWED, "Nothing is served at this address by this method.")
            }
            Fault::BodyTooLong => bad_request(StatusCode::PAYLOAD_TOO_LARGE, "The body is longer than 2 MiB."),
            Fault::BodyIncomplete => bad_request(StatusCode::BAD_REQUEST, "The body did not come as a whole."),
            Fault::TooManyRequests(quota) => {
                let message = "Too many requests: wait before the next one.";
                let retry_after = json!({"seconds": quota.seconds, "unix_timestamp": quota.resets_at()});
                Self::new(StatusCode::TOO_MANY_REQUESTS, "rate_limit.too_many_requests", message)
                    .with("retry_after", retry_after)
            }
            Fault::Busy => Self::unavailable(),
            Fault::Defect(_) | Fault::Panicked(_) => Self::internal(),
        };
        Self { cause: fault.cause(), ..problem }
    }
}

impl From<Problem> for Reply {
    fn from(problem: Problem) -> Self {
        let Problem { status, code, message, details, cause } = problem;
        let retry_after = details.get("retry_after").and_then(|wait| wait["seconds"].as_u64());
        let body = ErrorResponse { error: ErrorBody { code: code.to_owned(), message: message.to_owned(), details } };
        let mut reply = reply::with_cause(reply::json(status, &body), cause);
        if let Some(seconds) = retry_after {
            reply::number(&mut reply, RETRY_AFTER.as_str(), seconds);
        }
        reply
    }
}

#[cfg(test)]
impl Problem {
    /// The code and the details.
    pub(super) fn described(&self) -> Value {
        json!({"code": self.code, "details": self.details})
    }
}
