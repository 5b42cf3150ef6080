use axum::http::StatusCode;

use super::caller::{At, Caller, EnvironmentRequest, ProjectRequest, or_project_not_found, role_within};
use super::name::{check_description, environment_name, environment_search, invalid_environment_name};
use super::problem::Problem;
use super::query::{Sorting, body, flag, matches, words};
use super::secret::new_entries;
use crate::core::id::LevelId;
use crate::error::{Error, ErrorKind};
use crate::server::reply::{self, Reply};
use crate::server::request_context::RequestContext;
use crate::vault;
use crate::vault::setters::Patch;
use crate::vault::{
    Confirmation, Environment, EnvironmentUpdate, LevelSummary, NewEnvironment, Permission, PermissionSet, SlugRule,
};
use crate::wire::stashbase::environment as wire;
use crate::wire::stashbase::secret::IncludedEnvironment;
use crate::wire::word::Word;

const READ: PermissionSet = PermissionSet::of(&[Permission::EnvironmentRead]);
const CREATE: PermissionSet = PermissionSet::of(&[Permission::EnvironmentCreate]);
const UPDATE: PermissionSet = PermissionSet::of(&[Permission::EnvironmentUpdate]);
const DELETE: PermissionSet = PermissionSet::of(&[Permission::EnvironmentDelete]);

const SORTED_BY: [&str; 4] = ["name", "created_at", "updated_at", "secret_count"];
const TOO_LONG: &str = "validation.environment_description_too_long";

pub(super) fn list(context: &RequestContext) -> Result<Reply, Problem> {
    let at = ProjectRequest::open(context)?.at(READ)?;
    let sorting = Sorting::read(context, &SORTED_BY, "asc")?;
    let search = context.query("search");
    search.map_or(Ok(()), environment_search)?;
    let is_production = flag(context, "is_production")?;

    let listed = at.session().summarized_environments(at.place(), |mut environments| {
        environments.retain(|environment| {
            // The level of the project itself is none of its environments here.
            LevelId::from(environment.id) != at.project.id.into()
                && matches(&environment.slug, search)
                && is_production.is_none_or(|wanted| environment.is_production == wanted)
        });
        environments
    });
    let mut listed = listed.map_err(or_project_not_found)?;
    match sorting.by {
        "created_at" => sorting.sort(&mut listed, |(environment, _)| environment.created_at),
        "updated_at" => sorting.sort(&mut listed, |(environment, _)| environment.updated_at),
        "secret_count" => sorting.sort(&mut listed, |(_, summary)| summary.entries),
        _ => sorting.sort(&mut listed, |(environment, _)| environment.slug.clone()),
    }
    let body: Vec<wire::Environment> =
        listed.into_iter().map(|(environment, summary)| shown(&at.caller, environment, summary)).collect();
    Ok(reply::json(StatusCode::OK, &body))
}

pub(super) fn read(context: &RequestContext) -> Result<Reply, Problem> {
    let at = EnvironmentRequest::open(context)?.at(READ)?;
    Ok(reply::json(StatusCode::OK, &found(&at)?))
}

/// That of the key.
pub(super) fn read_own(context: &RequestContext) -> Result<Reply, Problem> {
    let at = EnvironmentRequest::open(context)?.at(READ)?;
    let project =
        wire::NamedProject { id: at.environment.project.to_prefixed("proj"), name: at.project_name().to_owned() };
    Ok(reply::json(StatusCode::OK, &wire::KeyEnvironment { environment: found(&at)?, project }))
}

pub(super) fn create(context: &RequestContext) -> Result<Reply, Problem> {
    let at = ProjectRequest::open(context)?.at(CREATE)?;
    let wanted: wire::NewEnvironment = body(context)?;
    let slug = environment_name(&wanted.name)?;
    check_description(wanted.description.as_deref(), TOO_LONG)?;
    let mut new = NewEnvironment::new(slug.as_str());
    if let Some(secrets) = wanted.secrets.filter(|secrets| !secrets.is_empty()) {
        new.entries = new_entries(secrets)?;
    }
    new.slug = Some(slug);
    new.slug_rule = SlugRule::Any;
    new.description = wanted.description;
    new.is_production = Some(wanted.is_production.unwrap_or(false));
    let environment = at.session().create_environment(at.place(), &new).map_err(or_name_refused)?;
    let summary = at.session().level_summary(vault::At::Id(environment.id.into()))?;
    Ok(reply::json(StatusCode::CREATED, &shown(&at.caller, environment, summary)))
}

