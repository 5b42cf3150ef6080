use serde::{Deserialize, Serialize};

use super::api::Api;
use crate::core::document::Kind;
use crate::core::name::VarName;
use crate::core::secret::SecretString;
use crate::error::{Error, ErrorKind, Result};
use crate::http::json::{NO_BODY, encode};
use crate::http::policy::ServicePolicy;
use crate::vault::sync_target::{
    Applied, Desired, DesiredEntry, SyncAction, SyncChange, SyncPlace, SyncPlan, SyncTarget,
};

/// Most pages of a list that are read.
const MAX_PAGES: usize = 100;

/// The [`SyncTarget`] for environment variables of projects of Vercel, through its REST API.
///
/// A variable becomes `plain`. A secret becomes `sensitive`, which nobody can read again, or in `development`, where
/// Vercel has no such kind, `encrypted`. What stands for several environments at once, or for a branch of git, is never
/// touched.
#[derive(Debug)]
pub struct Vercel {
    api: Api,
}

impl Vercel {
    /// Creates the target for Vercel's own API.
    pub fn new() -> Self {
        Self::at("https://api.vercel.com", ServicePolicy::new())
    }

    /// Creates the target for the same API at another base URL, such as that of a gateway or of a test.
    ///
    /// # Security
    /// The tokens of the integrations are sent there.
    pub fn at(base: &str, policy: ServicePolicy) -> Self {
        Self { api: Api::new("Vercel", base, policy) }
    }

    /// Lists all variables of the project.
    fn list(&self, place: &SyncPlace<'_>) -> Result<Vec<Found>> {
        let mut found = Vec::new();
        let mut until = None;
        for _ in 0..MAX_PAGES {
            let mut query = Vec::new();
            if let Some(until) = until {
                query.push(format!("until={until}"));
            }
            let path = url(place, "v10", None, query)?;
            let page: List = self.api.call(place, "GET", &path, NO_BODY)?;
            found.extend(page.envs);
            match page.pagination.and_then(|pagination| pagination.next) {
                Some(next) => until = Some(next),
                None => return Ok(found),
            }
        }
        Err(Error::new(ErrorKind::Limit, "Vercel lists more variables than can be read"))
    }

    fn make(&self, place: &SyncPlace<'_>, change: &SyncChange, desired: &Desired) -> Result<()> {
        let entry = || desired.get(change.name.as_str()).ok_or_else(|| self.api.not_planned());
        let reference = || change.reference.as_deref().ok_or_else(|| self.api.not_planned());
        match change.action {
            SyncAction::Create => {
                let entry = entry()?;
                let body = Created {
                    key: entry.name.as_str(),
                    value: entry.value.expose_secret(),
                    kind: wanted_type(entry.kind, place.target),
                    target: [place.target],
                };
                let path = url(place, "v10", None, vec!["upsert=true".to_owned()])?;
                let answer: CreateAnswer = self.api.call(place, "POST", &path, Some(&body))?;
                if answer.failed.is_empty() {
                    return Ok(());
                }
                let message = format!("Vercel did not take {}: see whether it is allowed there", entry.name);
                Err(Error::new(ErrorKind::InvalidValue, message))
            }
            SyncAction::Update => {
                // The id, and the kind that it keeps or gets.
                let (id, kind) = reference()?.split_once(' ').ok_or_else(|| self.api.not_planned())?;
                let body = Changed { value: entry()?.value.expose_secret(), kind };
                self.api.send(place, "PATCH", &url(place, "v9", Some(id), Vec::new())?, Some(&body))
            }
            SyncAction::Delete => {
                self.api.send(place, "DELETE", &url(place, "v9", Some(reference()?), Vec::new())?, NO_BODY)
            }
        }
    }
}

impl Default for Vercel {
    fn default() -> Self {
        Self::new()
    }
}

impl SyncTarget for Vercel {
    fn plan(&self, place: &SyncPlace<'_>, desired: &Desired) -> Result<SyncPlan> {
        let found = self.list(place)?;
        let mut plan = SyncPlan::new();
        for entry in &desired.entries {
            self.api.check_name(&entry.name)?;
            let (action, reference) = match own(&found, &entry.name, place.target)? {
                Some(found) => match found.update(entry, place.target) {
                    Some(kind) => (Some(SyncAction::Update), Some(format!("{} {kind}", found.id))),
                    None => (None, None),
                },
                None => (Some(SyncAction::Create), None),
            };
            plan.add(&entry.name, entry.kind, action, reference);
        }
        for name in &desired.removable {
            // What somebody made stand for more than this environment is not the integration's any more.
            if let Ok(Some(found)) = own(&found, name, place.target) {
                plan.add(name, Kind::Secret, Some(SyncAction::Delete), Some(found.id.clone()));
            }
        }
        Ok(plan)
    }

