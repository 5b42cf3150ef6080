use super::super::place::Reach;
use super::super::session::Session;
use super::super::use_case::UseCase;
use crate::Result;
use crate::core::{Id, LevelPath, PermissionSet};

impl Session<'_> {
    /// What the actor may do at a place. It is not recorded, because it changes nothing and tells no value.
    ///
    /// # Errors
    /// `NotFound`.
    pub fn own_rights(&self, organization: Id, path: &LevelPath) -> Result<PermissionSet> {
        self.read(UseCase::ReadOwnRights, |call| {
            call.place(organization, path, Reach::OnTheWay)?;
            Ok(call.rights)
        })
    }
}
