//! What the interfaces of services have in common: JSON over HTTP, with a token.

use std::fmt;
use std::sync::OnceLock;

use serde::Serialize;
use serde::de::DeserializeOwned;
use zeroize::Zeroizing;

use super::SyncPlace;
use crate::core::DeliveryError;
use crate::outbound::OutboundPolicy;
use crate::outbound::client::{Answer, Client};
use crate::{Error, ErrorKind, Result};

/// Longest answer that is read.
const MAX_ANSWER_BYTES: usize = 8 * 1024 * 1024;

/// The interface of a service at a URL.
pub(super) struct Api {
    name: &'static str,
    base: String,
    policy: OutboundPolicy,
    /// Made when it is first needed, because it reads certificates.
    client: OnceLock<Client>,
}

impl Api {
    pub(super) fn new(name: &'static str, base: &str, policy: &OutboundPolicy) -> Self {
        Self { name, base: base.trim_end_matches('/').to_owned(), policy: policy.clone(), client: OnceLock::new() }
    }

    /// Sends a request and reads what is answered.
    pub(super) fn call<T: DeserializeOwned>(
        &self,
        place: &SyncPlace<'_>,
        method: &str,
        path: &str,
        body: Option<&impl Serialize>,
    ) -> Result<T> {
        let answer = self.send(place, method, path, body)?;
        // The cause is left out: it would quote what it found.
        serde_json::from_slice(&Zeroizing::new(answer.body)).map_err(|_| self.garbled())
    }

    /// Sends a request, and takes what says that it was done.
    pub(super) fn send(
        &self,
        place: &SyncPlace<'_>,
        method: &str,
        path: &str,
        body: Option<&impl Serialize>,
    ) -> Result<Answer> {
        place.check_time()?;
        let mut bytes = Zeroizing::new(Vec::new());
        if let Some(body) = body {
            // Counted first, so that the buffer never moves and leaves something behind.
            let mut length = Length(0);
            serde_json::to_writer(&mut length, body).map_err(|_| self.garbled())?;
            bytes.reserve_exact(length.0);
            serde_json::to_writer(&mut *bytes, body).map_err(|_| self.garbled())?;
        }
        let token = Zeroizing::new(format!("Bearer {}", place.credentials.expose_secret()));
        let mut headers = vec![("authorization", token.as_str()), ("accept", "application/json")];
        if body.is_some() {
            headers.push(("content-type", "application/json"));
        }
        let url = format!("{}{path}", self.base);
        let client = self.client.get_or_init(|| Client::new(&self.policy));
        let sent = client.send(method, &url, &headers, &bytes, MAX_ANSWER_BYTES + 1);
        let answer = sent.map_err(|error| self.unreachable(error))?;
        if !(200..300).contains(&answer.status) {
            return Err(self.refused(answer.status));
        }
        if answer.body.len() > MAX_ANSWER_BYTES {
            let message = format!("{} answered with more than 8 MiB", self.name);
            return Err(Error::new(ErrorKind::Limit, message));
        }
        Ok(answer)
    }

    /// An error that says only the status: what else a service answers may repeat what was sent to it.
    pub(super) fn refused(&self, status: u16) -> Error {
        let (kind, hint) = match status {
            401 => {
                (ErrorKind::Denied, "the token is not known there, or has expired: update the integration with another")
            }
            403 => (ErrorKind::Denied, "the token may not do this there: give it the right, or use another one"),
            404 => (ErrorKind::NotFound, "what the integration names is not there: check its settings and its map"),
            429 => (ErrorKind::Unavailable, "there were too many requests: it is tried again"),
            500.. => (ErrorKind::Unavailable, "something is wrong there: it is tried again"),
            _ => (ErrorKind::InvalidValue, "the request was not taken"),
        };
        Error::new(kind, format!("{} answered with status {status}: {hint}", self.name))
    }

    pub(super) fn garbled(&self) -> Error {
        Error::new(ErrorKind::Corrupt, format!("{} answered with something that is not understood", self.name))
    }

    /// A change whose name is not where it was planned to be.
    pub(super) fn not_planned(&self) -> Error {
        Error::new(ErrorKind::InvalidValue, format!("the plan is not one of {}", self.name))
    }

    fn unreachable(&self, error: DeliveryError) -> Error {
        Error::new(ErrorKind::Unavailable, format!("{} cannot be reached ({error}): it is tried again", self.name))
    }
}

impl fmt::Debug for Api {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Api").field("name", &self.name).finish_non_exhaustive()
    }
}

/// Nothing, as the body of a request that has none.
pub(super) const NO_BODY: Option<&()> = None;

struct Length(usize);

impl std::io::Write for Length {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0 += bytes.len();
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

const HEX: &[u8; 16] = b"0123456789ABCDEF";

/// One segment of a path, or one value of a query, in a URL.
pub(super) fn encode(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        // A segment of dots alone would lead elsewhere.
        if byte.is_ascii_alphanumeric() || b"-_~".contains(&byte) || byte == b'.' && text != "." && text != ".." {
            encoded.push(char::from(byte));
        } else {
            encoded.extend([b'%', HEX[usize::from(byte >> 4)], HEX[usize::from(byte & 15)]].map(char::from));
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_segment_stays_one() {
        assert_eq!(encode("a.b-c_d~9"), "a.b-c_d~9");
        assert_eq!(encode("../x?y=z&ä #%"), "..%2Fx%3Fy%3Dz%26%C3%A4%20%23%25");
        assert_eq!(encode(".."), "%2E%2E");
    }
}
