//! Why a request failed. Nothing of the request, the response or the networks between is in it.

use std::io;
use std::time::Duration;

use ureq::Timeout;

use crate::core::delivery_error::DeliveryError;

/// Why there is no response to a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum SendError {
    /// The policy requires TLS where this request would have gone.
    #[error("the address has no TLS, which is required")]
    PlainHttp,
    /// The request could not be sent, or no response arrived.
    #[error("no response ({0})")]
    NoResponse(DeliveryError),
}

impl From<SendError> for DeliveryError {
    fn from(error: SendError) -> Self {
        match error {
            SendError::PlainHttp => Self::Protocol,
            SendError::NoResponse(code) => code,
        }
    }
}

impl From<ureq::Error> for SendError {
    fn from(error: ureq::Error) -> Self {
        use io::ErrorKind as Kind;

        let code = match error {
            ureq::Error::RequireHttpsOnly(_) => return Self::PlainHttp,
            ureq::Error::HostNotFound => DeliveryError::NotFound,
            ureq::Error::Timeout(Timeout::Connect) => DeliveryError::TimedOut,
            ureq::Error::Timeout(_) => DeliveryError::Aborted,
            ureq::Error::Io(error) => match error.kind() {
                Kind::ConnectionRefused => DeliveryError::Refused,
                Kind::ConnectionReset | Kind::ConnectionAborted | Kind::BrokenPipe | Kind::UnexpectedEof => {
                    DeliveryError::Reset
                }
                Kind::NetworkUnreachable => DeliveryError::NetworkUnreachable,
                Kind::HostUnreachable | Kind::AddrNotAvailable => DeliveryError::HostUnreachable,
                Kind::TimedOut | Kind::WouldBlock => DeliveryError::TimedOut,
                _ => DeliveryError::Protocol,
            },
            _ => DeliveryError::Protocol,
        };
        Self::NoResponse(code)
    }
}

/// Why a call of a service did not succeed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum ServiceError {
    /// There is no response.
    #[error(transparent)]
    Send(#[from] SendError),
    /// The response has a status other than 2xx.
    #[error("status {status}")]
    Status {
        /// The status.
        status: u16,
        /// How long the service asks its clients to wait.
        retry_after: Option<Duration>,
    },
    /// The body of the response is longer than is read.
    #[error("the body is too long")]
    TooLong,
    /// The body is not the JSON that was expected.
    #[error("the body is not the expected JSON")]
    Malformed,
}
