use axum::http::StatusCode;

use super::super::exchange::Fault;
use super::super::reply::{self, Reply};
use crate::Error;

/// Why a request is refused, in the service's words.
pub(in super::super) struct Problem {
    status: StatusCode,
}

impl From<Error> for Problem {
    fn from(_error: Error) -> Self {
        Self { status: StatusCode::INTERNAL_SERVER_ERROR }
    }
}

impl From<Fault> for Problem {
    fn from(_fault: Fault) -> Self {
        Self { status: StatusCode::NOT_FOUND }
    }
}

impl From<Problem> for Reply {
    fn from(problem: Problem) -> Self {
        reply::empty(problem.status)
    }
}
