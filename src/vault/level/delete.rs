use super::super::content::VersionAction;
use super::super::keys;
use super::super::place::Reach;
use super::super::session::Session;
use super::super::use_case::UseCase;
use crate::core::{Action, Details, Id, LevelPath, Resource, ResourceKind};
use crate::{Error, ErrorKind, Result};

impl Session<'_> {
    /// Removes what a level holds. It is kept as a version, so that it can be restored; a level that holds nothing is
    /// left as it is.
    ///
    /// # Errors
    /// `NotFound`.
    pub fn delete_level(&self, organization: Id, path: &LevelPath) -> Result<()> {
        self.write(UseCase::DeleteLevel, |operation| {
            let place = operation.place(organization, path, Reach::Inside)?;
            if let Some(level) = operation.level(&place.project, place.id())? {
                let number = operation.next_number(&place.project)?;
                operation.keep_version(&place.project, &level.content, VersionAction::Delete, Some(number))?;
                operation.forget_changes(&place.project, place.id(), number)?;
                operation.content_changed(&place.project, place.id())?;
            }
            operation.tx.delete(&keys::level(place.project.id, place.id()))?;
            operation.tx.delete(&keys::access(place.project.id, place.id()))?;
            let resource = Resource::of(&place)?.kind(ResourceKind::Level);
            operation.record(Action::Delete, resource, Details::default().with("op", "delete"))
        })
    }

    /// Removes what a level holds and all its versions, for good.
    ///
    /// # Errors
    /// `NotFound`; `Unconfirmed`, unless `confirmed`.
    pub fn purge_level(&self, organization: Id, path: &LevelPath, confirmed: bool) -> Result<()> {
        self.write(UseCase::PurgeLevel, |operation| {
            let place = operation.place(organization, path, Reach::Inside)?;
            if !confirmed {
                return Err(unconfirmed());
            }
            let count = operation.remove_versions(place.project.id, &keys::versions(place.project.id, place.id()))?;
            if operation.level(&place.project, place.id())?.is_some() {
                let number = operation.next_number(&place.project)?;
                operation.forget_changes(&place.project, place.id(), number)?;
                operation.content_changed(&place.project, place.id())?;
            }
            operation.remove_level(place.project.id, place.id())?;
            let details = Details::default().with("op", "purge").with("versions", count);
            operation.record(Action::Delete, Resource::of(&place)?.kind(ResourceKind::Level), details)
        })
    }
}

#[cold]
pub(in super::super) fn unconfirmed() -> Error {
    Error::new(ErrorKind::Unconfirmed, "this cannot be undone: confirm it, if that is meant")
}
