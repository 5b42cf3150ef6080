use super::super::place::Reach;
use super::super::session::Session;
use super::super::use_case::UseCase;
use crate::Result;
use crate::core::{Id, LevelPath};

impl Session<'_> {
    /// The organization and the path of the project, target or environment of that id. What is found so is not
    /// recorded: it is the first half of another call.
    ///
    /// # Errors
    /// `NotFound`.
    pub fn locate(&self, id: Id) -> Result<(Id, LevelPath)> {
        self.read(UseCase::Locate, |call| {
            let (organization, path) = call.path_of(id)?;
            call.place(organization, &path, Reach::OnTheWay)?;
            Ok((organization, path))
        })
    }
}
