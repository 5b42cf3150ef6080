use super::super::place::Reach;
use super::super::records::NodeKind;
use super::super::session::Session;
use super::super::use_case::UseCase;
use crate::core::{Action, Details, Id, LevelPath, Resource};
use crate::{Error, ErrorKind, Result};

impl Session<'_> {
    /// Deletes an environment. It is not found from then on, its slug is free, and tokens that are bound to it do not
    /// work.
    ///
    /// If it holds or ever held secrets, or has an account, a webhook or an integration, it can be restored for 30 days
    /// with [`restore_environment`](Session::restore_environment). Otherwise it is gone for good.
    ///
    /// # Errors
    /// `NotFound`; `InvalidName`, for `_base`; `Unconfirmed`, for another one that is built in, unless `force` says so.
    pub fn delete_environment(&self, organization: Id, path: &LevelPath, force: bool) -> Result<()> {
        self.write(UseCase::DeleteEnvironment, |operation| {
            let place = operation.place(organization, path, Reach::Inside)?;
            if place.nodes.is_empty() && place.project.has_base {
                let message = "`_base` belongs to its project, and cannot be deleted without it";
                return Err(Error::new(ErrorKind::InvalidName, message));
            }
            let (place, node) = operation.node(organization, path, NodeKind::Environment, Reach::Inside)?;
            if node.is_builtin && !force {
                let message = "this environment is built in: delete it by force, if that is meant";
                return Err(Error::new(ErrorKind::Unconfirmed, message));
            }
            let deletion = operation.delete_node(&place, &node)?;
            let details = Details::default().with("name", node.name.as_str()).with("deletion", deletion.as_str());
            operation.record(Action::Delete, Resource::of(&place)?, details)
        })
    }
}
