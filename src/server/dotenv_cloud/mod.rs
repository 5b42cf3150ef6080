//! dotenv.cloud, as its clients know it.

mod fields;
mod paging;
mod place;
mod problem;
mod projects;

use axum::Router;
use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::middleware::map_response;
use axum::routing::{MethodFilter, MethodRouter};

use self::problem::Problem;
use super::exchange::{self, Bucket, Exchange, Fault, Service, State};
use super::rate_limit::{MINUTE, Quota};
use super::reply::{self, Reply};
use crate::ErrorKind;
use crate::vault::{Id, Identity, PermissionSet};

/// The service.
pub(super) enum DotenvCloud {}

/// What every answer says.
const HEADERS: [(HeaderName, HeaderValue); 5] = [
    (HeaderName::from_static("x-api-version"), HeaderValue::from_static("1")),
    (HeaderName::from_static("x-content-type-options"), HeaderValue::from_static("nosniff")),
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

    fn admit(exchange: &Exchange) -> Result<(), Problem> {
        match exchange.headers().get("x-api-version") {
            Some(version) if version != "1" => {
                let message = "This version of the interface is not served: send `X-API-Version: 1`.";
                Err(Problem::new(StatusCode::BAD_REQUEST, "unsupported_api_version", message))
            }
            _ => Ok(()),
        }
    }

    fn refine(exchange: &Exchange, problem: Problem) -> Problem {
        // Whether an organization is there is none of a stranger's business, whatever their token may do; the vault asks
        // first what it may do.
        if problem.code() == "insufficient_permissions"
            && exchange.has_parameter("organization")
            && let (Ok(organization), Ok(session)) = (place::organization(exchange), exchange.session())
            && let Err(error) = session.check_rights(organization, None, PermissionSet::EMPTY)
            && error.kind() == ErrorKind::NotFound
        {
            return Problem::not_found();
        }
        problem
    }

    fn bucket(exchange: &Exchange) -> Result<Option<Bucket>, Problem> {
        let name = match exchange.session()?.whoami()? {
            Identity::Token(token) => of_organization(token.organization.id),
            Identity::Account(account) => of_organization(account.organization.id),
            Identity::ServiceAccount(account) => of_organization(account.organization.id),
            Identity::User(user) => format!("dotenv.cloud user {}", user.id),
            Identity::System(_) => return Ok(None),
        };
        Ok(Some(Bucket { name, limit: 100, window: MINUTE }))
    }

    fn refuse(problem: Problem) -> Reply {
        problem.into()
    }

    fn dress(reply: &mut Reply, quota: Option<Quota>) {
        reply.headers_mut().extend(HEADERS.map(|(name, value)| (Some(name), value)));
        if let Some(quota) = quota {
            reply::number(reply, "x-ratelimit-limit", quota.limit.into());
            reply::number(reply, "x-ratelimit-remaining", quota.remaining.into());
            reply::number(reply, "x-ratelimit-reset", quota.resets_at());
        }
    }
}

fn of_organization(id: Id) -> String {
    format!("dotenv.cloud {id}")
}

/// What is served, and where.
pub(super) fn routes() -> Router<State> {
    let routes = Router::new()
        .route("/api/v1/{organization}/projects", get(projects::list))
        .route("/api/v1/{organization}/{project}", get(projects::read));
    routes
        .merge(long_routes().layer(map_response(async |mut reply: Reply| {
            reply.headers_mut().extend(DEPRECATED.map(|(name, value)| (Some(name), value)));
            reply
        })))
        .method_not_allowed_fallback(|| exchange::refuse::<DotenvCloud>(Fault::MethodNotAllowed))
}

/// The long addresses, at which things can be read.
fn long_routes() -> Router<State> {
    Router::new()
        .route("/api/v1/organizations/{organization}/projects", get(projects::list))
        .route("/api/v1/organizations/{organization}/projects/{project}", get(projects::read))
}

type Handler = fn(&Exchange) -> Result<Reply, Problem>;

fn get(handler: Handler) -> MethodRouter<State> {
    exchange::answer::<DotenvCloud>(MethodFilter::GET, handler)
}
