use super::super::call::no_such;
use super::super::place::Reach;
use super::super::session::Session;
use super::super::use_case::UseCase;
use crate::core::{Id, LevelPath};
use crate::{ErrorKind, Result};

impl Session<'_> {
    /// The organization and the path of the project, target or environment of that id. What is found so is not
    /// recorded: it is the first half of another call.
    ///
    /// # Errors
    /// `NotFound`.
    pub fn locate(&self, id: Id) -> Result<(Id, LevelPath)> {
        self.read(UseCase::Locate, |call| {
            let (organization, path) = call.path_of(id)?;
            match call.place(organization, &path, Reach::OnTheWay) {
                Ok(_) => Ok((organization, path)),
                // In the same words as for an id that does not exist.
                Err(error) if error.kind() == ErrorKind::NotFound => Err(no_such("level")),
                Err(error) => Err(error),
            }
        })
    }
}
