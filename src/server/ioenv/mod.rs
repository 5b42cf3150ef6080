//! ioenv, as its clients know it.

mod audit;
mod body;
mod environments;
mod etag;
mod place;
mod problem;
mod tokens;
mod variables;

use axum::Router;
use axum::extract::State as Extracted;
use axum::http::HeaderValue;
use axum::http::header::{CACHE_CONTROL, RETRY_AFTER};
use axum::routing::{MethodFilter, MethodRouter, any};

use self::problem::Problem;
use crate::server::rate_limit::{Bucket, MINUTE, Quota};
use crate::server::reply::{Reply, number};
use crate::server::request_context::{self, Fault, RequestContext, Service, State};
use crate::server::request_id::RequestId;

/// How many requests of a token are taken in a minute, where they are counted.
const MAX_REQUESTS: u32 = 100;

/// The service.
pub(super) enum Ioenv {}

impl Service for Ioenv {
    type Problem = Problem;
    const MAX_BODY: usize = 1 << 20;
    const REALM: &str = "ioenv";

    fn bucket(context: &RequestContext) -> Result<Bucket, Problem> {
        let key = context.key().map_err(Problem::of_token)?;
        Ok(Bucket::of_caller("ioenv", key.id.to_string(), key.organization, MAX_REQUESTS, MINUTE))
    }

    fn refuse(problem: Problem, _request: RequestId) -> Reply {
        problem.into()
    }

    fn add_headers(reply: &mut Reply, quota: Option<Quota>) {
        let headers = reply.headers_mut();
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        let engine = HeaderValue::from_static(concat!("local/", env!("CARGO_PKG_VERSION")));
        headers.insert("x-ioenv-engine", engine);
        if let Some(quota) = quota {
            if quota.is_exceeded {
                headers.insert(RETRY_AFTER, HeaderValue::from(quota.seconds));
            }
            number(reply, "x-ratelimit-limit", quota.limit.into());
            number(reply, "x-ratelimit-remaining", quota.remaining.into());
            number(reply, "x-ratelimit-reset", quota.resets_at());
        }
    }
}

/// What is served, and where.
pub(super) fn routes() -> Router<State> {
    let set = || put(variables::put).merge(delete(variables::delete));
    let nothing =
        || any(|Extracted(state), request| request_context::refuse::<Ioenv>(state, Fault::NoSuchRoute, request));
    Router::new()
        .route("/api/v1/project/{projectId}/environments", get(environments::list).merge(post(environments::create)))
        .route("/api/v1/project/{projectId}/tokens", get(tokens::list).merge(post(tokens::create)))
        .route("/api/v1/project/{projectId}/tokens/{tokenId}", delete(tokens::revoke))
        .route("/api/v1/project/{projectId}/audit", get(audit::list))
        .route("/api/v1/env/{envId}", patch(environments::rename).merge(delete(environments::delete)))
        .route("/api/v1/env/{envId}/variables", get(variables::list))
        // A variable may be called `export`, too.
        .route("/api/v1/env/{envId}/variables/export", get(variables::export).merge(set()))
        .route("/api/v1/env/{envId}/variables/{key}", set())
        // The rest is no other service's, although an organization could have such a name there.
        .route("/api/v1/env/{envId}/{*rest}", nothing())
        .route("/api/v1/project/{projectId}", nothing())
        .route("/api/v1/project/{projectId}/{*rest}", nothing())
        .method_not_allowed_fallback(|Extracted(state), request| {
            request_context::refuse::<Ioenv>(state, Fault::MethodNotAllowed, request)
        })
}

type Handler = fn(&RequestContext) -> Result<Reply, Problem>;

fn get(handler: Handler) -> MethodRouter<State> {
    request_context::answer::<Ioenv>(MethodFilter::GET, handler)
}

fn put(handler: Handler) -> MethodRouter<State> {
    request_context::answer::<Ioenv>(MethodFilter::PUT, handler)
}

fn post(handler: Handler) -> MethodRouter<State> {
    request_context::answer::<Ioenv>(MethodFilter::POST, handler)
}

fn patch(handler: Handler) -> MethodRouter<State> {
    request_context::answer::<Ioenv>(MethodFilter::PATCH, handler)
}

fn delete(handler: Handler) -> MethodRouter<State> {
    request_context::answer::<Ioenv>(MethodFilter::DELETE, handler)
}
