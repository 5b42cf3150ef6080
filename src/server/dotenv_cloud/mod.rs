//! dotenv.cloud, as its clients know it.

mod api_keys;
mod audit;
mod environments;
mod fields;
mod keys;
mod level_request;
mod members;
mod oauth;
mod organizations;
mod paging;
mod place;
mod problem;
mod projects;
mod secrets;
mod targets;
mod users;
mod versions;

use axum::Router;
use axum::body::Body;
use axum::extract::rejection::RawPathParamsRejection;
use axum::extract::{RawPathParams, State as Extracted};
use axum::http::header::CACHE_CONTROL;
use axum::http::{HeaderName, HeaderValue, Method, Request, StatusCode};
use axum::middleware::map_response;
use axum::routing::{MethodFilter, MethodRouter};

use self::problem::Problem;
use crate::error::ErrorKind;
use crate::server::rate_limit::{Bucket, HOUR, MINUTE, Quota};
use crate::server::reply::{self, Reply};
use crate::server::request_context::{self, Fault, RequestContext, Service, State};
use crate::server::request_id::RequestId;
use crate::vault::{Id, PermissionSet};
use crate::wire::dotenv_cloud::error::ErrorCode;

/// The service.
pub(super) enum DotenvCloud {}

/// What every answer says.
const HEADERS: [(HeaderName, HeaderValue); 5] = [
    (CACHE_CONTROL, HeaderValue::from_static("no-store")),
    (HeaderName::from_static("x-api-version"), HeaderValue::from_static("1")),
    (HeaderName::from_static("x-frame-options"), HeaderValue::from_static("DENY")),
    (HeaderName::from_static("x-xss-protection"), HeaderValue::from_static("1; mode=block")),
    (
        HeaderName::from_static("strict-transport-security"),
        HeaderValue::from_static("max-age=31536000; includeSubDomains"),
    ),
];

/// What an answer at a long address says besides: there is a short one.
const DEPRECATED: [(HeaderName, HeaderValue); 2] = [
    (HeaderName::from_static("deprecation"), HeaderValue::from_static("true")),
    (HeaderName::from_static("sunset"), HeaderValue::from_static("Fri, 31 Dec 2027 23:59:59 GMT")),
];

impl Service for DotenvCloud {
    type Problem = Problem;

    // A blob and its members; JSON may escape some of it.
    const MAX_BODY: usize = 4 << 20;
    const REALM: &str = "dotenv.cloud";
    const SHOWS_QUOTA: bool = true;

    fn admit(context: &RequestContext) -> Result<(), Problem> {
        match context.headers().get("x-api-version") {
            Some(version) if version != "1" => {
                let message = "This version of the interface is not served: send `X-API-Version: 1`.";
                Err(Problem::new(StatusCode::BAD_REQUEST, ErrorCode::UnsupportedApiVersion, message))
            }
            _ => Ok(()),
        }
    }

    fn refine(context: &RequestContext, problem: Problem) -> Problem {
        // Who asks, whether they belong to the organization, and whether that is active, come before all else that could
        // be wrong; the vault asks first what they may do.
        if !context.has_parameter("organization") || !problem.is_about_request() {
            return problem;
        }
        let Ok(session) = context.session() else {
            return problem;
        };
        let refused = match place::organization(context) {
            Ok(organization) => session.check_rights(organization, None, PermissionSet::EMPTY).err(),
            Err(_) => context.key().err().filter(|error| error.kind() == ErrorKind::Unauthenticated),
        };
        refused.map_or(problem, Problem::from)
    }

    fn bucket(context: &RequestContext) -> Result<Bucket, Problem> {
        let of_network = |kind, limit| Ok(Bucket::of_network(kind, context.address(), limit, MINUTE));
        match context.path() {
            TELEMETRY => return of_network("dotenv.cloud telemetry", 60),
            OAUTH_TOKEN => return of_network("dotenv.cloud OAuth tokens", 10),
            OAUTH_REVOKE => return of_network("dotenv.cloud OAuth revocations", 10),
            _ => {}
        }
        let organization = match context.key() {
            Ok(key) => key.organization,
            // The service asks in another order why a key that is known is refused.
            Err(error) if error.kind() == ErrorKind::Denied => return of_network("dotenv.cloud refused keys", 100),
            Err(error) => return Err(error.into()),
        };
        let is_rotation = context.method() == Method::POST && context.path().ends_with("/encryption-key/rotate");
        let (kind, limit, window) =
            if is_rotation { ("dotenv.cloud rotations", 10, HOUR) } else { ("dotenv.cloud", 100, MINUTE) };
        Ok(Bucket::of_caller(kind, organization.to_string(), organization, limit, window))
    }

