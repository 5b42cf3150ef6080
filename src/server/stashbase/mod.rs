//! Stashbase, as its clients know it.

mod caller;
mod environment;
mod history;
mod name;
mod problem;
mod project;
mod query;
mod secret;
mod webhook;
mod whoami;

use axum::Router;
use axum::extract::State as Extracted;
use axum::http::header::CACHE_CONTROL;
use axum::http::{HeaderValue, Method};
use axum::routing::{MethodFilter, MethodRouter};

use self::problem::Problem;
use crate::core::id::Id;
use crate::server::rate_limit::{Bucket, MINUTE, Quota};
use crate::server::reply::Reply;
use crate::server::request_context::{self, Fault, RequestContext, Service, State};
use crate::server::request_id::RequestId;
use crate::vault::KeyOwner;

/// The service.
pub(super) enum Stashbase {}

impl Service for Stashbase {
    type Problem = Problem;
    const MAX_BODY: usize = 2 << 20;
    const REALM: &str = "Stashbase";

    fn bucket(context: &RequestContext) -> Result<Bucket, Problem> {
        let key = context.key()?;
        // Keys that count together have one name.
        let who: Id = match (key.owner, &key.environment) {
            (_, Some(environment)) => environment.id.into(),
            (KeyOwner::User(user), None) => user.into(),
            _ => key.id,
        };
        let is_read = matches!(*context.method(), Method::GET | Method::HEAD);
        let is_of_secrets = context.path().split('/').any(|segment| segment == "secrets");
        let (what, limit) = match (is_of_secrets, is_read) {
            (true, true) => ("Stashbase secrets read", 100),
            (true, false) => ("Stashbase secrets write", 100),
            (false, true) => ("Stashbase read", 180),
            (false, false) => ("Stashbase write", 120),
        };
        Ok(Bucket::of_caller(what, who.to_string(), key.organization, limit, MINUTE))
    }

    fn refuse(problem: Problem, request: RequestId) -> Reply {
        problem.for_request(request).into()
    }

    fn add_headers(reply: &mut Reply, _quota: Option<Quota>) {
        reply.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    }
}

/// What answers a request.
type Handler = fn(&RequestContext) -> Result<Reply, Problem>;

fn get(handler: Handler) -> MethodRouter<State> {
    request_context::answer::<Stashbase>(MethodFilter::GET, handler)
}

fn post(handler: Handler) -> MethodRouter<State> {
    request_context::answer::<Stashbase>(MethodFilter::POST, handler)
}

fn put(handler: Handler) -> MethodRouter<State> {
    request_context::answer::<Stashbase>(MethodFilter::PUT, handler)
}

fn patch(handler: Handler) -> MethodRouter<State> {
    request_context::answer::<Stashbase>(MethodFilter::PATCH, handler)
}

fn delete(handler: Handler) -> MethodRouter<State> {
    request_context::answer::<Stashbase>(MethodFilter::DELETE, handler)
}

/// What is served, and where.
pub(super) fn routes() -> Router<State> {
    let workspace = Router::new()
        .route("/", get(project::list).merge(post(project::create)))
        .route("/{project}", get(project::read).merge(patch(project::update)).merge(delete(project::remove)))
        .route("/{project}/secrets/search", get(secret::search))
        .route("/{project}/environments", get(environment::list).merge(post(environment::create)))
        .route(
            "/{project}/environments/{environment}",
            get(environment::read).merge(patch(environment::update)).merge(delete(environment::remove)),
        )
        .route("/{project}/environments/{environment}/compare/{other}", get(secret::compare))
        .nest("/{project}/environments/{environment}", of_environment());
    Router::new()
        .route("/v1/whoami", get(whoami::read))
        .route("/v1/environment", get(environment::read_own))
        .nest("/v1/environment", of_environment())
        .nest("/v1/projects", workspace)
        .method_not_allowed_fallback(|Extracted(state), request| {
            request_context::refuse::<Stashbase>(state, Fault::MethodNotAllowed, request)
        })
}

/// What is the same of the environment of a key and of one that is named.
fn of_environment() -> Router<State> {
    Router::new()
        .route(
            "/secrets",
            get(secret::list).merge(post(secret::create)).merge(put(secret::set)).merge(patch(secret::update)),
        )
        .route("/secrets/metadata", get(secret::list_metadata))
        .route("/secrets/delete", post(secret::remove))
        .route("/secrets/delete/all", post(secret::remove_all))
        .route("/secrets/all", delete(secret::remove_all))
        .route("/secrets/{name}", get(secret::read))
        .route("/secrets/{name}/metadata", get(secret::read_metadata))
        .route("/webhooks", get(webhook::list).merge(post(webhook::create)))
        .route("/webhooks/{webhook}", get(webhook::read).merge(patch(webhook::update)).merge(delete(webhook::remove)))
        .route("/webhooks/{webhook}/status", patch(webhook::set_status))
        .route(
            "/webhooks/{webhook}/signing-secret",
            get(webhook::read_signing_secret).merge(post(webhook::rotate_signing_secret)),
        )
        .route("/webhooks/{webhook}/test", post(webhook::test))
        .route("/webhooks/{webhook}/logs", get(webhook::list_logs))
        .route("/webhooks/{webhook}/logs/{log}", get(webhook::read_log))
        .route("/changelog", get(history::list))
        .route("/changelog/{change}", get(history::read))
        .route("/changelog/{change}/revert", post(history::revert))
}
