use super::super::place::Reach;
use super::super::records::NodeKind;
use super::super::session::Session;
use super::super::use_case::UseCase;
use super::Target;
use crate::Result;
use crate::core::{Action, Details, Id, LevelPath, Resource};

impl Session<'_> {
    /// The target at a path.
    ///
    /// # Errors
    /// `NotFound`.
    pub fn target(&self, organization: Id, path: &LevelPath) -> Result<Target> {
        self.read(UseCase::ReadTarget, |operation| {
            let (place, node) = operation.node(organization, path, NodeKind::Target, Reach::OnTheWay)?;
            operation.record(Action::Read, Resource::of(&place)?, Details::default())?;
            Ok(node.into())
        })
    }
}
