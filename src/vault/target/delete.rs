use super::super::place::Reach;
use super::super::records::NodeKind;
use super::super::session::Session;
use super::super::use_case::UseCase;
use crate::Result;
use crate::core::{Action, Details, Id, LevelPath, Resource};

impl Session<'_> {
    /// Removes a target with its environments and their versions, for good. Tokens bound to them no longer work.
    ///
    /// # Errors
    /// `NotFound`.
    pub fn delete_target(&self, organization: Id, path: &LevelPath) -> Result<()> {
        self.write(UseCase::DeleteTarget, |call| {
            let (place, node) = call.node(organization, path, NodeKind::Target, Reach::Inside)?;
            call.remove_node(&place)?;
            call.record(Action::Delete, Resource::of(&place)?, Details::default().with("name", node.name.as_str()))
        })
    }
}
