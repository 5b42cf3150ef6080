//! What levels hold: read, merged, stored and deleted.

use std::collections::{BTreeMap, BTreeSet};

use axum::http::StatusCode;
use serde_json::{Map, Value};

use super::fields::{self, Fields};
use super::level_request::LevelRequest;
use super::problem::Problem;
use super::{keys, place};
use crate::core::document::Document;
use crate::core::merge::{Layer, merge};
use crate::core::path::LevelPath;
use crate::core::secret::SecretString;
use crate::server::reply::{self, Reply};
use crate::server::request_context::{Fault, RequestContext};
use crate::system::SystemClock;
use crate::vault::At;
use crate::vault::{Blob, Blobs, Clock as _, NewBlob, Permission, SecretFormat};
use crate::wire::dotenv_cloud::envelope::{Done, ResourceKind, Single};
use crate::wire::dotenv_cloud::error::ErrorCode;
use crate::wire::dotenv_cloud::secret::{
    ContentFormat, Hierarchy, Merge, Merged, RetrieveAction, SecretLevel, SecretLevels, Secrets, SecretsAttributes,
    SecretsData, SecretsMeta, Stored,
};
use crate::wire::plain::Plain;
use crate::wire::word;

const READING: &[Permission] = &[Permission::SecretRead];
const OPENING: &[Permission] = &[Permission::SecretRead, Permission::SecretDecrypt];

/// Levels, and in which form.
#[derive(Clone, Copy)]
struct Form {
    decrypt: bool,
    merge: Merge,
    raw: bool,
}

pub(super) fn read(context: &RequestContext) -> Result<Reply, Problem> {
    let is_opening = context.query("decrypt").and_then(fields::query_flag) == Some(true);
    let needed = if is_opening { OPENING } else { READING };
    let request = LevelRequest::read(context, needed)?;
    let form = match Form::of_query(context) {
        Ok(form) => form,
        Err(problem) => return request.refuse(request.path()?, needed, problem),
    };
    answer(context, &request, request.path()?, form)
}

impl Form {
    fn of_query(context: &RequestContext) -> Result<Self, Problem> {
        let mut errors = Vec::new();
        let mut read = |name: &str| {
            let text = context.query(name).unwrap_or("0");
            fields::query_flag(text).unwrap_or_else(|| {
                errors.push((name.to_owned(), fields::not_a_flag(name)));
                false
            })
        };
        let (decrypt, raw) = (read("decrypt"), read("raw"));
        let merge = match context.query("merge").unwrap_or("0") {
            "0" => Merge::No,
            "1" => Merge::Yes,
            text => word::parse(text).unwrap_or_else(|| {
                errors.push(("merge".to_owned(), "The selected merge is invalid.".to_owned()));
                Merge::No
            }),
        };
        if !errors.is_empty() {
            return Err(Problem::invalid(errors));
        }
        if merge != Merge::No && !decrypt {
            return Err(combination("Levels are merged in plaintext only: ask for `decrypt=true`, too."));
        }
        if raw && merge != Merge::Yes {
            return Err(combination("Raw is what levels amount to: ask for `decrypt=true` and `merge=true`, too."));
        }
        Ok(Self { decrypt, merge, raw })
    }
}

fn combination(message: &str) -> Problem {
    Problem::new(StatusCode::UNPROCESSABLE_ENTITY, ErrorCode::InvalidParameterCombination, message)
}

