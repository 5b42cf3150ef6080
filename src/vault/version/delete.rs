use super::super::keys;
use super::super::session::Session;
use super::super::use_case::UseCase;
use crate::core::{Action, Details, Id, Resource, ResourceKind};
use crate::store::Order;
use crate::{Error, ErrorKind, Result};

impl Session<'_> {
    /// Removes a former content, for good.
    ///
    /// # Errors
    /// `NotFound`; `VersionProtected`, for the newest one of a deleted level, which is what that would be restored from,
    /// unless `force` says so.
    pub fn delete_version(&self, organization: Id, id: u64, force: bool) -> Result<()> {
        self.write(UseCase::DeleteVersion, |operation| {
            let found = operation.version(organization, id)?;
            let (project, node) = (found.place.project.id, found.place.id());
            let number = found.version.number;
            if !force && operation.level(&found.place.project, node)?.is_none() {
                let newest = operation.tx.scan(&keys::versions(project, node), Order::Descending, 1)?;
                if newest.first().is_some_and(|newest| newest.key == keys::version(project, node, number)) {
                    let message = "the level was deleted, and can only be restored from this version: remove it by force, if that is meant";
                    return Err(Error::new(ErrorKind::VersionProtected, message));
                }
            }
            operation.tx.delete(&keys::version(project, node, number))?;
            operation.tx.delete(&keys::content(project, number))?;
            let details = Details::default().with("op", "version").with("version", id);
            operation.record(Action::Delete, Resource::of(&found.place)?.kind(ResourceKind::Version), details)
        })
    }
}
