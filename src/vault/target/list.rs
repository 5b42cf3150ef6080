use super::super::place::Reach;
use super::super::records::NodeKind;
use super::super::session::Session;
use super::super::use_case::UseCase;
use super::Target;
use crate::Result;
use crate::core::{Action, Details, Id, LevelPath, Resource, Slug};

impl Session<'_> {
    /// The targets of a project that the actor may know of, ascending by slug.
    ///
    /// # Errors
    /// `NotFound`, without the project.
    pub fn targets(&self, organization: Id, project: &Slug) -> Result<Vec<Target>> {
        self.read(UseCase::ListTargets, |operation| {
            let place = operation.place(organization, &LevelPath::from(project), Reach::OnTheWay)?;
            let nodes = operation.list_nodes(&place, NodeKind::Target)?;
            let details = Details::read("list", nodes.iter().map(|node| node.slug.as_str()));
            operation.record(Action::Read, Resource::of(&place)?, details)?;
            Ok(nodes.into_iter().map(Target::from).collect())
        })
    }
}