fn answer(
    context: &RequestContext,
    request: &LevelRequest<'_>,
    path: &LevelPath,
    form: Form,
) -> Result<Reply, Problem> {
    let blobs = if form.decrypt {
        request.session.opened_blobs(At::Path(request.organization, path))?
    } else {
        request.session.blobs(At::Path(request.organization, path))?
    };
    let secrets = if form.merge == Merge::No { None } else { Some(merged(&blobs)?) };
    if form.raw {
        return Ok(reply::json(StatusCode::OK, &secrets));
    }
    let format = match form.merge {
        Merge::Yes => ContentFormat::Merged,
        Merge::No | Merge::Both => ContentFormat::Document(blobs.secret_format),
    };
    let levels: Vec<SecretLevel> = blobs.levels.into_iter().map(|blob| level(blob, form.decrypt)).collect();
    let mut slugs = path.segments().map(str::to_owned);
    let hierarchy =
        Hierarchy { project: slugs.next().unwrap_or_default(), target: slugs.next(), environment: slugs.next() };
    let encrypted = levels.iter().any(|level| level.encrypted);
    let mut levels = levels.into_iter();
    let levels = levels.next().filter(|_| form.merge != Merge::Yes).map(|project| SecretLevels {
        project: Some(project),
        target: levels.next(),
        environment: levels.next(),
    });
    Ok(reply::json(
        StatusCode::OK,
        &Secrets {
            data: SecretsData {
                kind: ResourceKind::Secrets.into(),
                attributes: SecretsAttributes { encrypted, format: format.into(), levels, secrets },
            },
            meta: SecretsMeta {
                api_path: context.path().to_owned(),
                format: "hierarchical".to_owned(),
                merged: form.merge.into(),
                timestamp: Some(SystemClock.now()),
                action: if form.decrypt { RetrieveAction::Decrypt } else { RetrieveAction::Read }.into(),
                hierarchy,
            },
        },
    ))
}

/// A level as it is sent. One that does not open is sent sealed, and says so.
fn level(blob: Blob, decrypt: bool) -> SecretLevel {
    let (encrypted, content) = match (blob.text, blob.content) {
        (Some(text), _) => (false, text),
        (None, Some(content)) => (true, content.to_string().into()),
        (None, None) => (!decrypt, "".into()),
    };
    SecretLevel {
        encrypted,
        content: Plain(content),
        source: place::source(&blob.path).to_owned(),
        id: Some(blob.id.to_string()),
        key_version: Some(blob.key_version.to_string()),
    }
}

/// What opened levels amount to, by the format of their project.
fn merged(blobs: &Blobs) -> Result<BTreeMap<String, Plain>, Problem> {
    let mut levels = Vec::new();
    for blob in blobs.levels.iter().filter(|blob| blob.content.is_some()) {
        levels.push((&blob.path, blob.text.as_ref().ok_or_else(|| unreadable(&blob.path))?));
    }
    match blobs.secret_format {
        SecretFormat::Env => {
            let layers = levels.into_iter().map(|(path, text)| {
                let document = Document::parse(text.expose_secret()).map_err(|_| unreadable(path))?;
                // The service's readers refuse all of a level for one name that they do not know.
                if document.entries().iter().any(|entry| !entry.name().is_shell_name()) {
                    return Err(unreadable(path));
                }
                Ok(Layer::new(path.clone(), document))
            });
            let resolved = merge(layers.collect::<Result<_, Problem>>()?);
            let pairs = resolved.iter().map(|one| (one.name().to_string(), Plain(one.value().clone())));
            Ok(pairs.collect())
        }
        SecretFormat::Json => {
            let mut all = BTreeMap::new();
            for (path, text) in levels {
                let text = text.expose_secret().trim_start_matches('\u{feff}');
                let members: Map<String, Value> = serde_json::from_str(text).map_err(|_| unreadable(path))?;
                all.extend(members.into_iter().map(|(name, value)| (name, Plain(text_of(value)))));
            }
            Ok(all)
        }
        SecretFormat::Text | SecretFormat::Yaml => {
            let message = "Levels of this project's format cannot be merged: ask for each as it is.";
            Err(Problem::field("merge", message))
        }
    }
}

/// A value of a JSON document as the value of a variable.
fn text_of(mut value: Value) -> SecretString {
    match value {
        Value::String(text) => text.into(),
        Value::Null => "".into(),
        _ => {
            let text = value.to_string().into();
            fields::wipe(&mut value);
            text
        }
    }
}

#[cold]
fn unreadable(path: &LevelPath) -> Problem {
    let message = format!(
        "What {path} holds cannot be merged: it does not open with the project's key, or is not of the project's format."
    );
    Problem::field("merge", message)
}

/// Which of the merged variables are wanted. Tags are read over: nothing has any.
#[derive(Default)]
struct Filters {
    names: BTreeSet<String>,
    /// In lower case.
    search: String,
}

