use std::collections::{BTreeMap, BTreeSet};

use axum::http::StatusCode;

use super::{READ, check, invalid_name, not_found};
use crate::core::dotenv::expand::References;
use crate::core::name::VarName;
use crate::core::secret::SecretString;
use crate::server::reply::{self, Reply};
use crate::server::request_context::RequestContext;
use crate::server::stashbase::caller::{AtProject, EnvironmentRequest, ProjectRequest, or_not_found};
use crate::server::stashbase::environment::{included, wants_environment};
use crate::server::stashbase::name::{environment_identifier, secret_name};
use crate::server::stashbase::problem::Problem;
use crate::server::stashbase::query::{flag, is_true, words};
use crate::vault;
use crate::vault::{EntryMetadata, EntryScope, IdOrSlug, LocatedEnvironment, StoredEntry};
use crate::wire::plain::Plain;
use crate::wire::stashbase::secret as wire;

/// What is shown for a value that is there and was not asked for.
const MASK: &str = "******";

/// Which secrets are wanted.
enum Selection {
    All,
    Only(Vec<VarName>),
    Except(BTreeSet<VarName>),
}

impl Selection {
    fn read(context: &RequestContext) -> Result<Self, Problem> {
        let names = |text| check::names(&words(text).collect::<Vec<_>>());
        match (context.query("only"), context.query("exclude")) {
            (Some(_), Some(_)) => Err(Problem::bad_request("Give only or exclude, not both.")),
            (Some(only), None) => Ok(Self::Only(names(only)?)),
            (None, Some(exclude)) => Ok(Self::Except(names(exclude)?.into_iter().collect())),
            (None, None) => Ok(Self::All),
        }
    }

    fn includes(&self, name: &VarName) -> bool {
        match self {
            Self::All => true,
            Self::Only(names) => names.contains(name),
            Self::Except(names) => !names.contains(name),
        }
    }
}

pub(in crate::server::stashbase) fn list(context: &RequestContext) -> Result<Reply, Problem> {
    let at = EnvironmentRequest::open(context)?.at(READ)?;
    let selection = Selection::read(context)?;
    let omits = |property| context.query("omit").is_some_and(|omit| words(omit).any(|word| word == property));
    let with_values = flag(context, "include_value")? != Some(false) && !omits("value");
    let with_comments = !omits("comment");
    let expands = is_true(context, "expand_refs")?;

    let secrets: Vec<wire::Secret> = if with_values {
        let which = match &selection {
            // A reference may lead to any of them.
            Selection::Only(names) if !expands => EntryScope::Named(names),
            _ => EntryScope::Own,
        };
        let entries = at.session().entries(at.place(), which)?.entries;
        let mut references = expands.then(|| references(&entries));
        let selected = entries.iter().filter(|entry| selection.includes(&entry.metadata.name));
        selected
            .map(|entry| {
                let value = value(entry, references.as_mut());
                shown(&entry.metadata, Some(value), with_comments)
            })
            .collect()
    } else {
        let metadata = at.session().entry_metadata(at.place())?;
        let selected = metadata.iter().filter(|metadata| selection.includes(&metadata.name));
        selected.map(|metadata| shown(metadata, None, with_comments)).collect()
    };
    Ok(match wants_environment(context) {
        Some(wanted) => reply::json(StatusCode::OK, &wire::Loaded { environment: included(&at, wanted)?, secrets }),
        None => reply::json(StatusCode::OK, &secrets),
    })
}

pub(in crate::server::stashbase) fn read(context: &RequestContext) -> Result<Reply, Problem> {
    let request = EnvironmentRequest::open(context)?;
    let name = secret_name(context.parameter("name")).ok_or_else(invalid_name)?;
    let at = request.at(READ)?;
    let with_comments = !context.query("omit").is_some_and(|omit| words(omit).any(|word| word == "comment"));
    let expands = is_true(context, "expand_refs")?;
    let names = [name];
    let which = if expands { EntryScope::Own } else { EntryScope::Named(&names) };
    let entries = at.session().entries(at.place(), which)?.entries;
    let entry = entries.iter().find(|entry| entry.metadata.name == names[0]).ok_or_else(not_found)?;
    let mut references = expands.then(|| references(&entries));
    let value = value(entry, references.as_mut());
    Ok(reply::json(StatusCode::OK, &shown(&entry.metadata, Some(value), with_comments)))
}

