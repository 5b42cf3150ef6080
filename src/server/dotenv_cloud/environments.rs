//! Environments, which stand below targets here.

use axum::http::StatusCode;

use super::fields::Fields;
use super::level_request::LevelRequest;
use super::paging::{self, Sortable};
use super::place;
use super::problem::Problem;
use crate::core::id::LevelId;
use crate::error::{Error, ErrorKind};
use crate::server::reply::{self, Reply};
use crate::server::request_context::RequestContext;
use crate::vault::At;
use crate::vault::{Confirmation, Environment, EnvironmentUpdate, Id, NewEnvironment, Permission, Timestamp};
use crate::wire::dotenv_cloud::envelope::{Resource, ResourceKind, Single};
use crate::wire::dotenv_cloud::environment as wire;

pub(super) fn list(context: &RequestContext) -> Result<Reply, Problem> {
    let request = LevelRequest::read(context, &[Permission::EnvironmentRead])?;
    let (chain, mut environments) = request.session.environments_below(request.at()?)?;
    environments.retain(|environment| place::has_address(&environment.slug));
    let above = above(&chain)?;
    let list = paging::list(context, environments, |environment| resource(above, environment))?;
    Ok(reply::json(StatusCode::OK, &list))
}

pub(super) fn create(context: &RequestContext) -> Result<Reply, Problem> {
    let request = LevelRequest::read(context, &[Permission::EnvironmentCreate])?;
    let new = request.body(new_environment)?;
    let environment = request.session.create_environment(request.at()?, &new);
    answer(StatusCode::CREATED, &request, environment.map_err(refused)?)
}

pub(super) fn read(context: &RequestContext) -> Result<Reply, Problem> {
    let request = LevelRequest::read(context, &[Permission::EnvironmentRead])?;
    let environment = request.session.environment(request.at()?)?;
    answer(StatusCode::OK, &request, environment)
}

pub(super) fn update(context: &RequestContext) -> Result<Reply, Problem> {
    let request = LevelRequest::read(context, &[Permission::EnvironmentUpdate])?;
    let update = request.body(|fields| EnvironmentUpdate {
        name: fields.name("name"),
        slug: fields.slug("slug"),
        description: fields.description("description").into(),
        status: fields.text("status"),
        is_production: fields.flag("is_production"),
        ..EnvironmentUpdate::new()
    })?;
    let environment = request.session.update_environment(request.at()?, &update);
    answer(StatusCode::OK, &request, environment.map_err(refused)?)
}

pub(super) fn delete(context: &RequestContext) -> Result<Reply, Problem> {
    let request = LevelRequest::read(context, &[Permission::EnvironmentDelete])?;
    request.session.delete_environment(request.at()?, Confirmation::Missing)?;
    Ok(reply::empty(StatusCode::NO_CONTENT))
}

fn new_environment(fields: &mut Fields) -> NewEnvironment {
    let mut new = NewEnvironment::new(fields.required_name("name"));
    new.slug = fields.slug("slug");
    new.description = fields.description("description");
    new.status = fields.text("status");
    new.is_production = fields.flag("is_production");
    new
}

/// All else that could be wrong with a value was looked at before.
fn refused(error: Error) -> Problem {
    match error.kind() {
        ErrorKind::InvalidValue => Problem::field("status", "The selected status is invalid."),
        _ => Problem::of_names(error),
    }
}

fn answer(status: StatusCode, request: &LevelRequest<'_>, environment: Environment) -> Result<Reply, Problem> {
    let chain = request.session.chain(At::Id(environment.id.into()))?;
    Ok(reply::json(status, &Single { data: resource(above(&chain)?, environment) }))
}

/// The project and the target of a chain of levels.
fn above(chain: &[LevelId]) -> Result<(Id, Id), Problem> {
    match chain {
        [project, target, ..] => Ok(((*project).into(), (*target).into())),
        // What stands right below a project is no environment here.
        _ => Err(Problem::not_found()),
    }
}

/// An environment as it is sent.
fn resource((project, target): (Id, Id), environment: Environment) -> Resource<wire::Environment> {
    Resource {
        kind: ResourceKind::Environment.into(),
        id: environment.id.to_string(),
        attributes: wire::Environment {
            project_id: project.to_string(),
            target_id: target.to_string(),
            name: environment.name,
            slug: environment.slug,
            description: environment.description,
            status: environment.status,
            is_production: environment.is_production,
            created_at: Some(environment.created_at),
            updated_at: Some(environment.updated_at),
        },
    }
}

impl Sortable for Environment {
    fn name(&self) -> &str {
        &self.name
    }

    fn created_at(&self) -> Timestamp {
        self.created_at
    }
}