    fn refuse(problem: Problem, _request: RequestId) -> Reply {
        problem.into()
    }

    fn add_headers(reply: &mut Reply, quota: Option<Quota>) {
        reply.headers_mut().extend(HEADERS.map(|(name, value)| (Some(name), value)));
        if let Some(quota) = quota {
            reply::number(reply, "x-ratelimit-limit", quota.limit.into());
            reply::number(reply, "x-ratelimit-remaining", quota.remaining.into());
            reply::number(reply, "x-ratelimit-reset", quota.resets_at());
        }
    }
}

/// Where clients tell how they are used.
const TELEMETRY: &str = "/api/v1/cli/telemetry";
/// Where clients that log in with a browser get and revoke tokens.
const OAUTH_TOKEN: &str = "/api/oauth/token";
const OAUTH_REVOKE: &str = "/api/oauth/revoke";

/// What is served, and where.
pub(super) fn routes() -> Router<State> {
    Router::new()
        .merge(organization_routes())
        .merge(hierarchy_routes())
        .merge(secret_routes())
        .merge(long_routes().merge(long_secret_routes()).layer(map_response(async |mut reply: Reply| {
            reply.headers_mut().extend(DEPRECATED.map(|(name, value)| (Some(name), value)));
            reply
        })))
        .method_not_allowed_fallback(refuse_method)
}

/// Refuses a method. What only looks like an address in an organization, such as one for billing, is none.
async fn refuse_method(
    Extracted(state): Extracted<State>,
    parameters: Result<RawPathParams, RawPathParamsRejection>,
    request: Request<Body>,
) -> Reply {
    let is_address = parameters.is_ok_and(|parameters| {
        parameters.iter().all(|(name, value)| name != "organization" || Id::parse(value).is_ok())
    });
    let fault = if is_address { Fault::MethodNotAllowed } else { Fault::NoSuchRoute };
    request_context::refuse::<DotenvCloud>(state, fault, request).await
}

/// Organizations, and what concerns all of one.
fn organization_routes() -> Router<State> {
    let organizations = get(organizations::list).merge(post(organizations::create));
    let organization = get(organizations::read).merge(put_or_patch(organizations::update));
    let api_key = get(api_keys::read).merge(on(MethodFilter::PUT, api_keys::update)).merge(delete(api_keys::delete));
    Router::new()
        .route("/api/v1/organization", get(organizations::own))
        .route("/api/v1/organizations", organizations)
        .route("/api/v1/organizations/{organization}", organization.merge(delete(organizations::delete)))
        .route("/api/v1/organizations/{organization}/members", get(members::list).merge(post(members::invite)))
        .route("/api/v1/organizations/{organization}/members/{user}", delete(members::remove))
        .route("/api/v1/organizations/{organization}/audit-log", get(audit::list))
        .route("/api/v1/organizations/{organization}/api-keys", get(api_keys::list).merge(post(api_keys::create)))
        .route("/api/v1/organizations/{organization}/api-keys/{api_key}", api_key)
        .route("/api/v1/organizations/{organization}/api-keys/{api_key}/rotate", post(api_keys::rotate))
        .route("/api/v1/user", get(users::read))
        .route(OAUTH_TOKEN, post(oauth::token))
        .route(OAUTH_REVOKE, post(oauth::revoke))
        // Nobody wants to know here.
        .route(
            TELEMETRY,
            post(|context| {
                context.body()?;
                Ok(reply::empty(StatusCode::NO_CONTENT))
            }),
        )
}

