use super::super::name::{check_description, check_name};
use super::super::place::{Reach, SlugRule};
use super::super::records::NodeKind;
use super::super::session::Session;
use super::super::use_case::UseCase;
use super::create::check_status;
use super::{Environment, PRODUCTION};
use crate::core::{Action, Details, Id, LevelPath, Resource, Slug};
use crate::{Error, ErrorKind, Result};

/// What is to change about an environment.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct EnvironmentUpdate {
    /// Another name.
    pub name: Option<String>,
    /// Another slug; its path changes with it.
    pub slug: Option<Slug>,
    /// Which slugs it may have.
    pub slug_rule: SlugRule,
    /// Another description; an empty one removes it.
    pub description: Option<String>,
    /// Another status.
    pub status: Option<String>,
    /// Whether it holds what live systems use. A new status `production` says so, too.
    pub is_production: Option<bool>,
}

impl Session<'_> {
    /// Changes an environment.
    ///
    /// # Errors
    /// `NotFound`; `InvalidName`, also for another name of one that is built in; `InvalidValue`; `Conflict`, when the
    /// slug is taken.
    pub fn update_environment(
        &self,
        organization: Id,
        path: &LevelPath,
        update: &EnvironmentUpdate,
    ) -> Result<Environment> {
        self.write(UseCase::UpdateEnvironment, |operation| {
            let place = operation.place(organization, path, Reach::Inside)?;
            let is_base = place.nodes.is_empty() && place.project.has_base;
            if is_base || place.nodes.last().is_some_and(|node| node.is_builtin) && is_renaming(update) {
                let message = "this environment is built in: it keeps its name, and `_base` all that it is";
                return Err(Error::new(ErrorKind::InvalidName, message));
            }
            let (place, mut node) = operation.node(organization, path, NodeKind::Environment, Reach::Inside)?;
            let mut changed = Vec::new();
            if let Some(name) = &update.name {
                node.name = check_name(name)?;
                changed.push("name");
            }
            if let Some(slug) = &update.slug {
                slug.as_str().clone_into(&mut node.slug);
                changed.push("slug");
            }
            if let Some(description) = &update.description {
                node.description = check_description(Some(description))?;
                changed.push("description");
            }
            if let Some(status) = &update.status {
                let status = check_status(status)?;
                node.is_production = node.is_production || status == PRODUCTION;
                node.status = Some(status);
                changed.push("status");
            }
            if let Some(is_production) = update.is_production {
                node.is_production = is_production;
                changed.push("isProduction");
            }
            node.updated_at = operation.now;
            operation.change_node(&place, &node, update.slug_rule)?;
            operation.record(Action::Update, Resource::of(&place)?, Details::changed(&changed))?;
            Ok(node.into())
        })
    }
}

fn is_renaming(update: &EnvironmentUpdate) -> bool {
    update.name.is_some() || update.slug.is_some()
}
