//! Targets.

use axum::http::StatusCode;

use super::super::exchange::Exchange;
use super::super::reply::{self, Reply};
use super::asked::Asked;
use super::fields::Fields;
use super::paging::{self, Sortable};
use super::place;
use super::problem::Problem;
use crate::LevelPath;
use crate::vault::{Id, NewTarget, Permission, Target, TargetUpdate, Timestamp};
use crate::wire::Seconds;
use crate::wire::dotenv_cloud::{self as wire, Resource, Single};

pub(super) fn list(exchange: &Exchange) -> Result<Reply, Problem> {
    let asked = Asked::read(exchange, &[Permission::TargetRead])?;
    let mut targets = asked.session.targets(asked.organization, &asked.project()?)?;
    targets.retain(|target| place::has_address(&target.slug));
    let project = project_id(&asked)?;
    let above = asked.path()?.project();
    let list = paging::list(exchange, targets, |target| resource(&asked, above, project, target))?;
    Ok(reply::json(StatusCode::OK, &list))
}

pub(super) fn create(exchange: &Exchange) -> Result<Reply, Problem> {
    let asked = Asked::read(exchange, &[Permission::TargetCreate])?;
    let new = asked.body(new_target)?;
    let target = asked.session.create_target(asked.organization, &asked.project()?, &new);
    answer(StatusCode::CREATED, &asked, target.map_err(Problem::of_names)?)
}

pub(super) fn read(exchange: &Exchange) -> Result<Reply, Problem> {
    let asked = Asked::read(exchange, &[Permission::TargetRead])?;
    let target = asked.session.target(asked.organization, asked.path()?)?;
    answer(StatusCode::OK, &asked, target)
}

pub(super) fn update(exchange: &Exchange) -> Result<Reply, Problem> {
    let asked = Asked::read(exchange, &[Permission::TargetUpdate])?;
    let update = asked.body(|fields| TargetUpdate {
        name: fields.name("name"),
        slug: fields.slug("slug"),
        description: fields.description("description"),
    })?;
    let target = asked.session.update_target(asked.organization, asked.path()?, &update);
    answer(StatusCode::OK, &asked, target.map_err(Problem::of_names)?)
}

pub(super) fn delete(exchange: &Exchange) -> Result<Reply, Problem> {
    let asked = Asked::read(exchange, &[Permission::TargetDelete])?;
    asked.session.delete_target(asked.organization, asked.path()?)?;
    Ok(reply::empty(StatusCode::NO_CONTENT))
}

fn new_target(fields: &mut Fields) -> NewTarget {
    let mut new = NewTarget::new(fields.required_name("name"));
    new.slug = fields.slug("slug");
    new.description = fields.description("description");
    new
}

fn answer(status: StatusCode, asked: &Asked<'_>, target: Target) -> Result<Reply, Problem> {
    let data = resource(asked, asked.path()?.project(), project_id(asked)?, target)?;
    Ok(reply::json(status, &Single { data }))
}

fn project_id(asked: &Asked<'_>) -> Result<Id, Problem> {
    let project = LevelPath::new(asked.path()?.project())?;
    let chain = asked.session.chain(asked.organization, &project)?;
    chain.first().copied().ok_or_else(Problem::not_found)
}

/// A target as it is sent.
fn resource(asked: &Asked<'_>, above: &str, project: Id, target: Target) -> crate::Result<Resource<wire::Target>> {
    let path = LevelPath::new(&format!("{above}/{}", target.slug))?;
    let counts = asked.session.counts(asked.organization, &path)?;
    Ok(Resource {
        r#type: "targets",
        id: target.id.to_string(),
        attributes: wire::Target {
            project_id: project.to_string(),
            name: target.name,
            slug: target.slug,
            description: target.description,
            environment_count: counts.environments,
            secret_count: counts.contents,
            created_at: Seconds(target.created_at),
            updated_at: Seconds(target.updated_at),
        },
    })
}

impl Sortable for Target {
    fn name(&self) -> &str {
        &self.name
    }

    fn created_at(&self) -> Timestamp {
        self.created_at
    }
}
