//! The id of a request.

use std::fmt;

use axum::http::HeaderName;

use crate::core::clock::Clock as _;
use crate::core::id::Id;
use crate::core::random::Random as _;
use crate::system::{SystemClock, SystemRandom};

/// The header of a response that carries the id.
pub(super) const HEADER: HeaderName = HeaderName::from_static("x-request-id");

/// The id by which the response to a request is found in the access log. It is the server's own: what a client sends in
/// its place is ignored, so that no client can choose what the log says.
#[derive(Clone, Copy, Debug)]
pub(super) struct RequestId(Id);

impl RequestId {
    pub(super) fn generate() -> Self {
        let mut random = [0; 10];
        // An id that is only unique by its time is better than no response.
        let _ = SystemRandom.fill(&mut random);
        Self(Id::from_parts(SystemClock.now(), random))
    }
}

/// As a ULID.
impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}
