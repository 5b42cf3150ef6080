use super::super::place::Reach;
use super::super::records::NodeKind;
use super::super::session::Session;
use super::super::use_case::UseCase;
use super::Environment;
use crate::Result;
use crate::core::{Action, Details, Id, LevelPath, Resource, ResourceKind};

impl Session<'_> {
    /// The environments right below a project or a target that the actor may know of: `_base`, where there is one, then
    /// the others that are built in, then the rest ascending by slug.
    ///
    /// # Errors
    /// `NotFound`, without the parent.
    pub fn environments(&self, organization: Id, parent: &LevelPath) -> Result<Vec<Environment>> {
        self.read(UseCase::ListEnvironments, |operation| {
            let place = operation.place(organization, parent, Reach::OnTheWay)?;
            let nodes = operation.list_nodes(&place, NodeKind::Environment)?;
            let mut environments = Vec::new();
            if place.nodes.is_empty() && place.project.has_base && operation.may(&place)? {
                environments.push(Environment::base(&place));
            }
            environments.extend(nodes.into_iter().map(Environment::from));
            // Ids are in the order of creation, which for those that are built in is the order to show them in.
            environments
                .sort_by_key(|environment| (!environment.is_builtin, environment.is_builtin.then_some(environment.id)));
            let details = Details::read("list", environments.iter().map(|environment| environment.slug.as_str()));
            operation.record(Action::Read, Resource::of(&place)?.kind(ResourceKind::Environment), details)?;
            Ok(environments)
        })
    }
}
