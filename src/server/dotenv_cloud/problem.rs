use std::collections::BTreeMap;

use axum::http::StatusCode;
use serde_json::json;

use crate::core::refusal::Refusal;
use crate::error::{Error, ErrorKind};
use crate::server::log::Cause;
use crate::server::rate_limit::Quota;
use crate::server::reply::{self, Reply};
use crate::server::request_context::Fault;
use crate::wire::dotenv_cloud::error::{ErrorBody, ErrorCode, Messages, VersionLock};
use crate::wire::word::Word;

/// Why a request is refused, in the service's words.
pub(in crate::server) struct Problem(Box<Inner>);

struct Inner {
    status: StatusCode,
    body: ErrorBody,
    /// Seconds until it may be tried again.
    retry_after: Option<u64>,
    /// Why the server failed, if it did.
    cause: Option<Cause>,
}

impl Problem {
    /// A problem with a code of the service. The message is one sentence that says what to do.
    pub(super) fn new(status: StatusCode, code: ErrorCode, message: impl Into<String>) -> Self {
        let body =
            ErrorBody { error: Some(code.into()), message: message.into(), details: None, errors: BTreeMap::new() };
        Self(Box::new(Inner { status, body, retry_after: None, cause: None }))
    }

    /// What is not there, and what whoever asks may not know of.
    pub(super) fn not_found() -> Self {
        let message = "There is nothing of that name here, or it is outside of what this token may see.";
        Self::new(StatusCode::NOT_FOUND, ErrorCode::NotFound, message)
    }

    /// A request that cannot be understood at all.
    pub(super) fn malformed(message: &str) -> Self {
        Self::new(StatusCode::BAD_REQUEST, ErrorCode::MalformedRequest, message)
    }

    /// Fields that are not as they should be, each with what is wrong with it. There is at least one.
    pub(super) fn invalid(errors: impl IntoIterator<Item = (String, String)>) -> Self {
        let mut messages = Vec::new();
        let mut fields: BTreeMap<String, Messages> = BTreeMap::new();
        for (field, message) in errors {
            messages.push(message.clone());
            fields.entry(field).or_default().0.push(message);
        }
        let message = match messages.as_slice() {
            [] => "The request is not valid.".to_owned(),
            [one] => one.clone(),
            [first, _] => format!("{first} (and 1 more error)"),
            [first, more @ ..] => format!("{first} (and {} more errors)", more.len()),
        };
        let mut problem = Self::new(StatusCode::UNPROCESSABLE_ENTITY, ErrorCode::ValidationFailed, message);
        problem.0.body.errors = fields;
        problem
    }

    /// One field that is not as it should be.
    pub(super) fn field(field: &str, message: impl Into<String>) -> Self {
        Self::invalid([(field.to_owned(), message.into())])
    }

    /// What the vault refuses of something with a name and perhaps a slug, by the field.
    pub(super) fn of_names(error: Error) -> Self {
        match (error.kind(), error.refusal() == Some(Refusal::Slug)) {
            (ErrorKind::Conflict, true) => Self::field("slug", "The slug has already been taken."),
            (ErrorKind::InvalidName, true) => Self::field("slug", "The slug is reserved."),
            (ErrorKind::InvalidName, false) => Self::field("name", "The name field format is invalid."),
            _ => error.into(),
        }
    }

    /// One field that is not as it should be, for the reason that the vault has.
    pub(super) fn of_field(field: &str, error: &Error) -> Self {
        Self::field(field, sentence(&error.to_string()))
    }

    fn busy() -> Self {
        let message = "Too much is going on: try again later.";
        Self::new(StatusCode::SERVICE_UNAVAILABLE, ErrorCode::Unavailable, message)
    }

    fn internal() -> Self {
        let message = "This failed here: the operator can find out why.";
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, ErrorCode::ServerError, message)
    }

    fn caused_by(mut self, cause: Option<Cause>) -> Self {
        self.0.cause = cause;
        self
    }

    /// Whether it is about what was asked, and by whom; not about how much, or the server.
    pub(super) fn is_about_request(&self) -> bool {
        let is_of_vault = self.0.status.is_client_error() && self.0.status != StatusCode::UNAUTHORIZED;
        let is_of_server = matches!(
            self.0.body.error,
            Some(Word::Known(ErrorCode::RateLimited | ErrorCode::PayloadTooLarge | ErrorCode::UnsupportedApiVersion))
        );
        is_of_vault && !is_of_server
    }
}

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        let problem = Self::of(&error);
        let cause = problem.0.status.is_server_error().then(|| Cause::from(&error));
        problem.caused_by(cause)
    }
}

