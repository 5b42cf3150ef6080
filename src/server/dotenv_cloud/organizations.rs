//! Organizations.

use axum::http::StatusCode;

use super::fields::Fields;
use super::level_request::LevelRequest;
use super::paging::{self, Sortable};
use super::problem::Problem;
use crate::error::{Error, ErrorKind};
use crate::server::reply::{self, Reply};
use crate::server::request_context::RequestContext;
use crate::vault::{NewOrganization, Organization, OrganizationUpdate, Permission, Timestamp};
use crate::wire::dotenv_cloud::envelope::{Resource, ResourceKind, Single};
use crate::wire::dotenv_cloud::organization as wire;

pub(super) fn list(context: &RequestContext) -> Result<Reply, Problem> {
    let list = paging::list(context, context.session()?.organizations()?, resource)?;
    Ok(reply::json(StatusCode::OK, &list))
}

pub(super) fn create(context: &RequestContext) -> Result<Reply, Problem> {
    let session = context.session()?;
    let read = Fields::read_all(context, |fields| {
        let mut new = NewOrganization::new(fields.required_name("name"));
        new.slug = fields.slug("slug");
        new
    });
    // Whoever may make none is told so first, for one that could not be made.
    let (new, invalid) = match read {
        Ok(new) => (new, None),
        Err(problem) => (NewOrganization::new(""), Some(problem)),
    };
    let organization = session.create_organization(&new).map_err(|error| match (error.kind(), invalid) {
        (ErrorKind::InvalidName, Some(problem)) => problem,
        _ => refused(error),
    })?;
    Ok(answer(StatusCode::CREATED, organization))
}

pub(super) fn read(context: &RequestContext) -> Result<Reply, Problem> {
    let request = LevelRequest::read(context, &[Permission::OrganizationRead])?;
    Ok(answer(StatusCode::OK, request.session.organization(request.organization)?))
}

/// That of the token, which is one.
pub(super) fn own(context: &RequestContext) -> Result<Reply, Problem> {
    let organization = context.session()?.organizations()?.into_iter().next();
    Ok(answer(StatusCode::OK, organization.ok_or_else(Problem::not_found)?))
}

pub(super) fn update(context: &RequestContext) -> Result<Reply, Problem> {
    let request = LevelRequest::read(context, &[Permission::OrganizationUpdate])?;
    let update = request.body(|fields| OrganizationUpdate {
        name: fields.name("name"),
        slug: fields.slug("slug"),
        ..OrganizationUpdate::new()
    })?;
    let organization = request.session.update_organization(request.organization, &update).map_err(refused)?;
    Ok(answer(StatusCode::OK, organization))
}

pub(super) fn delete(context: &RequestContext) -> Result<Reply, Problem> {
    let request = LevelRequest::read(context, &[Permission::OrganizationDelete])?;
    request.session.delete_organization(request.organization)?;
    Ok(reply::empty(StatusCode::NO_CONTENT))
}

/// A slug that is taken is a conflict here: it is one in all of the vault.
fn refused(error: Error) -> Problem {
    if error.kind() == ErrorKind::Conflict { error.into() } else { Problem::of_names(error) }
}

fn answer(status: StatusCode, organization: Organization) -> Reply {
    reply::json(status, &Single { data: resource(organization) })
}

/// An organization as it is sent.
fn resource(organization: Organization) -> Resource<wire::Organization> {
    Resource {
        kind: ResourceKind::Organization.into(),
        id: organization.id.to_string(),
        attributes: wire::Organization {
            ulid: organization.id.to_string(),
            name: organization.name,
            slug: organization.slug,
            status: organization.status.into(),
            plan_name: organization.tier.as_str().to_ascii_lowercase(),
            created_at: Some(organization.created_at),
            updated_at: Some(organization.updated_at),
        },
    }
}

impl Sortable for Organization {
    fn name(&self) -> &str {
        &self.name
    }

    fn created_at(&self) -> Timestamp {
        self.created_at
    }
}