    fn apply(&self, place: &SyncPlace<'_>, plan: &SyncPlan, desired: &Desired) -> Applied {
        Applied::one_by_one(place, plan, |change| self.make(place, change, desired))
    }
}

/// The path of the project's variables, or of one of them.
fn url(place: &SyncPlace<'_>, version: &str, id: Option<&str>, mut query: Vec<String>) -> Result<String> {
    let mut path = format!("/{version}/projects/{}/env", encode(place.setting("project")?));
    if let Some(id) = id {
        path.push('/');
        path.push_str(&encode(id));
    }
    if let Some(team) = place.settings.get("team") {
        query.push(format!("teamId={}", encode(team)));
    }
    if !query.is_empty() {
        path.push('?');
        path.push_str(&query.join("&"));
    }
    Ok(path)
}

/// The variable of that name that stands for this environment alone.
fn own<'a>(found: &'a [Found], name: &VarName, target: &str) -> Result<Option<&'a Found>> {
    let mut here = found
        .iter()
        .filter(|found| found.key == name.as_str() && found.git_branch.is_none() && found.target.contains(target));
    let (first, second) = (here.next(), here.next());
    match first {
        None => Ok(None),
        Some(first) if second.is_none() && first.is_alone() && RANKS.contains(&first.kind.as_str()) => Ok(Some(first)),
        Some(_) => {
            let message = format!(
                "{name} stands at Vercel for several environments at once, or is of a kind that cannot be written: split or remove it there"
            );
            Err(Error::new(ErrorKind::Conflict, message))
        }
    }
}

fn wanted_type(kind: Kind, target: &str) -> &'static str {
    match kind {
        Kind::Variable => "plain",
        Kind::Secret if target == "development" => "encrypted",
        Kind::Secret => "sensitive",
    }
}

/// The kinds that can be written, each hidden more than the one before.
const RANKS: [&str; 3] = ["plain", "encrypted", "sensitive"];

#[derive(Deserialize)]
struct List {
    envs: Vec<Found>,
    pagination: Option<Pagination>,
}

#[derive(Deserialize)]
struct Pagination {
    next: Option<u64>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Found {
    id: String,
    key: String,
    #[serde(rename = "type")]
    kind: String,
    #[serde(default)]
    value: Option<SecretString>,
    #[serde(default)]
    target: Targets,
    git_branch: Option<String>,
    #[serde(default)]
    custom_environment_ids: Vec<String>,
}

/// One environment or several: both are spoken.
#[derive(Deserialize)]
#[serde(untagged)]
enum Targets {
    One(String),
    Many(Vec<String>),
}

impl Default for Targets {
    fn default() -> Self {
        Self::Many(Vec::new())
    }
}

impl Targets {
    fn contains(&self, target: &str) -> bool {
        match self {
            Self::One(one) => one == target,
            Self::Many(many) => many.iter().any(|one| one == target),
        }
    }
}

impl Found {
    fn is_alone(&self) -> bool {
        let is_one = match &self.target {
            Targets::One(_) => true,
            Targets::Many(many) => many.len() == 1,
        };
        is_one && self.custom_environment_ids.is_empty()
    }

    /// The kind that it is to be written with; nothing, if it is what is wanted. A kind is never lowered.
    fn update(&self, entry: &DesiredEntry, target: &str) -> Option<&'static str> {
        let wanted = wanted_type(entry.kind, target);
        let rank = |kind: &str| RANKS.iter().position(|known| *known == kind).unwrap_or_default();
        let kind = RANKS[rank(wanted).max(rank(&self.kind))];
        let is_same = match &self.value {
            Some(value) if self.kind == "plain" => value.is_same(&entry.value),
            _ => entry.is_written,
        };
        (!is_same || kind != self.kind).then_some(kind)
    }
}

#[derive(Serialize)]
struct Created<'a> {
    key: &'a str,
    value: &'a str,
    #[serde(rename = "type")]
    kind: &'a str,
    target: [&'a str; 1],
}

#[derive(Serialize)]
struct Changed<'a> {
    value: &'a str,
    #[serde(rename = "type")]
    kind: &'a str,
}

#[derive(Deserialize)]
struct CreateAnswer {
    #[serde(default)]
    failed: Vec<serde::de::IgnoredAny>,
}
