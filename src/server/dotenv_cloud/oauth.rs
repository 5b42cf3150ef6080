//! The OAuth endpoints. Nobody can log in with a browser here, so there is no code and no refresh token that is valid.

use axum::extract::Query;
use axum::http::header::{AUTHORIZATION, CONTENT_TYPE, PRAGMA, WWW_AUTHENTICATE};
use axum::http::{HeaderValue, StatusCode, Uri};
use serde_json::{Map, Value};

use super::problem::Problem;
use crate::core::secret::SecretString;
use crate::server::reply::{self, Reply};
use crate::server::request_context::RequestContext;
use crate::wire::dotenv_cloud::oauth::{OAuthError, OAuthErrorCode};

/// Refuses every grant, as RFC 6749 has it.
pub(super) fn token(context: &RequestContext) -> Result<Reply, Problem> {
    let body = context.body()?;
    let scheme = context.headers().get(AUTHORIZATION).map(HeaderValue::as_bytes);
    if scheme.is_some_and(|value| value.get(..6).is_some_and(|scheme| scheme.eq_ignore_ascii_case(b"basic "))) {
        let mut refusal = refuse(StatusCode::UNAUTHORIZED, OAuthErrorCode::InvalidClient, UNKNOWN_CLIENT);
        refusal.headers_mut().insert(WWW_AUTHENTICATE, HeaderValue::from_static("Basic realm=\"dotenv.cloud\""));
        return Ok(refusal);
    }
    let (code, description) = match Parameters::read(context, body) {
        Some(parameters) => parameters.refusal(),
        None => (
            OAuthErrorCode::InvalidRequest,
            "The body must be a form or a JSON object, in which each parameter is text and stands once.",
        ),
    };
    Ok(refuse(StatusCode::BAD_REQUEST, code, description))
}

/// Revokes nothing, because no token is valid: RFC 7009 answers as if it had been.
pub(super) fn revoke(context: &RequestContext) -> Result<Reply, Problem> {
    context.body()?;
    Ok(without_cache(reply::empty(StatusCode::OK)))
}

const UNKNOWN_CLIENT: &str = "No client has a secret here.";

/// The parameters of a request that have a value. They are secrets, for the most part.
struct Parameters(Vec<(String, SecretString)>);

impl Parameters {
    /// Reads a form, or the JSON that the service's own client sends in its place.
    fn read(context: &RequestContext, body: &[u8]) -> Option<Self> {
        let content_type = context.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
        let media_type = content_type.and_then(|text| text.split(';').next()).unwrap_or_default().trim();
        let all = if media_type.eq_ignore_ascii_case("application/x-www-form-urlencoded") {
            Self::of_form(str::from_utf8(body).ok()?)?
        } else {
            let members: Map<String, Value> = serde_json::from_slice(body).ok()?;
            let text = |value| match value {
                Value::String(text) => Some(text),
                Value::Null => Some(String::new()),
                _ => None,
            };
            members.into_iter().map(|(name, value)| Some((name, text(value)?.into()))).collect::<Option<Vec<_>>>()?
        };
        let mut names: Vec<&String> = all.iter().map(|(name, _)| name).collect();
        names.sort_unstable();
        let is_once = names.windows(2).all(|pair| pair[0] != pair[1]);
        is_once.then(|| Self(all.into_iter().filter(|(_, value)| !value.expose_secret().is_empty()).collect()))
    }

    fn of_form(text: &str) -> Option<Vec<(String, SecretString)>> {
        // A form is encoded like the query of an address.
        let uri = Uri::builder().path_and_query(format!("/?{text}")).build().ok()?;
        let Query(pairs) = Query::<Vec<(String, SecretString)>>::try_from_uri(&uri).ok()?;
        Some(pairs)
    }

    fn value(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(key, _)| key == name).map(|(_, value)| value.expose_secret())
    }

    /// Returns why no token is issued.
    fn refusal(&self) -> (OAuthErrorCode, &'static str) {
        if self.value("client_secret").is_some() {
            return (OAuthErrorCode::InvalidClient, UNKNOWN_CLIENT);
        }
        let grant = match self.value("grant_type") {
            None => return (OAuthErrorCode::InvalidRequest, "The parameter grant_type is missing."),
            Some("authorization_code") => "code",
            Some("refresh_token") => "refresh_token",
            Some(_) => {
                let message = "The grant_type must be authorization_code or refresh_token.";
                return (OAuthErrorCode::UnsupportedGrantType, message);
            }
        };
        match (self.value(grant), grant) {
            (Some(_), _) => (
                OAuthErrorCode::InvalidGrant,
                "It is unknown, expired or revoked: logging in with a browser is not offered here, so use an API token.",
            ),
            (None, "code") => (OAuthErrorCode::InvalidRequest, "The parameter code is missing."),
            (None, _) => (OAuthErrorCode::InvalidRequest, "The parameter refresh_token is missing."),
        }
    }
}

fn refuse(status: StatusCode, error: OAuthErrorCode, description: &str) -> Reply {
    let body = OAuthError { error: error.into(), error_description: description.to_owned() };
    without_cache(reply::json(status, &body))
}

/// Adds what RFC 6749 wants beside `Cache-Control: no-store`, which every response has.
fn without_cache(mut reply: Reply) -> Reply {
    reply.headers_mut().insert(PRAGMA, HeaderValue::from_static("no-cache"));
    reply
}
