use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::api::Api;
use crate::core::document::Kind;
use crate::error::{Error, ErrorKind, Result};
use crate::http::json::{NO_BODY, encode};
use crate::http::policy::ServicePolicy;
use crate::vault::sync_target::{Applied, Desired, SyncAction, SyncChange, SyncPlace, SyncPlan, SyncTarget};

/// The kind of what is written.
const SECRET_TEXT: &str = "secret_text";
/// Most pages of a list that are read.
const MAX_PAGES: u64 = 100;

/// The [`SyncTarget`] for secrets of scripts of Cloudflare Workers, through its REST API.
///
/// Nobody can read them again, variables included; plain variables of a script come with its code, and are not touched.
#[derive(Debug)]
pub struct CloudflareWorkers {
    api: Api,
}

impl CloudflareWorkers {
    /// Creates the target for Cloudflare's own API.
    pub fn new() -> Self {
        Self::at("https://api.cloudflare.com", ServicePolicy::new())
    }

    /// Creates the target for the same API at another base URL, such as that of a gateway or of a test.
    ///
    /// # Security
    /// The tokens of the integrations are sent there.
    pub fn at(base: &str, policy: ServicePolicy) -> Self {
        Self { api: Api::new("Cloudflare", base, policy) }
    }

    fn call<T: for<'de> Deserialize<'de>>(
        &self,
        place: &SyncPlace<'_>,
        method: &str,
        path: &str,
        body: Option<&impl Serialize>,
    ) -> Result<Envelope<T>> {
        let envelope: Envelope<T> = self.api.call(place, method, path, body)?;
        if envelope.success {
            return Ok(envelope);
        }
        let code = envelope.errors.first().map(|error| error.code).unwrap_or_default();
        let message = format!("Cloudflare refused the request with its code {code}");
        Err(Error::new(ErrorKind::InvalidValue, message))
    }

    /// The secrets of the script, each with its kind.
    fn list(&self, place: &SyncPlace<'_>) -> Result<BTreeMap<String, String>> {
        let path = path(place)?;
        let mut found = BTreeMap::new();
        for page in 1..=MAX_PAGES {
            let path = if page == 1 { path.clone() } else { format!("{path}?page={page}") };
            let envelope: Envelope<Vec<Found>> = self.call(place, "GET", &path, NO_BODY)?;
            found.extend(envelope.result.unwrap_or_default().into_iter().map(|secret| (secret.name, secret.kind)));
            if envelope.result_info.and_then(|info| info.total_pages).is_none_or(|pages| page >= pages) {
                return Ok(found);
            }
        }
        Err(Error::new(ErrorKind::Limit, "Cloudflare lists more secrets than can be read"))
    }

    fn make(&self, place: &SyncPlace<'_>, change: &SyncChange, desired: &Desired) -> Result<()> {
        let path = path(place)?;
        match change.action {
            SyncAction::Create | SyncAction::Update => {
                let entry = desired.get(change.name.as_str()).ok_or_else(|| self.api.not_planned())?;
                let (name, text) = (entry.name.as_str(), entry.value.expose_secret());
                let body = Put { name, text, kind: SECRET_TEXT };
                self.call::<serde::de::IgnoredAny>(place, "PUT", &path, Some(&body)).map(drop)
            }
            SyncAction::Delete => {
                let path = format!("{path}/{}", encode(change.name.as_str()));
                self.call::<serde::de::IgnoredAny>(place, "DELETE", &path, NO_BODY).map(drop)
            }
        }
    }
}

impl Default for CloudflareWorkers {
    fn default() -> Self {
        Self::new()
    }
}

impl SyncTarget for CloudflareWorkers {
    fn plan(&self, place: &SyncPlace<'_>, desired: &Desired) -> Result<SyncPlan> {
        let found = self.list(place)?;
        let mut plan = SyncPlan::new();
        for entry in &desired.entries {
            self.api.check_name(&entry.name)?;
            let action = match found.get(entry.name.as_str()) {
                None => Some(SyncAction::Create),
                Some(kind) if kind != SECRET_TEXT => {
                    let message = format!("{} is a binding of another kind at Cloudflare: rename either", entry.name);
                    return Err(Error::new(ErrorKind::Conflict, message));
                }
                Some(_) if entry.is_written => None,
                Some(_) => Some(SyncAction::Update),
            };
            plan.add(&entry.name, entry.kind, action, None);
        }
        for name in &desired.removable {
            if found.get(name.as_str()).is_some_and(|kind| kind == SECRET_TEXT) {
                plan.add(name, Kind::Secret, Some(SyncAction::Delete), None);
            }
        }
        Ok(plan)
    }

    fn apply(&self, place: &SyncPlace<'_>, plan: &SyncPlan, desired: &Desired) -> Applied {
        Applied::one_by_one(place, plan, |change| self.make(place, change, desired))
    }
}

fn path(place: &SyncPlace<'_>) -> Result<String> {
    let (account, script) = (encode(place.setting("account")?), encode(place.target));
    Ok(format!("/client/v4/accounts/{account}/workers/scripts/{script}/secrets"))
}

#[derive(Deserialize)]
struct Envelope<T> {
    success: bool,
    #[serde(default)]
    errors: Vec<Refusal>,
    result: Option<T>,
    result_info: Option<ResultInfo>,
}

/// Its message is not read: it may repeat what was sent.
#[derive(Deserialize)]
struct Refusal {
    code: u32,
}

#[derive(Deserialize)]
struct ResultInfo {
    total_pages: Option<u64>,
}

#[derive(Deserialize)]
struct Found {
    name: String,
    #[serde(rename = "type")]
    kind: String,
}

#[derive(Serialize)]
struct Put<'a> {
    name: &'a str,
    text: &'a str,
    #[serde(rename = "type")]
    kind: &'a str,
}
