use super::super::name::check_description;
use super::super::node::below;
use super::super::place::{Reach, SlugRule};
use super::super::records::NodeKind;
use super::super::session::Session;
use super::super::use_case::UseCase;
use super::Target;
use crate::Result;
use crate::core::{Action, Details, Id, LevelPath, Resource, Slug};

/// A target that is to be made.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct NewTarget {
    /// Its id; a new one, where none is given. Only trusted programs can give one.
    pub id: Option<Id>,
    /// Its name.
    pub name: String,
    /// Its slug; made of the name, where none is given.
    pub slug: Option<Slug>,
    /// What it is about.
    pub description: Option<String>,
}

impl NewTarget {
    /// A target of that name.
    pub fn new(name: impl Into<String>) -> Self {
        Self { id: None, name: name.into(), slug: None, description: None }
    }
}

impl Session<'_> {
    /// Makes a target in a project.
    ///
    /// # Errors
    /// `NotFound`, without the project; `InvalidName`; `InvalidValue`; `Conflict`, when the
    /// slug or the id is taken.
    pub fn create_target(&self, organization: Id, project: &Slug, new: &NewTarget) -> Result<Target> {
        self.write(UseCase::CreateTarget, |operation| {
            let mut place = operation.place(organization, &LevelPath::from(project), Reach::Inside)?;
            let mut node = operation.new_node(
                &place,
                NodeKind::Target,
                new.id,
                &new.name,
                new.slug.as_ref(),
                SlugRule::Addressable,
            )?;
            node.description = check_description(new.description.as_deref())?;
            operation.put_node(&place.project, &below(&place, &node.slug), &node)?;
            place.nodes.push(node.clone());
            operation.record(
                Action::Create,
                Resource::of(&place)?,
                Details::default().with("name", node.name.as_str()),
            )?;
            Ok(node.into())
        })
    }
}
