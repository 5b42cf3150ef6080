//! Environments, which stand below targets here.

use axum::http::StatusCode;

use super::super::exchange::Exchange;
use super::super::reply::{self, Reply};
use super::asked::Asked;
use super::fields::Fields;
use super::paging::{self, Sortable};
use super::place;
use super::problem::Problem;
use crate::vault::{Environment, EnvironmentUpdate, Id, NewEnvironment, Permission, Timestamp};
use crate::wire::Seconds;
use crate::wire::dotenv_cloud::{self as wire, Resource, Single};
use crate::{Error, ErrorKind};

pub(super) fn list(exchange: &Exchange) -> Result<Reply, Problem> {
    let asked = Asked::read(exchange, &[Permission::EnvironmentRead])?;
    let mut environments = asked.session.environments(asked.organization, asked.path()?)?;
    environments.retain(|environment| place::has_address(&environment.slug));
    let above = above(&asked)?;
    let list = paging::list(exchange, environments, |environment| Ok(resource(above, environment)))?;
    Ok(reply::json(StatusCode::OK, &list))
}

pub(super) fn create(exchange: &Exchange) -> Result<Reply, Problem> {
    let asked = Asked::read(exchange, &[Permission::EnvironmentCreate])?;
    let new = asked.body(new_environment)?;
    let environment = asked.session.create_environment(asked.organization, asked.path()?, &new);
    answer(StatusCode::CREATED, &asked, environment.map_err(refused)?)
}

pub(super) fn read(exchange: &Exchange) -> Result<Reply, Problem> {
    let asked = Asked::read(exchange, &[Permission::EnvironmentRead])?;
    let environment = asked.session.environment(asked.organization, asked.path()?)?;
    answer(StatusCode::OK, &asked, environment)
}

pub(super) fn update(exchange: &Exchange) -> Result<Reply, Problem> {
    let asked = Asked::read(exchange, &[Permission::EnvironmentUpdate])?;
    let update = asked.body(|fields| EnvironmentUpdate {
        name: fields.name("name"),
        slug: fields.slug("slug"),
        description: fields.description("description"),
        status: fields.text("status"),
        is_production: fields.flag("is_production"),
        ..EnvironmentUpdate::default()
    })?;
    let environment = asked.session.update_environment(asked.organization, asked.path()?, &update);
    answer(StatusCode::OK, &asked, environment.map_err(refused)?)
}

pub(super) fn delete(exchange: &Exchange) -> Result<Reply, Problem> {
    let asked = Asked::read(exchange, &[Permission::EnvironmentDelete])?;
    asked.session.delete_environment(asked.organization, asked.path()?, false)?;
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

fn answer(status: StatusCode, asked: &Asked<'_>, environment: Environment) -> Result<Reply, Problem> {
    Ok(reply::json(status, &Single { data: resource(above(asked)?, environment) }))
}

/// The project and the target of the address.
fn above(asked: &Asked<'_>) -> Result<(Id, Id), Problem> {
    let path = asked.path()?;
    // The environment itself may have another slug by now.
    let target = if path.segments().count() == 3 { path.parent() } else { Some(path.clone()) };
    match asked.session.chain(asked.organization, &target.ok_or_else(Problem::not_found)?)?.as_slice() {
        [project, target] => Ok((*project, *target)),
        _ => Err(Problem::not_found()),
    }
}

/// An environment as it is sent.
fn resource((project, target): (Id, Id), environment: Environment) -> Resource<wire::Environment> {
    Resource {
        r#type: "environments",
        id: environment.id.to_string(),
        attributes: wire::Environment {
            project_id: project.to_string(),
            target_id: target.to_string(),
            name: environment.name,
            slug: environment.slug,
            description: environment.description,
            status: environment.status,
            is_production: environment.is_production,
            created_at: Seconds(environment.created_at),
            updated_at: Seconds(environment.updated_at),
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