/// Projects, targets and environments.
fn hierarchy_routes() -> Router<State> {
    let project = get(projects::read).merge(put_or_patch(projects::update)).merge(delete(projects::delete));
    let target = get(targets::read).merge(put_or_patch(targets::update)).merge(delete(targets::delete));
    let environment =
        get(environments::read).merge(put_or_patch(environments::update)).merge(delete(environments::delete));
    let environments = get(environments::list).merge(post(environments::create));
    Router::new()
        .route("/api/v1/{organization}/projects", get(projects::list).merge(post(projects::create)))
        .route("/api/v1/{organization}/{project}", project)
        .route("/api/v1/{organization}/{project}/targets", get(targets::list).merge(post(targets::create)))
        .route("/api/v1/{organization}/{project}/{target}", target)
        .route("/api/v1/{organization}/{project}/{target}/environments", environments)
        .route("/api/v1/{organization}/{project}/{target}/{environment}", environment)
}

/// The long addresses, at which things can be read.
fn long_routes() -> Router<State> {
    const TARGETS: &str = "/api/v1/organizations/{organization}/projects/{project}/targets";
    Router::new()
        .route("/api/v1/organizations/{organization}/projects", get(projects::list))
        .route("/api/v1/organizations/{organization}/projects/{project}", get(projects::read))
        .route(TARGETS, get(targets::list))
        .route(&format!("{TARGETS}/{{target}}"), get(targets::read))
        .route(&format!("{TARGETS}/{{target}}/environments"), get(environments::list))
        .route(&format!("{TARGETS}/{{target}}/environments/{{environment}}"), get(environments::read))
}

/// Secrets, their versions and the keys they are sealed with.
fn secret_routes() -> Router<State> {
    Router::new()
        .route("/api/v1/{organization}/{project}/secrets", get(secrets::read))
        .route("/api/v1/{organization}/{project}/{target}/secrets", get(secrets::read))
        .route("/api/v1/{organization}/{project}/{target}/{environment}/secrets", get(secrets::read))
        .route("/api/v1/{organization}/secrets/retrieve", post(secrets::retrieve))
        .route("/api/v1/{organization}/secrets/store", post(secrets::store))
        .route("/api/v1/{organization}/secrets/delete", post(secrets::delete))
        .route("/api/v1/{organization}/secrets/versions", post(versions::list))
        .route("/api/v1/{organization}/secrets/versions/purge", post(versions::purge))
        .route("/api/v1/{organization}/secrets/versions/{version}", get(versions::read).merge(delete(versions::delete)))
        .route("/api/v1/{organization}/secrets/versions/{version}/restore", post(versions::restore))
        .route("/api/v1/{organization}/{project}/encryption-key", get(keys::read))
        .route("/api/v1/{organization}/{project}/encryption-key/history", get(keys::history))
        .route("/api/v1/{organization}/{project}/encryption-key/rotate", post(keys::rotate))
        .route("/api/v1/{organization}/{project}/encryption-key/custody", post(keys::change_custody))
        .route("/api/v1/{organization}/{project}/secrets/rotate-client-keys", post(keys::rotate_client))
        .route("/api/v1/{organization}/{project}/secrets/re-encrypt-history/pending", post(keys::pending))
        .route("/api/v1/{organization}/{project}/secrets/re-encrypt-history", post(keys::reencrypt))
}

/// Secrets at long addresses.
fn long_secret_routes() -> Router<State> {
    const PROJECT: &str = "/api/v1/organizations/{organization}/projects/{project}";
    Router::new()
        .route("/api/v1/organizations/{organization}/secrets/retrieve", post(secrets::retrieve))
        .route(&format!("{PROJECT}/secrets"), get(secrets::read))
        .route(&format!("{PROJECT}/targets/{{target}}/secrets"), get(secrets::read))
        .route(&format!("{PROJECT}/targets/{{target}}/environments/{{environment}}/secrets"), get(secrets::read))
}

type Handler = fn(&RequestContext) -> Result<Reply, Problem>;

fn on(method: MethodFilter, handler: Handler) -> MethodRouter<State> {
    request_context::answer::<DotenvCloud>(method, handler)
}

fn get(handler: Handler) -> MethodRouter<State> {
    on(MethodFilter::GET, handler)
}

fn post(handler: Handler) -> MethodRouter<State> {
    on(MethodFilter::POST, handler)
}

fn put_or_patch(handler: Handler) -> MethodRouter<State> {
    on(MethodFilter::PUT.or(MethodFilter::PATCH), handler)
}

fn delete(handler: Handler) -> MethodRouter<State> {
    on(MethodFilter::DELETE, handler)
}
