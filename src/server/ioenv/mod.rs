//! ioenv, as its clients know it.

mod problem;

use axum::Router;

use self::problem::Problem;
use super::exchange::{self, Bucket, Exchange, Fault, Service, State};
use super::rate_limit::Quota;
use super::reply::Reply;

/// The service.
pub(super) enum Ioenv {}

impl Service for Ioenv {
    type Problem = Problem;
    const MAX_BODY: usize = 2 << 20;

    fn bucket(_exchange: &Exchange) -> Result<Option<Bucket>, Problem> {
        Ok(None)
    }

    fn refuse(problem: Problem) -> Reply {
        problem.into()
    }

    fn dress(_reply: &mut Reply, _quota: Option<Quota>) {}
}

/// What is served, and where.
pub(super) fn routes() -> Router<State> {
    Router::new().method_not_allowed_fallback(|| exchange::refuse::<Ioenv>(Fault::MethodNotAllowed))
}
