use axum::http::StatusCode;

use crate::core::refusal::Refusal;
use crate::error::{Error, ErrorKind};
use crate::server::log::Cause;
use crate::server::rate_limit::Quota;
use crate::server::reply::{self, Reply};
use crate::server::request_context::Fault;
use crate::vault::Vocabulary;
use crate::wire::ioenv::{ErrorBody, ErrorCode, ErrorResponse};

/// Why a request is refused, in the service's words.
#[derive(Debug)]
pub(in crate::server) struct Problem {
    status: StatusCode,
    code: ErrorCode,
    message: &'static str,
    /// Why the server failed, if it did.
    cause: Option<Cause>,
}

impl Problem {
    fn new(status: StatusCode, code: ErrorCode, message: &'static str) -> Self {
        Self { status, code, message, cause: None }
    }

    /// The same for every reason, so that a stranger learns nothing.
    fn unauthorized() -> Self {
        let message = "A valid API token is required.";
        Self::new(StatusCode::UNAUTHORIZED, ErrorCode::Unauthorized, message)
    }

    /// What refused a call that takes no permission: a token of an organization that is not active is none.
    pub(super) fn of_token(error: Error) -> Self {
        let is_inactive = error.kind() == ErrorKind::Denied && error.refusal() != Some(Refusal::Address);
        if is_inactive { Self::unauthorized() } else { error.into() }
    }

    pub(super) fn forbidden(message: &'static str) -> Self {
        Self::new(StatusCode::FORBIDDEN, ErrorCode::Forbidden, message)
    }

    pub(super) fn not_found(message: &'static str) -> Self {
        Self::new(StatusCode::NOT_FOUND, ErrorCode::NotFound, message)
    }

    /// What is wrong with a request, which has no other code.
    pub(super) fn invalid(message: &'static str) -> Self {
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, ErrorCode::ValidationError, message)
    }

    /// What is there is not what the request is about.
    pub(super) fn changed() -> Self {
        let message = "The environment is not as this request requires: read it again.";
        Self::new(StatusCode::PRECONDITION_FAILED, ErrorCode::PreconditionFailed, message)
    }

    fn unavailable(message: &'static str) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, ErrorCode::Unavailable, message)
    }

    fn internal() -> Self {
        let message = "The server failed at this: tell whoever runs it.";
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, ErrorCode::InternalError, message)
    }
}

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
            ErrorKind::Unauthenticated => Self::unauthorized(),
            ErrorKind::Denied => Self::forbidden(denied(error)),
            ErrorKind::NotFound => Self::not_found("No such resource."),
            ErrorKind::ClientManaged => {
                Self::forbidden("Only the people of this project hold its key: read and write it where that is known.")
            }
            // What a request says was looked at before the call; this is about what is stored.
            ErrorKind::Syntax
            | ErrorKind::DecryptionFailed
            | ErrorKind::InvalidName
            | ErrorKind::InvalidValue
            | ErrorKind::Limit => {
                Self::invalid("What this environment holds is no dotenv text: store that, to have variables.")
            }
            ErrorKind::RateLimited => Fault::TooManyRequests(Quota::exceeded(error.retry_after())).into(),
            ErrorKind::RotationInProgress | ErrorKind::Unavailable => {
                Self::unavailable("The store is busy: try again later.")
            }
            _ => Self::internal(),
        }
    }
}

/// The one of the service's permissions that has all that is missing.
fn denied(error: &Error) -> &'static str {
    let missing = match error.refusal() {
        Some(Refusal::Address) => return "This token is not to be used from this address.",
        Some(Refusal::Permissions(missing)) => missing,
        _ => return "This token may not do this.",
    };
    let has_all = |word| Vocabulary::Ioenv.parse([word]).is_ok_and(|set| set.contains_all(missing));
    if has_all("read") {
        "This token lacks the read permission."
    } else if has_all("write") {
        "This token lacks the write permission."
    } else {
        "This token lacks the admin permission."
    }
}

impl From<Fault> for Problem {
    fn from(fault: Fault) -> Self {
        let problem = match fault {
            Fault::NoSuchRoute => Self::not_found("Nothing is served at this address."),
            Fault::MethodNotAllowed => {
                let message = "This address does not take this method: use one that the Allow header names.";
                Self::new(StatusCode::METHOD_NOT_ALLOWED, ErrorCode::MethodNotAllowed, message)
            }
            Fault::BodyTooLong => Self::invalid("The body must have at most 1 MiB."),
            Fault::BodyIncomplete => Self::invalid("The body did not come whole: send the request again."),
            Fault::TooManyRequests(_) => {
                let message = "Too many requests: wait as long as the Retry-After header says.";
                Self::new(StatusCode::TOO_MANY_REQUESTS, ErrorCode::RateLimited, message)
            }
            Fault::Busy => Self::unavailable("The server is busy: try again later."),
            Fault::Defect(_) | Fault::Panicked(_) => Self::internal(),
        };
        Self { cause: fault.cause(), ..problem }
    }
}

impl From<Problem> for Reply {
    fn from(Problem { status, code, message, cause }: Problem) -> Self {
        let body = ErrorResponse { error: ErrorBody { code: code.into(), message: message.to_owned() } };
        reply::with_cause(reply::json(status, &body), cause)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_reason_has_its_status_and_code() {
        let quota = Quota { limit: 1, remaining: 0, seconds: 1, is_exceeded: true };
        let of = |kind| Problem::from(Error::new(kind, "planted"));
        for (problem, status, code) in [
            (of(ErrorKind::Unauthenticated), 401, ErrorCode::Unauthorized),
            (of(ErrorKind::Denied), 403, ErrorCode::Forbidden),
            (of(ErrorKind::ClientManaged), 403, ErrorCode::Forbidden),
            (of(ErrorKind::NotFound), 404, ErrorCode::NotFound),
            (of(ErrorKind::Syntax), 422, ErrorCode::ValidationError),
            (of(ErrorKind::Unavailable), 503, ErrorCode::Unavailable),
            (of(ErrorKind::RateLimited), 429, ErrorCode::RateLimited),
            (of(ErrorKind::RotationInProgress), 503, ErrorCode::Unavailable),
            (of(ErrorKind::Corrupt), 500, ErrorCode::InternalError),
            (of(ErrorKind::Io), 500, ErrorCode::InternalError),
            (Problem::changed(), 412, ErrorCode::PreconditionFailed),
            (Fault::NoSuchRoute.into(), 404, ErrorCode::NotFound),
            (Fault::MethodNotAllowed.into(), 405, ErrorCode::MethodNotAllowed),
            (Fault::BodyTooLong.into(), 422, ErrorCode::ValidationError),
            (Fault::BodyIncomplete.into(), 422, ErrorCode::ValidationError),
            (Fault::TooManyRequests(quota).into(), 429, ErrorCode::RateLimited),
            (Fault::Busy.into(), 503, ErrorCode::Unavailable),
            (Fault::Panicked(None).into(), 500, ErrorCode::InternalError),
        ] {
            assert_eq!((problem.status.as_u16(), problem.code), (status, code), "{problem:?}");
            assert!(problem.message.ends_with('.') && !problem.message.contains("planted"), "{problem:?}");
            assert_eq!(problem.cause.is_some(), status >= 500, "{problem:?}");
        }
    }
}
