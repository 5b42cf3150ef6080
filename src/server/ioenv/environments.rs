use axum::http::StatusCode;

use super::body::Body;
use super::place::Place;
use super::problem::Problem;
use crate::core::name::Slug;
use crate::error::{Error, ErrorKind};
use crate::server::reply::{self, Reply};
use crate::server::request_context::RequestContext;
use crate::vault::{Confirmation, Environment, EnvironmentUpdate, NewEnvironment, UseCase};
use crate::wire::ioenv as wire;

pub(super) fn list(context: &RequestContext) -> Result<Reply, Problem> {
    let at = Place::project(context)?;
    let environments = at.session.environments(at.place())?;
    Ok(reply::json(StatusCode::OK, &wire::EnvironmentList { environments: environments.iter().map(dto).collect() }))
}

/// What environments are called here is the slug: in other services the name may be any text, and need not be the only one.
fn dto(environment: &Environment) -> wire::Environment {
    wire::Environment { id: environment.id.to_prefixed("env"), name: environment.slug.clone() }
}

pub(super) fn create(context: &RequestContext) -> Result<Reply, Problem> {
    let at = Place::project(context)?;
    let name = at.valid(UseCase::CreateEnvironment, read(context))?;
    let mut new = NewEnvironment::new(name.as_str());
    new.slug = Some(name);
    let made = at.session.create_environment(at.place(), &new).map_err(not_named)?;
    Ok(reply::json(StatusCode::CREATED, &wire::EnvironmentResponse { environment: dto(&made) }))
}

pub(super) fn rename(context: &RequestContext) -> Result<Reply, Problem> {
    let at = Place::environment(context)?;
    let name = at.valid(UseCase::UpdateEnvironment, read(context))?;
    let (name, slug) = (Some(name.as_str().to_owned()), Some(name));
    let update = EnvironmentUpdate { name, slug, ..EnvironmentUpdate::new() };
    let renamed = at.session.update_environment(at.place(), &update).map_err(not_named)?;
    Ok(reply::json(StatusCode::OK, &wire::EnvironmentResponse { environment: dto(&renamed) }))
}

pub(super) fn delete(context: &RequestContext) -> Result<Reply, Problem> {
    let at = Place::environment(context)?;
    at.session.delete_environment(at.place(), Confirmation::Missing).map_err(|error| match error.kind() {
        ErrorKind::InvalidName | ErrorKind::Unconfirmed => {
            Problem::invalid("This environment is built in: only others can be deleted here.")
        }
        _ => error.into(),
    })?;
    Ok(reply::empty(StatusCode::NO_CONTENT))
}

/// The name that a request gives.
fn read(context: &RequestContext) -> Result<Slug, Problem> {
    let body = Body::read(context.body()?)?;
    let name = body.required_text("name", "name must be a string.")?.expose_secret();
    let is_name = (2..=40).contains(&name.len())
        && name.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_' | b'-'))
        && !name.starts_with(['_', '-']);
    let invalid = "name must have 2 to 40 of a-z, 0-9, _ and -, and start with a letter or a digit.";
    let slug = name.parse().ok().filter(|_| is_name);
    slug.ok_or_else(|| Problem::invalid(invalid))
}

fn not_named(error: Error) -> Problem {
    match error.kind() {
        ErrorKind::Conflict => Problem::invalid("There is an environment of this name already: choose another name."),
        ErrorKind::InvalidName => {
            Problem::invalid("Choose another name, as this one is reserved; a built-in environment keeps its name.")
        }
        _ => error.into(),
    }
}
