//! JSON over HTTP with a bearer token, as the APIs of services have it.

use std::fmt;
use std::time::SystemTime;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Serialize;
use serde::de::DeserializeOwned;
use zeroize::Zeroizing;

use super::client::{Client, Request, Response};
use super::error::ServiceError;
use super::policy::ServicePolicy;
use super::retry::retry_after;
use crate::core::secret::SecretString;

/// Longest body of a response that is read.
pub(crate) const MAX_RESPONSE_BYTES: usize = 8 * 1024 * 1024;

/// The API of a service below a base URL.
pub(crate) struct JsonService {
    base: String,
    client: Client,
}

/// One request to a [`JsonService`].
#[derive(Clone, Copy)]
pub(crate) struct JsonRequest<'a> {
    pub(crate) method: &'a str,
    /// What follows the base URL: `/`, a path and perhaps a query.
    pub(crate) path: &'a str,
    pub(crate) token: &'a SecretString,
}

impl JsonService {
    pub(crate) fn new(base: &str, policy: ServicePolicy) -> Self {
        Self { base: base.trim_end_matches('/').to_owned(), client: Client::trusted(policy) }
    }

    /// Sends a request and parses the response.
    ///
    /// # Errors
    /// As [`send`](Self::send), and `Malformed`.
    pub(crate) fn call<T: DeserializeOwned>(
        &self,
        request: JsonRequest<'_>,
        body: Option<&impl Serialize>,
    ) -> Result<T, ServiceError> {
        let response = self.send(request, body)?;
        // The cause is dropped: it would quote the response.
        serde_json::from_slice(&Zeroizing::new(response.body)).map_err(|_| ServiceError::Malformed)
    }

    /// Sends a request and returns the response if its status is 2xx.
    ///
    /// # Errors
    /// `Send`, `Status` and `TooLong`.
    pub(crate) fn send(
        &self,
        request: JsonRequest<'_>,
        body: Option<&impl Serialize>,
    ) -> Result<Response, ServiceError> {
        let mut bytes = Zeroizing::new(Vec::new());
        if let Some(body) = body {
            // Measured first, so that the buffer is never moved and leaves no copy of a secret behind.
            let mut length = Length(0);
            serde_json::to_writer(&mut length, body).map_err(|_| ServiceError::Malformed)?;
            bytes.reserve_exact(length.0);
            serde_json::to_writer(&mut *bytes, body).map_err(|_| ServiceError::Malformed)?;
        }
        let token = Zeroizing::new(format!("Bearer {}", request.token.expose_secret()));
        let mut headers = vec![("authorization", token.as_str()), ("accept", "application/json")];
        if body.is_some() {
            headers.push(("content-type", "application/json"));
        }
        let url = format!("{}{}", self.base, request.path);
        let method = request.method;
        let max_body = MAX_RESPONSE_BYTES + 1;
        let response = self.client.send(Request { method, url: &url, headers: &headers, body: &bytes, max_body })?;
        let status = response.status;
        if !(200..300).contains(&status) {
            let retry_after = retry_after(status, response.header("retry-after"), SystemTime::now());
            return Err(ServiceError::Status { status, retry_after });
        }
        if response.body.len() > MAX_RESPONSE_BYTES {
            return Err(ServiceError::TooLong);
        }
        Ok(response)
    }
}

impl fmt::Debug for JsonService {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JsonService").finish_non_exhaustive()
    }
}

/// The body of a request that has none.
pub(crate) const NO_BODY: Option<&()> = None;

/// Counts bytes and keeps none.
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

/// All but the unreserved characters of RFC 3986.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// Percent-encodes one segment of a path or one value of a query.
pub(crate) fn encode(text: &str) -> String {
    // A segment of dots alone would lead elsewhere.
    if matches!(text, "." | "..") {
        return text.replace('.', "%2E");
    }
    utf8_percent_encode(text, RESERVED).to_string()
}

#[cfg(test)]
mod tests {
    use std::io::{Read as _, Write as _};
    use std::net::TcpListener;
    use std::thread;
    use std::time::Duration;

    use super::*;
    use crate::core::delivery_error::DeliveryError;
    use crate::http::error::SendError;

    /// Serves one response, and returns the base URL of the service.
    fn service(response: impl Into<Vec<u8>>) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let response = response.into();
        thread::spawn(move || {
            let (mut stream, mut request) = (listener.accept().unwrap().0, [0; 4096]);
            let length = stream.read(&mut request).unwrap();
            assert!(String::from_utf8_lossy(&request[..length]).contains("authorization: Bearer planted\r\n"));
            let _ = stream.write_all(&response);
        });
        format!("http://127.0.0.1:{port}/api/")
    }

    fn call(response: impl Into<Vec<u8>>) -> Result<Vec<u32>, ServiceError> {
        let token = SecretString::from("planted");
        let service = JsonService::new(&service(response), ServicePolicy::new());
        service.call(JsonRequest { method: "GET", path: "/list", token: &token }, NO_BODY)
    }

    #[test]
    fn a_response_is_parsed_or_says_why_not() {
        assert_eq!(call("HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\n[1,2]"), Ok(vec![1, 2]));
        assert_eq!(call("HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nnull"), Err(ServiceError::Malformed));
        let long = format!("HTTP/1.1 200 OK\r\n\r\n{}", " ".repeat(MAX_RESPONSE_BYTES + 1));
        assert_eq!(call(long), Err(ServiceError::TooLong));
        let error = call("HTTP/1.1 404 Not Found\r\nretry-after: 7\r\ncontent-length: 5\r\n\r\n[1,2]");
        assert_eq!(error, Err(ServiceError::Status { status: 404, retry_after: None }));
        let error = call("HTTP/1.1 429 Slow Down\r\nretry-after: 7\r\ncontent-length: 5\r\n\r\n[1,2]");
        assert_eq!(error, Err(ServiceError::Status { status: 429, retry_after: Some(Duration::from_secs(7)) }));
        let error = call("HTTP/1.1 302 Found\r\nlocation: /elsewhere\r\ncontent-length: 0\r\n\r\n");
        assert_eq!(error, Err(ServiceError::Status { status: 302, retry_after: None }));
        let error = call("SSH-2.0\r\n");
        assert_eq!(error, Err(ServiceError::Send(SendError::NoResponse(DeliveryError::Protocol))));
    }

    #[test]
    fn a_segment_stays_one() {
        assert_eq!(encode("a.b-c_d~9"), "a.b-c_d~9");
        assert_eq!(encode("../x?y=z&ä #%"), "..%2Fx%3Fy%3Dz%26%C3%A4%20%23%25");
        assert_eq!(encode("."), "%2E");
        assert_eq!(encode(".."), "%2E%2E");
    }
}
