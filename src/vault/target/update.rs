use super::super::name::{check_description, check_name};
use super::super::place::{Reach, SlugRule};
use super::super::records::NodeKind;
use super::super::session::Session;
use super::super::use_case::UseCase;
use super::Target;
use crate::Result;
use crate::core::{Action, Details, Id, LevelPath, Resource, Slug};

/// What is to change about a target.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct TargetUpdate {
    /// Another name.
    pub name: Option<String>,
    /// Another slug. The paths of its environments change with it.
    pub slug: Option<Slug>,
    /// Another description; an empty one removes it.
    pub description: Option<String>,
}

impl Session<'_> {
    /// Changes a target.
    ///
    /// # Errors
    /// `NotFound`; `InvalidName`; `InvalidValue`; `Conflict`, when the slug is taken.
    pub fn update_target(&self, organization: Id, path: &LevelPath, update: &TargetUpdate) -> Result<Target> {
        self.write(UseCase::UpdateTarget, |operation| {
            let (place, mut node) = operation.node(organization, path, NodeKind::Target, Reach::Inside)?;
            let mut changed = Vec::new();
            if let Some(name) = &update.name {
                node.name = check_name(name)?;
                changed.push("name");
            }
            if let Some(description) = &update.description {
                node.description = check_description(Some(description))?;
                changed.push("description");
            }
            if let Some(slug) = &update.slug {
                slug.as_str().clone_into(&mut node.slug);
                changed.push("slug");
            }
            node.updated_at = operation.now;
            operation.change_node(&place, &node, SlugRule::Addressable)?;
            operation.record(Action::Update, Resource::of(&place)?, Details::changed(&changed))?;
            Ok(node.into())
        })
    }
}
