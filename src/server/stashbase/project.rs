use axum::http::StatusCode;

use super::caller::{AtProject, Caller, ProjectRequest, or_project_not_found};
use super::name::{check_description, invalid_project_name, project_name, project_search};
use super::problem::Problem;
use super::query::{Part, Sorting, body, matches};
use crate::error::{Error, ErrorKind};
use crate::server::reply::{self, Reply};
use crate::server::request_context::RequestContext;
use crate::vault;
use crate::vault::setters::Patch;
use crate::vault::{
    EnvironmentRole, NewProject, Permission, PermissionSet, Project, ProjectSummary, ProjectUpdate, SlugRule,
};
use crate::wire::stashbase::project as wire;
use crate::wire::stashbase::project::AccessLevel;

const READ: PermissionSet = PermissionSet::of(&[Permission::ProjectRead]);
const CREATE: PermissionSet = PermissionSet::of(&[Permission::ProjectCreate]);
const UPDATE: PermissionSet = PermissionSet::of(&[Permission::ProjectUpdate]);
const DELETE: PermissionSet = PermissionSet::of(&[Permission::ProjectDelete]);

const SORTED_BY: [&str; 4] = ["name", "created_at", "updated_at", "environment_count"];
const TOO_LONG: &str = "validation.project_description_too_long";

pub(super) fn list(context: &RequestContext) -> Result<Reply, Problem> {
    let caller = Caller::of_workspace(context)?;
    caller.allow(READ)?;
    let organization = caller.organization();
    let part = Part::read(context)?;
    let sorting = Sorting::read(context, &SORTED_BY, "asc")?;
    let search = context.query("search");
    search.map_or(Ok(()), project_search)?;

    let is_by_count = sorting.by == "environment_count";
    let mut total = 0;
    let mut listed = caller.session.summarized_projects(organization, |mut projects| {
        projects.retain(|project| matches(&project.slug, search));
        total = projects.len();
        match sorting.by {
            // All are counted to find out which ones come first.
            "environment_count" => return projects,
            "created_at" => sorting.sort(&mut projects, |project| project.created_at),
            "updated_at" => sorting.sort(&mut projects, |project| project.updated_at),
            _ => sorting.sort(&mut projects, |project| project.slug.clone()),
        }
        part.select(projects)
    })?;
    if is_by_count {
        sorting.sort(&mut listed, |(_, summary)| summary.environments);
        listed = part.select(listed);
    }
    let data = listed.into_iter().map(|(project, summary)| shown(&caller, project, summary)).collect();
    Ok(reply::json(StatusCode::OK, &part.of(data, total)))
}

pub(super) fn read(context: &RequestContext) -> Result<Reply, Problem> {
    let at = ProjectRequest::open(context)?.at(READ)?;
    let project = at.session().project(at.place()).map_err(or_project_not_found)?;
    answer(&at.caller, StatusCode::OK, project)
}

pub(super) fn create(context: &RequestContext) -> Result<Reply, Problem> {
    let caller = Caller::of_workspace(context)?;
    caller.session.check_rights(caller.organization(), None, CREATE)?;
    let wanted: wire::NewProject = body(context)?;
    let slug = project_name(&wanted.name)?;
    check_description(wanted.description.as_deref(), TOO_LONG)?;
    let mut new = NewProject::new(slug.as_str());
    new.slug = Some(slug);
    new.slug_rule = SlugRule::Any;
    new.description = wanted.description;
    let project = caller.session.create_project(caller.organization(), &new).map_err(or_name_refused)?;
    answer(&caller, StatusCode::CREATED, project)
}

pub(super) fn update(context: &RequestContext) -> Result<Reply, Problem> {
    let at = ProjectRequest::open(context)?.at(UPDATE)?;
    let wanted: wire::ProjectUpdate = body(context)?;
    if wanted.name.is_none() && wanted.description.is_none() {
        let message = "Nothing is given that is to change.";
        return Err(Problem::invalid("validation.missing_properties_to_update", message)
            .with("possible_properties", ["name", "description"]));
    }
    let mut update = ProjectUpdate::new();
    if let Some(name) = &wanted.name {
        let slug = project_name(name)?;
        if slug == at.project.slug {
            let message = "The project has this name already.";
            return Err(Problem::invalid("validation.new_project_name_equals_original", message));
        }
        update.name = Some(name.clone());
        update.slug = Some(slug);
        update.slug_rule = SlugRule::Any;
    }
    if let Some(description) = &wanted.description {
        check_description(description.as_deref(), TOO_LONG)?;
    }
    update.description = Patch::from_member(wanted.description);
    at.session().update_project(at.place(), &update).map_err(or_name_refused)?;
    Ok(reply::empty(StatusCode::NO_CONTENT))
}

pub(super) fn remove(context: &RequestContext) -> Result<Reply, Problem> {
    let at = ProjectRequest::open(context)?.at(DELETE)?;
    let AtProject { caller, project } = &at;
    caller.session.delete_project(vault::At::Id(project.id.into())).map_err(or_project_not_found)?;
    Ok(reply::empty(StatusCode::NO_CONTENT))
}

fn answer(caller: &Caller<'_>, status: StatusCode, project: Project) -> Result<Reply, Problem> {
    let summary = caller.session.project_summary(vault::At::Id(project.id.into())).map_err(or_project_not_found)?;
    Ok(reply::json(status, &shown(caller, project, summary)))
}

fn shown(caller: &Caller<'_>, project: Project, summary: ProjectSummary) -> wire::Project {
    let is_full = summary.rights.contains_all(EnvironmentRole::FULL_PROJECT_ACCESS);
    wire::Project {
        id: project.id.to_prefixed("proj"),
        created_at: project.created_at,
        updated_at: project.updated_at,
        name: project.slug,
        description: project.description,
        environment_count: summary.environments,
        access_level: caller.is_user().then(|| if is_full { AccessLevel::Full } else { AccessLevel::Granted }.into()),
    }
}

/// Tells why a project cannot be called what it is to be called.
fn or_name_refused(error: Error) -> Problem {
    match error.kind() {
        ErrorKind::Conflict => {
            let message = "There is a project of this name already.";
            Problem::conflict("conflict.project_already_exists", message)
        }
        ErrorKind::InvalidName => invalid_project_name(),
        _ => or_project_not_found(error),
    }
}
