//! What is answered.

use axum::body::Body;
use axum::http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use axum::http::{HeaderValue, StatusCode};
use serde::Serialize;

use crate::server::log::Cause;

/// An answer of a service.
pub(super) type Reply = axum::http::Response<Body>;

/// JSON, as `application/json; charset=utf-8`.
pub(super) fn json(status: StatusCode, body: &impl Serialize) -> Reply {
    match serde_json::to_vec(body) {
        Ok(bytes) => with_body(status, "application/json; charset=utf-8", bytes),
        // Nothing of it is sent: it would be half of something.
        Err(_) => {
            let cause = Cause::new("the response could not be written as JSON");
            with_cause(empty(StatusCode::INTERNAL_SERVER_ERROR), Some(cause))
        }
    }
}

/// Text, as `text/plain; charset=utf-8`.
pub(super) fn text(status: StatusCode, body: impl Into<String>) -> Reply {
    with_body(status, "text/plain; charset=utf-8", body.into().into_bytes())
}

/// No body at all.
pub(super) fn empty(status: StatusCode) -> Reply {
    let mut reply = Reply::new(Body::empty());
    *reply.status_mut() = status;
    reply
}

fn with_body(status: StatusCode, content_type: &'static str, bytes: Vec<u8>) -> Reply {
    let length = HeaderValue::from(bytes.len());
    let mut reply = Reply::new(Body::from(bytes));
    *reply.status_mut() = status;
    reply.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    reply.headers_mut().insert(CONTENT_LENGTH, length);
    reply
}

/// Attaches why the server failed, for the access log.
pub(super) fn with_cause(mut reply: Reply, cause: Option<Cause>) -> Reply {
    if let Some(cause) = cause {
        reply.extensions_mut().insert(cause);
    }
    reply
}

/// A header whose value is a number.
pub(super) fn number(reply: &mut Reply, name: &'static str, value: u64) {
    reply.headers_mut().insert(name, HeaderValue::from(value));
}