impl Problem {
    fn of(error: &Error) -> Self {
        const UNPROCESSABLE: StatusCode = StatusCode::UNPROCESSABLE_ENTITY;
        let (status, code) = match error.kind() {
            ErrorKind::Unauthenticated => (StatusCode::UNAUTHORIZED, ErrorCode::Unauthenticated),
            ErrorKind::Denied if error.refusal() == Some(Refusal::OrganizationInactive) => {
                (StatusCode::FORBIDDEN, ErrorCode::OrganizationInactive)
            }
            ErrorKind::Denied => (StatusCode::FORBIDDEN, ErrorCode::InsufficientPermissions),
            ErrorKind::NotFound => return Self::not_found(),
            ErrorKind::Conflict => (StatusCode::CONFLICT, ErrorCode::Conflict),
            ErrorKind::RotationInProgress => (StatusCode::CONFLICT, ErrorCode::RotationInProgress),
            ErrorKind::ClientManaged => (StatusCode::BAD_REQUEST, ErrorCode::ClientManagedEncryption),
            ErrorKind::KeyProofRequired => (UNPROCESSABLE, ErrorCode::KeyProofRequired),
            ErrorKind::KeyProofMismatch => (UNPROCESSABLE, ErrorCode::KeyProofMismatch),
            ErrorKind::KeyVersionConflict => (UNPROCESSABLE, ErrorCode::KeyVersionConflict),
            ErrorKind::ContentRequired => (UNPROCESSABLE, ErrorCode::ContentRequiredForOldKey),
            ErrorKind::VersionLocked => (StatusCode::FORBIDDEN, ErrorCode::VersionLocked),
            ErrorKind::VersionProtected => (UNPROCESSABLE, ErrorCode::VersionProtected),
            ErrorKind::Unconfirmed => (UNPROCESSABLE, ErrorCode::ConfirmationRequired),
            ErrorKind::InvalidName
            | ErrorKind::InvalidValue
            | ErrorKind::Limit
            | ErrorKind::Syntax
            | ErrorKind::DecryptionFailed => (UNPROCESSABLE, ErrorCode::ValidationFailed),
            ErrorKind::RateLimited => return Fault::TooManyRequests(Quota::exceeded(error.retry_after())).into(),
            ErrorKind::Unavailable => return Self::busy(),
            _ => return Self::internal(),
        };
        let mut problem = Self::new(status, code, sentence(&error.to_string()));
        if error.refusal() == Some(Refusal::ReusedIv) {
            return Self::of_field("content", error);
        }
        if let Some(Refusal::VersionLocked { days, replaced_at }) = error.refusal() {
            let lock = VersionLock { retention_days: days, version_created_at: Some(replaced_at) };
            problem.0.body.details = Some(json!(lock));
        }
        if error.kind() == ErrorKind::Unconfirmed {
            let message = "The confirmed field must be accepted.".to_owned();
            problem.0.body.message.clone_from(&message);
            problem.0.body.errors.insert("confirmed".to_owned(), Messages(vec![message]));
        }
        problem
    }
}

/// A text of ours as a sentence.
fn sentence(text: &str) -> String {
    let mut chars = text.chars();
    let first = chars.next().map(|first| first.to_uppercase().collect::<String>()).unwrap_or_default();
    format!("{first}{}.", chars.as_str())
}

impl From<Fault> for Problem {
    fn from(fault: Fault) -> Self {
        let (status, code, message) = match fault {
            Fault::NoSuchRoute => (StatusCode::NOT_FOUND, ErrorCode::NotFound, "There is nothing at this address."),
            Fault::MethodNotAllowed => {
                (StatusCode::METHOD_NOT_ALLOWED, ErrorCode::MethodNotAllowed, "This address does not take this method.")
            }
            Fault::BodyTooLong => (
                StatusCode::PAYLOAD_TOO_LARGE,
                ErrorCode::PayloadTooLarge,
                "The request is too large: send less at once.",
            ),
            Fault::BodyIncomplete => {
                return Self::malformed("The body of the request did not arrive: send it again.");
            }
            Fault::TooManyRequests(_) => (
                StatusCode::TOO_MANY_REQUESTS,
                ErrorCode::RateLimited,
                "Too many requests: try again after `Retry-After`.",
            ),
            Fault::Busy => return Self::busy().caused_by(fault.cause()),
            Fault::Defect(_) | Fault::Panicked(_) => return Self::internal().caused_by(fault.cause()),
        };
        let mut problem = Self::new(status, code, message);
        if let Fault::TooManyRequests(quota) = fault {
            problem.0.retry_after = Some(quota.seconds);
        }
        problem
    }
}

impl From<Problem> for Reply {
    fn from(problem: Problem) -> Self {
        let Problem(inner) = problem;
        let mut reply = reply::with_cause(reply::json(inner.status, &inner.body), inner.cause);
        if let Some(seconds) = inner.retry_after {
            reply::number(&mut reply, "retry-after", seconds);
        }
        reply
    }
}
