//! Projects.

use axum::http::StatusCode;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;

use super::fields::Fields;
use super::level_request::LevelRequest;
use super::paging::{Selection, Sortable};
use super::place;
use super::problem::Problem;
use crate::core::key::{KeyString, Pbkdf2};
use crate::core::secret::SecretString;
use crate::error::ErrorKind;
use crate::server::reply::{self, Reply};
use crate::server::request_context::RequestContext;
use crate::vault::At;
use crate::vault::{Counts, Custody, Metadata, NewKey, NewProject, Permission, Project, ProjectUpdate, Timestamp};
use crate::wire::dotenv_cloud::envelope::{Resource, ResourceKind, Single};
use crate::wire::dotenv_cloud::project as wire;

/// How many times a key is stretched.
const ITERATIONS: u64 = Pbkdf2::DEFAULT_ITERATIONS as u64;
/// Longest reminder of where a key is, in characters.
const MAX_HINT: usize = 255;

pub(super) fn list(context: &RequestContext) -> Result<Reply, Problem> {
    let request = LevelRequest::read(context, &[Permission::ProjectRead])?;
    let mut selection = Selection::of_query(context);
    let projects = request.session.counted_projects(request.organization, |mut projects| {
        projects.retain(|project| place::has_address(&project.slug));
        selection.select(projects)
    })?;
    let data = projects.into_iter().map(|(project, counts)| resource(project, counts)).collect();
    Ok(reply::json(StatusCode::OK, &selection.list(data)?))
}

pub(super) fn create(context: &RequestContext) -> Result<Reply, Problem> {
    let request = LevelRequest::read(context, &[Permission::ProjectCreate])?;
    let new = request.body(new_project)?;
    let project = request.session.create_project(request.organization, &new).map_err(|error| match error.kind() {
        // All else that could be wrong with a value was looked at.
        ErrorKind::InvalidValue => Problem::of_field("encryption_key", &error),
        _ => Problem::of_names(error),
    })?;
    answer(StatusCode::CREATED, &request, project)
}

pub(super) fn read(context: &RequestContext) -> Result<Reply, Problem> {
    let request = LevelRequest::read(context, &[Permission::ProjectRead])?;
    let project = request.session.project(request.at()?)?;
    answer(StatusCode::OK, &request, project)
}

pub(super) fn update(context: &RequestContext) -> Result<Reply, Problem> {
    let request = LevelRequest::read(context, &[Permission::ProjectUpdate])?;
    let update = request.body(|fields| ProjectUpdate {
        name: fields.name("name"),
        slug: fields.slug("slug"),
        description: fields.description("description").into(),
        metadata: fields.object("metadata").map(Metadata::from_object),
        ..ProjectUpdate::new()
    })?;
    let project = request.session.update_project(request.at()?, &update);
    let project = project.map_err(|error| match error.kind() {
        ErrorKind::InvalidValue => Problem::of_field("metadata", &error),
        _ => Problem::of_names(error),
    })?;
    answer(StatusCode::OK, &request, project)
}

pub(super) fn delete(context: &RequestContext) -> Result<Reply, Problem> {
    let request = LevelRequest::read(context, &[Permission::ProjectDelete])?;
    request.session.delete_project(request.at()?)?;
    Ok(reply::empty(StatusCode::NO_CONTENT))
}

fn new_project(fields: &mut Fields) -> NewProject {
    let mut new = NewProject::new(fields.required_name("name"));
    new.slug = fields.slug("slug");
    new.description = fields.description("description");
    new.secret_format = fields.choice("secret_format").unwrap_or_default();
    new.key = match fields.choice("storage_mode").unwrap_or(Custody::Server) {
        Custody::Server => {
            let key = fields.verbatim_secret("encryption_key");
            NewKey::String(key.and_then(|key| KeyString::verbatim(key.expose_secret()).ok()))
        }
        Custody::Client => client_key(fields),
    };
    new
}

/// A key that the project's people hold: how it is derived, and what proves that somebody has it.
fn client_key(fields: &mut Fields) -> NewKey {
    if fields.has("encryption_key") {
        fields.refuse("encryption_key", "The encryption key field is prohibited.");
    }
    let proof = SecretString::from(fields.required_text("key_check"));
    if !proof.expose_secret().is_empty() && !is_proof(proof.expose_secret()) {
        fields.refuse("key_check", "The key check field must be 32 bytes in base64.");
    }
    let salt = fields.required_text("key_check_salt");
    let salt = if salt.is_empty() {
        None
    } else {
        let salt = BASE64.decode(salt).ok().filter(|salt| (16..=64).contains(&salt.len()));
        if salt.is_none() {
            fields.refuse("key_check_salt", "The key check salt field must be 16 to 64 bytes in base64.");
        }
        salt
    };
    if !fields.has("key_check_iterations") {
        fields.refuse("key_check_iterations", "The key check iterations field is required.");
    } else if fields.number("key_check_iterations").is_some_and(|iterations| iterations != ITERATIONS) {
        fields.refuse("key_check_iterations", format!("The key check iterations field must be {ITERATIONS}."));
    }
    let hint = fields.text("key_hint");
    if let Some(hint) = &hint {
        fields.check_length("key_hint", hint, MAX_HINT);
    }
    let derivation = salt.and_then(|salt| Pbkdf2::new(&salt, Pbkdf2::DEFAULT_ITERATIONS.into()).ok());
    NewKey::Client { derivation, proof, hint }
}

/// Whether this is base64 of 32 bytes, in the one form that can be compared as text.
fn is_proof(text: &str) -> bool {
    BASE64.decode(text).is_ok_and(|bytes| bytes.len() == 32 && BASE64.encode(&bytes) == text)
}

fn answer(status: StatusCode, request: &LevelRequest<'_>, project: Project) -> Result<Reply, Problem> {
    let counts = request.session.counts(At::Id(project.id.into()))?;
    Ok(reply::json(status, &Single { data: resource(project, counts) }))
}

/// A project as it is sent.
fn resource(project: Project, counts: Counts) -> Resource<wire::Project> {
    Resource {
        kind: ResourceKind::Project.into(),
        id: project.id.to_string(),
        attributes: wire::Project {
            ulid: project.id.to_string(),
            organization_id: project.organization.to_string(),
            name: project.name,
            slug: project.slug,
            description: project.description,
            secret_format: project.secret_format.into(),
            encryption_type: project.custody.into(),
            has_secrets: counts.contents > 0,
            secret_count: counts.contents,
            environment_count: counts.environments,
            target_count: counts.targets,
            created_at: Some(project.created_at),
            updated_at: Some(project.updated_at),
        },
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
