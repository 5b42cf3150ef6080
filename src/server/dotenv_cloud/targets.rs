//! Targets.

use axum::http::StatusCode;

use super::fields::Fields;
use super::level_request::LevelRequest;
use super::paging::{Selection, Sortable};
use super::place;
use super::problem::Problem;
use crate::core::id::ProjectId;
use crate::server::reply::{self, Reply};
use crate::server::request_context::RequestContext;
use crate::vault::At;
use crate::vault::{Counts, NewTarget, Permission, Target, TargetUpdate, Timestamp};
use crate::wire::dotenv_cloud::envelope::{Resource, ResourceKind, Single};
use crate::wire::dotenv_cloud::target as wire;

pub(super) fn list(context: &RequestContext) -> Result<Reply, Problem> {
    let request = LevelRequest::read(context, &[Permission::TargetRead])?;
    let mut selection = Selection::of_query(context);
    let (project, targets) = request.session.counted_targets(request.at()?, |mut targets| {
        targets.retain(|target| place::has_address(&target.slug));
        selection.select(targets)
    })?;
    let data = targets.into_iter().map(|(target, counts)| resource(project, target, counts)).collect();
    Ok(reply::json(StatusCode::OK, &selection.list(data)?))
}

pub(super) fn create(context: &RequestContext) -> Result<Reply, Problem> {
    let request = LevelRequest::read(context, &[Permission::TargetCreate])?;
    let new = request.body(new_target)?;
    let target = request.session.create_target(request.at()?, &new);
    answer(StatusCode::CREATED, &request, target.map_err(Problem::of_names)?)
}

pub(super) fn read(context: &RequestContext) -> Result<Reply, Problem> {
    let request = LevelRequest::read(context, &[Permission::TargetRead])?;
    let target = request.session.target(request.at()?)?;
    answer(StatusCode::OK, &request, target)
}

pub(super) fn update(context: &RequestContext) -> Result<Reply, Problem> {
    let request = LevelRequest::read(context, &[Permission::TargetUpdate])?;
    let update = request.body(|fields| TargetUpdate {
        name: fields.name("name"),
        slug: fields.slug("slug"),
        description: fields.description("description").into(),
    })?;
    let target = request.session.update_target(request.at()?, &update);
    answer(StatusCode::OK, &request, target.map_err(Problem::of_names)?)
}

pub(super) fn delete(context: &RequestContext) -> Result<Reply, Problem> {
    let request = LevelRequest::read(context, &[Permission::TargetDelete])?;
    request.session.delete_target(request.at()?)?;
    Ok(reply::empty(StatusCode::NO_CONTENT))
}

fn new_target(fields: &mut Fields) -> NewTarget {
    let mut new = NewTarget::new(fields.required_name("name"));
    new.slug = fields.slug("slug");
    new.description = fields.description("description");
    new
}

fn answer(status: StatusCode, request: &LevelRequest<'_>, target: Target) -> Result<Reply, Problem> {
    let (counts, project) = request.session.counts_and_project(At::Id(target.id.into()))?;
    Ok(reply::json(status, &Single { data: resource(project, target, counts) }))
}

/// A target as it is sent.
fn resource(project: ProjectId, target: Target, counts: Counts) -> Resource<wire::Target> {
    Resource {
        kind: ResourceKind::Target.into(),
        id: target.id.to_string(),
        attributes: wire::Target {
            project_id: project.to_string(),
            name: target.name,
            slug: target.slug,
            description: target.description,
            environment_count: counts.environments,
            secret_count: counts.contents,
            created_at: Some(target.created_at),
            updated_at: Some(target.updated_at),
        },
    }
}

impl Sortable for Target {
    fn name(&self) -> &str {
        &self.name
    }

    fn created_at(&self) -> Timestamp {
        self.created_at
    }
}