impl Filters {
    fn read(fields: &mut Fields) -> Self {
        let Some(mut filters) = fields.object("filters") else {
            return Self::default();
        };
        let names = match filters.remove("names") {
            None | Some(Value::Null) => Some(BTreeSet::new()),
            Some(Value::Array(names)) => names.into_iter().map(string).collect(),
            Some(_) => None,
        };
        if names.is_none() {
            fields.refuse("filters.names", "The filters.names field must be an array of strings.");
        }
        let search = match filters.remove("search") {
            None | Some(Value::Null) => Some(String::new()),
            Some(search) => string(search),
        };
        if search.is_none() {
            fields.refuse("filters.search", "The filters.search field must be a string.");
        }
        Self { names: names.unwrap_or_default(), search: search.unwrap_or_default().to_ascii_lowercase() }
    }

    fn is_empty(&self) -> bool {
        self.names.is_empty() && self.search.is_empty()
    }

    fn admits(&self, name: &str) -> bool {
        let is_named = self.names.is_empty() || self.names.contains(name);
        is_named && name.to_ascii_lowercase().contains(&self.search)
    }
}

fn string(value: Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text),
        _ => None,
    }
}

pub(super) fn retrieve(context: &RequestContext) -> Result<Reply, Problem> {
    let request = LevelRequest::read(context, READING)?;
    let (path, (action, filters, merge, raw)) = request.level_body(|fields| {
        let action = fields.choice("action").unwrap_or(RetrieveAction::Read);
        let filters = Filters::read(fields);
        let merge = fields.choice("merge").unwrap_or(Merge::No);
        (action, filters, merge, fields.flag("raw").unwrap_or_default())
    })?;
    let needed = match action {
        RetrieveAction::Decrypt => {
            let mut secrets = merged(&request.session.opened_blobs(At::Path(request.organization, &path))?)?;
            secrets.retain(|name, _| filters.admits(name));
            return Ok(if raw {
                reply::json(StatusCode::OK, &secrets)
            } else {
                reply::json(StatusCode::OK, &Single { data: Merged { kind: ResourceKind::Secrets.into(), secrets } })
            });
        }
        RetrieveAction::Read => READING,
        RetrieveAction::RetrieveKey => &[Permission::KeyRetrieve],
    };
    if !filters.is_empty() || merge != Merge::No || raw {
        let message = "Only plaintext can be filtered, merged or raw: ask for the action `decrypt`.";
        return request.refuse(&path, needed, combination(message));
    }
    match action {
        RetrieveAction::RetrieveKey => {
            let project = LevelPath::new(path.project())?;
            keys::active(&request.session, At::Path(request.organization, &project))
        }
        RetrieveAction::Read | RetrieveAction::Decrypt => {
            answer(context, &request, &path, Form { decrypt: false, merge: Merge::No, raw: false })
        }
    }
}

pub(super) fn store(context: &RequestContext) -> Result<Reply, Problem> {
    let request = LevelRequest::read(context, &[Permission::SecretWrite])?;
    let (path, (blob, bytes, key_proof, no_backup)) = request.level_body(|fields| {
        let text = fields.required_secret("content");
        let bytes = text.expose_secret().len();
        (fields.blob("content", &text), bytes, fields.secret("key_proof"), fields.flag("no_backup").unwrap_or_default())
    })?;
    // What is wrong with it was told.
    let blob = blob.ok_or(Fault::defect())?;
    let mut new = NewBlob::new(blob).backup(!no_backup);
    new.key_proof = key_proof;
    request.session.set_blob(At::Path(request.organization, &path), &new)?;
    let (level, source) = (place::level_kind(&path).into(), place::source(&path).to_owned());
    let data = Stored { kind: ResourceKind::Secrets.into(), level, source, bytes };
    Ok(reply::json(StatusCode::OK, &Done { data, message: "Secrets stored.".to_owned() }))
}

pub(super) fn delete(context: &RequestContext) -> Result<Reply, Problem> {
    let request = LevelRequest::read(context, &[Permission::SecretWrite])?;
    let (path, (no_backup, confirmation)) = request
        .level_body(|fields| (fields.flag("no_backup").unwrap_or_default(), fields.confirmation("confirmed")))?;
    if no_backup {
        request.session.purge_level(At::Path(request.organization, &path), confirmation)?;
    } else {
        request.session.delete_level(At::Path(request.organization, &path))?;
    }
    Ok(reply::empty(StatusCode::NO_CONTENT))
}
