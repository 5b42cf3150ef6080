use std::error::Error as _;
use std::fmt::{self, Write as _};
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use crate::error::Error;

/// What is told of each request that was answered.
pub(super) type Log = Arc<dyn Fn(&AccessLogEntry<'_>) + Send + Sync>;

/// A request that was answered. It holds nothing that a client wrote, except the method and the route, so that whatever a
/// client puts into an address by mistake is not written down.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct AccessLogEntry<'a> {
    /// Such as `GET`; `-` for one that is none of the usual ones.
    pub method: &'a str,
    /// The route, such as `/v1/environment/secrets/{name}`; `-` for a path that is not served.
    pub route: &'a str,
    /// The status of the response.
    pub status: u16,
    /// The address of the client; `None` if a trusted proxy sent an `X-Forwarded-For` that cannot be read.
    pub ip: Option<IpAddr>,
    /// From when all of its headers were there to when the response was ready.
    pub took: Duration,
    /// The id of the request, a ULID. The response carries it in the header `X-Request-Id`.
    pub request_id: &'a str,
    /// Why the server failed, for a status of 500 and above: one line with the kind and the text of the error and of what
    /// caused it. It may name levels, variables and files, but holds no value, key or token.
    pub cause: Option<&'a str>,
    /// What the operator should know besides, such as that a key has made most of its requests of the day: one line, without
    /// a value or a token.
    pub warning: Option<&'a str>,
}

/// `127.0.0.1 GET /v1/environment/secrets 200 1.2 ms 01KQ3V5M8N4Y6T2R0W9X7Z1C3B`, with `-` for an unknown address; of a
/// failure also the cause, and of a warning its text, behind a colon.
impl fmt::Display for AccessLogEntry<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { ip, method, route, status, took, request_id, cause, warning } = self;
        match ip {
            Some(ip) => ip.fmt(f)?,
            None => f.write_str("-")?,
        }
        write!(f, " {method} {route} {status} {:.1} ms {request_id}", took.as_secs_f64() * 1000.0)?;
        cause.iter().chain(warning).try_for_each(|text| write!(f, ": {text}"))
    }
}

/// What the operator should know of a request, for the access log. A reply carries it there as an extension.
#[derive(Clone, Debug)]
pub(super) struct Warning(Arc<str>);

impl Warning {
    pub(super) fn new(text: String) -> Self {
        Self(text.into())
    }

    pub(super) fn as_str(&self) -> &str {
        &self.0
    }
}

/// Why the server failed at a request, for the access log. A reply carries it there as an extension.
#[derive(Clone, Debug)]
pub(super) struct Cause(Arc<str>);

impl Cause {
    pub(super) fn new(text: &str) -> Self {
        // A line of the log stays one.
        Self(text.replace(char::is_control, " ").into())
    }

    pub(super) fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<&Error> for Cause {
    fn from(error: &Error) -> Self {
        let mut text = format!("{:?}: {error}", error.kind());
        let mut source = error.source();
        while let Some(error) = source {
            // Writing to a string does not fail.
            let _ = write!(text, ": {error}");
            source = error.source();
        }
        Self::new(&text)
    }
}

#[cfg(test)]
mod tests {
    use std::io;

    use super::*;
    use crate::error::ErrorKind;

    #[test]
    fn a_cause_is_one_line_with_all_that_caused_it() {
        let below = io::Error::other("disk\nis full");
        let error = Error::new(ErrorKind::Io, "cannot write the store").with_source(below);
        assert_eq!(Cause::from(&error).as_str(), "Io: cannot write the store: disk is full");
    }
}
