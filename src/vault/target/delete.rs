use super::super::place::Reach;
use super::super::records::NodeKind;
use super::super::session::Session;
use super::super::use_case::UseCase;
use crate::Result;
use crate::core::{Action, Details, Id, LevelPath, Resource};

impl Session<'_> {
    /// Deletes a target with its environments. They are not found from then on, its slug is free, and tokens that are
    /// bound to any of them do not work.
    ///
    /// If one of them holds or ever held secrets, or has an account, a webhook or an integration, the target can be
    /// restored for 30 days with [`restore_target`](Session::restore_target). Otherwise it is gone for good.
    ///
    /// # Errors
    /// `NotFound`.
    pub fn delete_target(&self, organization: Id, path: &LevelPath) -> Result<()> {
        self.write(UseCase::DeleteTarget, |operation| {
            let (place, node) = operation.node(organization, path, NodeKind::Target, Reach::Inside)?;
            let deletion = operation.delete_node(&place, &node)?;
            let details = Details::default().with("name", node.name.as_str()).with("deletion", deletion.as_str());
            operation.record(Action::Delete, Resource::of(&place)?, details)
        })
    }
}