pub(in crate::server::stashbase) fn list_metadata(context: &RequestContext) -> Result<Reply, Problem> {
    let at = EnvironmentRequest::open(context)?.at(READ)?;
    let secrets = at.session().entry_metadata(at.place())?;
    let secrets = secrets.into_iter().map(shown_metadata).collect();
    Ok(reply::json(StatusCode::OK, &wire::MetadataList { secrets }))
}

pub(in crate::server::stashbase) fn read_metadata(context: &RequestContext) -> Result<Reply, Problem> {
    let request = EnvironmentRequest::open(context)?;
    let name = secret_name(context.parameter("name")).ok_or_else(invalid_name)?;
    let at = request.at(READ)?;
    let secrets = at.session().entry_metadata(at.place())?;
    let found = secrets.into_iter().find(|metadata| metadata.name == name).ok_or_else(not_found)?;
    Ok(reply::json(StatusCode::OK, &shown_metadata(found)))
}

/// What two environments of a project hold, name by name.
pub(in crate::server::stashbase) fn compare(context: &RequestContext) -> Result<Reply, Problem> {
    let request = ProjectRequest::open(context)?;
    let [one, other] = ["environment", "other"].map(|part| environment_identifier(context.parameter(part)));
    let (one, other) = (one?, other?);
    let AtProject { caller, project } = request.above(READ)?;
    let (with_values, expands) = (is_true(context, "with_values")?, is_true(context, "expand_refs")?);
    let project = IdOrSlug::Id(project.id.into());
    let one = caller.find(&project, &one)?;
    let other =
        caller.session.find_environment(caller.organization(), &project, &other).map_err(or_not_found(|| {
            let message = "The environment to compare with was not found.";
            Problem::not_found("resource.compare_to_environment_not_found", message)
        }))?;
    if one.id == other.id {
        let message = "An environment cannot be compared with itself.";
        return Err(Problem::invalid("validation.environment_self_comparison", message));
    }
    let entries = |environment: &LocatedEnvironment| {
        caller.session.entries(vault::At::Id(environment.id.into()), EntryScope::Own).map(|found| found.entries)
    };
    let sides = [entries(&one)?, entries(&other)?];
    let mut compared: Vec<wire::Compared> = Vec::new();
    let mut places: BTreeMap<&str, usize> = BTreeMap::new();
    for (side, entries) in sides.iter().enumerate() {
        let mut references = expands.then(|| references(entries));
        for entry in entries {
            let name = entry.metadata.name.as_str();
            let place = *places.entry(name).or_insert_with(|| {
                compared.push(wire::Compared { name: name.to_owned(), values: [None, None] });
                compared.len() - 1
            });
            let value = if with_values { value(entry, references.as_mut()) } else { SecretString::from(MASK) };
            compared[place].values[side] = Some(Plain(value));
        }
    }
    Ok(reply::json(StatusCode::OK, &compared))
}

fn references(entries: &[StoredEntry]) -> References<'_> {
    References::new(entries.iter().map(|entry| (entry.metadata.name.as_str(), &entry.value, &entry.dollars)))
}

/// A value as it is stored, or with what its references stand for.
fn value<'a>(entry: &'a StoredEntry, references: Option<&mut References<'a>>) -> SecretString {
    match references {
        Some(references) => references.expand(entry.metadata.name.as_str(), &entry.value, &entry.dollars),
        None => entry.value.clone(),
    }
}

fn shown(metadata: &EntryMetadata, value: Option<SecretString>, with_comment: bool) -> wire::Secret {
    wire::Secret {
        name: metadata.name.to_string(),
        value: value.map(Plain),
        comment: with_comment.then(|| metadata.comment.clone()),
    }
}

fn shown_metadata(metadata: EntryMetadata) -> wire::Metadata {
    wire::Metadata {
        name: metadata.name.to_string(),
        comment: metadata.comment,
        version: metadata.version,
        has_value: metadata.has_value,
        created_at: metadata.created_at,
        updated_at: metadata.updated_at,
        last_accessed_at: metadata.last_accessed_at,
    }
}
