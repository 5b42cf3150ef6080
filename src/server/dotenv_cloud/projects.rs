//! Projects.

use axum::http::StatusCode;

use super::super::exchange::Exchange;
use super::super::reply::{self, Reply};
use super::paging::{self, Sortable};
use super::place;
use super::problem::Problem;
use crate::vault::{Custody, Project, SecretFormat, Session, Timestamp};
use crate::wire::Seconds;
use crate::wire::dotenv_cloud::{self as wire, Resource, Single};

pub(super) fn list(exchange: &Exchange) -> Result<Reply, Problem> {
    let session = exchange.session()?;
    let projects = session.projects(place::organization(exchange)?)?;
    let list = paging::list(exchange, projects, |project| resource(&session, project))?;
    Ok(reply::json(StatusCode::OK, &list))
}

pub(super) fn read(exchange: &Exchange) -> Result<Reply, Problem> {
    let session = exchange.session()?;
    let project = session.project(place::organization(exchange)?, &place::project(exchange)?)?;
    Ok(reply::json(StatusCode::OK, &Single { data: resource(&session, project)? }))
}

/// A project as it is sent.
fn resource(session: &Session<'_>, project: Project) -> Result<Resource<wire::Project>, Problem> {
    let counts = session.counts(project.organization, &place::path([project.slug.as_str()])?)?;
    Ok(Resource {
        r#type: "projects",
        id: project.id.to_string(),
        attributes: wire::Project {
            ulid: project.id.to_string(),
            organization_id: project.organization.to_string(),
            name: project.name,
            slug: project.slug,
            description: project.description,
            secret_format: format_word(project.secret_format),
            encryption_type: match project.custody {
                Custody::Client => "client",
                Custody::Server => "server",
            },
            has_secrets: counts.contents > 0,
            secret_count: counts.contents,
            environment_count: counts.environments,
            target_count: counts.targets,
            created_at: Seconds(project.created_at),
            updated_at: Seconds(project.updated_at),
        },
    })
}

/// A format as the service calls it.
pub(super) fn format_word(format: SecretFormat) -> &'static str {
    match format {
        SecretFormat::Env => "env",
        SecretFormat::Json => "json",
        SecretFormat::Text => "text",
        SecretFormat::Yaml => "yaml",
    }
}

impl Sortable for Project {
    fn name(&self) -> &str {
        &self.name
    }

    fn created_at(&self) -> Timestamp {
        self.created_at
    }
}
