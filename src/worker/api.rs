use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::core::delivery_error::DeliveryError;
use crate::core::name::VarName;
use crate::error::{Error, ErrorKind, Result};
use crate::http::error::{SendError, ServiceError};
use crate::http::json::{JsonRequest, JsonService};
use crate::http::policy::ServicePolicy;
use crate::vault::sync_target::SyncPlace;

/// The API of a provider: what a service answers, in the words of an integration.
#[derive(Debug)]
pub(super) struct Api {
    name: &'static str,
    service: JsonService,
}

impl Api {
    pub(super) fn new(name: &'static str, base: &str, policy: ServicePolicy) -> Self {
        Self { name, service: JsonService::new(base, policy) }
    }

    /// Sends a request, if there is time left, and parses the response.
    pub(super) fn call<T: DeserializeOwned>(
        &self,
        place: &SyncPlace<'_>,
        method: &str,
        path: &str,
        body: Option<&impl Serialize>,
    ) -> Result<T> {
        place.check_time()?;
        let request = JsonRequest { method, path, token: place.credentials };
        self.service.call(request, body).map_err(|error| self.error(error))
    }

    /// Sends a request, if there is time left, whose response says no more than that it succeeded.
    pub(super) fn send(
        &self,
        place: &SyncPlace<'_>,
        method: &str,
        path: &str,
        body: Option<&impl Serialize>,
    ) -> Result<()> {
        place.check_time()?;
        let request = JsonRequest { method, path, token: place.credentials };
        self.service.send(request, body).map(drop).map_err(|error| self.error(error).with_source(error))
    }

    /// Refuses a name that the service does not take.
    ///
    /// # Errors
    /// `InvalidName`, with the name.
    pub(super) fn check_name(&self, name: &VarName) -> Result<()> {
        if name.is_shell_name() {
            return Ok(());
        }
        let message =
            format!("{} takes no name with a dot: rename {name}, or leave it out of the environment", self.name);
        Err(Error::new(ErrorKind::InvalidName, message).with_names([name.clone()]))
    }

    /// An error for a change that lacks what its plan should have put there.
    pub(super) fn not_planned(&self) -> Error {
        Error::new(ErrorKind::InvalidValue, format!("the plan is not one of {}", self.name))
    }

    /// Only the status is kept of a response: the rest may repeat what was sent.
    fn error(&self, error: ServiceError) -> Error {
        let name = self.name;
        let (status, retry_after) = match error {
            ServiceError::Send(SendError::PlainHttp) => {
                let message = format!("{name} is to be reached without TLS, which is not allowed: use https://");
                return Error::new(ErrorKind::Config, message);
            }
            ServiceError::Send(SendError::NoResponse(code)) => return self.unreachable(code),
            ServiceError::Status { status, retry_after } => (status, retry_after),
            ServiceError::TooLong => {
                return Error::new(ErrorKind::Limit, format!("{name} answered with more than 8 MiB"));
            }
            ServiceError::Malformed => {
                let message = format!("{name} answered with something that is not understood");
                return Error::new(ErrorKind::Corrupt, message);
            }
        };
        let (kind, hint) = match status {
            401 => {
                (ErrorKind::Denied, "the token is not known there, or has expired: update the integration with another")
            }
            403 => (ErrorKind::Denied, "the token may not do this there: give it the right, or use another one"),
            404 => (ErrorKind::NotFound, "what the integration names is not there: check its settings and its map"),
            429 => (ErrorKind::RateLimited, "there were too many requests: it is tried again"),
            500.. => (ErrorKind::Unavailable, "something is wrong there: it is tried again"),
            _ => (ErrorKind::InvalidValue, "the request was not taken"),
        };
        let error = Error::new(kind, format!("{name} answered with status {status}: {hint}"));
        match retry_after {
            Some(wait) => error.with_retry_after(wait),
            None => error,
        }
    }

    fn unreachable(&self, code: DeliveryError) -> Error {
        Error::new(ErrorKind::Unavailable, format!("{} cannot be reached ({code}): it is tried again", self.name))
    }
}
