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
        self.read(UseCase::ReadOwnRights, |operation| {
            operation.place(organization, path, Reach::OnTheWay)?;
            Ok(operation.rights)
        })
    }

    /// Refuses what the actor may not do at a place, or in the organization where none is given, for the reason for which
    /// a call that takes these permissions would refuse it. So whoever serves requests can answer that before what is
    /// wrong with what was asked.
    ///
    /// # Errors
    /// `Denied`; `NotFound`.
    pub fn check_rights(&self, organization: Id, path: Option<&LevelPath>, needed: PermissionSet) -> Result<()> {
        self.read(UseCase::ReadOwnRights, |operation| {
            operation.allow(needed)?;
            operation.needed = needed;
            match path {
                Some(path) => operation.place(organization, path, Reach::Inside).map(drop),
                None => {
                    operation.organization(organization)?;
                    operation.require()
                }
            }
        })
    }
}