pub(super) fn update(context: &RequestContext) -> Result<Reply, Problem> {
    let at = EnvironmentRequest::open(context)?.at(UPDATE)?;
    let wanted: wire::EnvironmentUpdate = body(context)?;
    if wanted.name.is_none() && wanted.is_production.is_none() && wanted.description.is_none() {
        let message = "Nothing is given that is to change.";
        return Err(Problem::invalid("validation.missing_properties_to_update", message)
            .with("possible_properties", ["name", "is_production", "description"]));
    }
    let mut update = EnvironmentUpdate::new();
    if let Some(name) = &wanted.name {
        let slug = environment_name(name)?;
        if slug.as_str() == at.name() {
            let message = "The environment has this name already.";
            return Err(Problem::invalid("validation.new_environment_name_equals_original", message));
        }
        update.name = Some(name.clone());
        update.slug = Some(slug);
        update.slug_rule = SlugRule::Any;
    }
    if let Some(description) = &wanted.description {
        check_description(description.as_deref(), TOO_LONG)?;
    }
    update.description = Patch::from_member(wanted.description);
    update.is_production = wanted.is_production;
    at.session().update_environment(at.place(), &update).map_err(or_name_refused)?;
    Ok(reply::empty(StatusCode::NO_CONTENT))
}

pub(super) fn remove(context: &RequestContext) -> Result<Reply, Problem> {
    let at = EnvironmentRequest::open(context)?.at(DELETE)?;
    // The service knows of none that are built in, so whoever asks for this means it.
    at.session().delete_environment(at.place(), Confirmation::Given)?;
    Ok(reply::empty(StatusCode::NO_CONTENT))
}

/// What was asked for of an environment beside its secrets: all of it for `true`, or some properties, by their names.
pub(super) fn included(at: &At<'_>, wanted: &str) -> Result<IncludedEnvironment, Problem> {
    let wants = |property: &str| wanted == "true" || words(wanted).any(|word| word == property);
    let mut included = IncludedEnvironment {
        id: wants("id").then(|| at.environment.id.to_prefixed("env")),
        name: wants("name").then(|| at.name().to_owned()),
        is_production: wants("is_production").then_some(at.environment.is_production),
        ..Default::default()
    };
    // Whoever reads secrets is told where they are from; the rest is for whoever may read the environment.
    if wants("created_at") || wants("description") {
        let environment = at.session().environment(at.place())?;
        included.created_at = wants("created_at").then_some(environment.created_at);
        included.description = wants("description").then_some(environment.description);
    }
    Ok(included)
}

/// Whether a listing of secrets is to say where they are from.
pub(super) fn wants_environment(context: &RequestContext) -> Option<&str> {
    context.query("include_environment").filter(|wanted| !wanted.is_empty() && *wanted != "false")
}

fn found(at: &At<'_>) -> Result<wire::Environment, Problem> {
    let environment = at.session().environment(at.place())?;
    let summary = at.session().level_summary(at.place())?;
    Ok(shown(&at.caller, environment, summary))
}

fn shown(caller: &Caller<'_>, environment: Environment, summary: LevelSummary) -> wire::Environment {
    wire::Environment {
        id: environment.id.to_prefixed("env"),
        created_at: environment.created_at,
        updated_at: environment.updated_at,
        name: environment.slug,
        is_production: environment.is_production,
        description: environment.description,
        secret_count: summary.entries,
        user_role: if caller.is_user() { role_within(summary.rights).map(Word::from) } else { None },
    }
}

/// Tells why an environment cannot be called what it is to be called.
fn or_name_refused(error: Error) -> Problem {
    match error.kind() {
        ErrorKind::Conflict => {
            let message = "There is an environment of this name already.";
            Problem::conflict("conflict.environment_already_exists", message)
        }
        ErrorKind::InvalidName => invalid_environment_name(),
        _ => error.into(),
    }
}
