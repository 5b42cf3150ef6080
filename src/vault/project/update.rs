use serde_json::{Map, Value};

use super::super::keys;
use super::super::name::{check_description, check_name, slug_taken};
use super::super::place::{Reach, SlugRule, check_slug};
use super::super::records::{PlaceRecord, put};
use super::super::session::Session;
use super::super::use_case::UseCase;
use super::{Project, RESERVED, SecretFormat, check_metadata};
use crate::Result;
use crate::core::{Action, Details, Id, LevelPath, Resource, Slug};
use crate::store::Precondition;

/// What is to change about a project.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct ProjectUpdate {
    /// Another name.
    pub name: Option<String>,
    /// Another slug. All paths of the project change with it.
    pub slug: Option<Slug>,
    /// Which slugs it may have.
    pub slug_rule: SlugRule,
    /// Another description; an empty one removes it.
    pub description: Option<String>,
    /// Other metadata, in the place of all that is there; at most 16 KiB of JSON.
    pub metadata: Option<Map<String, Value>>,
    /// What the text of its blobs is.
    pub secret_format: Option<SecretFormat>,
    /// Whether previous contents are kept from now on.
    pub versioning: Option<bool>,
}

impl Session<'_> {
    /// Changes a project.
    ///
    /// # Errors
    /// `InvalidName`; `InvalidValue`; `Conflict`, when the slug is taken.
    pub fn update_project(&self, organization: Id, slug: &Slug, update: &ProjectUpdate) -> Result<Project> {
        self.write(UseCase::UpdateProject, |operation| {
            let mut project = operation.place(organization, &LevelPath::from(slug), Reach::Inside)?.project;
            let mut changed = Vec::new();
            if let Some(name) = &update.name {
                project.name = check_name(name)?;
                changed.push("name");
            }
            if let Some(description) = &update.description {
                project.description = check_description(Some(description))?;
                changed.push("description");
            }
            if let Some(metadata) = &update.metadata {
                project.metadata = check_metadata(metadata)?;
                changed.push("metadata");
            }
            if let Some(format) = update.secret_format {
                project.secret_format = format;
                changed.push("secretFormat");
            }
            if let Some(versioning) = update.versioning {
                project.versioning = versioning;
                changed.push("versioning");
            }
            project.updated_at = operation.now;
            if let Some(slug) = &update.slug
                && slug.as_str() != project.slug
            {
                check_slug(slug.as_str(), RESERVED, update.slug_rule)?;
                if operation.tx.get(&keys::project(organization, slug.as_str()))?.is_some() {
                    return Err(slug_taken());
                }
                operation.tx.delete(&keys::project(organization, &project.slug))?;
                slug.as_str().clone_into(&mut project.slug);
                let place = PlaceRecord { organization, project: project.id, path: project.slug.clone() };
                put(operation.tx, &keys::project_id(project.id), &place, Precondition::Present)?;
                changed.push("slug");
            }
            put(operation.tx, &keys::project(organization, &project.slug), &project, Precondition::Always)?;
            let resource = Resource::project(organization, project.id, &project.slug);
            operation.record(Action::Update, resource, Details::changed(&changed))?;
            Ok(project.into())
        })
    }
}
