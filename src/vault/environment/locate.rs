use super::super::operation::no_such;
use super::super::place::Reach;
use super::super::records::NodeKind;
use super::super::session::Session;
use super::super::use_case::UseCase;
use crate::core::{Id, LevelPath};
use crate::{Error, ErrorKind, Result};

/// Says in the same words of what is not there and of what the actor may not know of that there is no such environment.
pub(super) fn or_no_environment(error: Error) -> Error {
    if error.kind() == ErrorKind::NotFound { no_such("environment") } else { error }
}

impl Session<'_> {
    /// The organization and the path of the project, target or environment of that id. What is found so is not
    /// recorded: it is the first half of another call.
    ///
    /// # Errors
    /// `NotFound`.
    pub fn locate(&self, id: Id) -> Result<(Id, LevelPath)> {
        self.read(UseCase::Locate, |operation| {
            let (organization, path) = operation.path_of(id)?;
            match operation.place(organization, &path, Reach::OnTheWay) {
                Ok(_) => Ok((organization, path)),
                // In the same words as for an id that does not exist.
                Err(error) if error.kind() == ErrorKind::NotFound => Err(no_such("level")),
                Err(error) => Err(error),
            }
        })
    }

    /// The organization and the path of the environment of that id; the id of a project that has a `_base` is that of its
    /// `_base`, too. Targets and other projects are no environments.
    ///
    /// # Errors
    /// `NotFound`.
    pub fn locate_environment(&self, id: Id) -> Result<(Id, LevelPath)> {
        self.read(UseCase::Locate, |operation| {
            let found = operation.path_of(id).and_then(|(organization, path)| {
                let place = operation.place(organization, &path, Reach::OnTheWay)?;
                let is_environment =
                    place.nodes.last().map_or(place.project.has_base, |node| node.kind == NodeKind::Environment);
                if is_environment { Ok((organization, path)) } else { Err(no_such("environment")) }
            });
            // In the same words for all that is none.
            found.map_err(or_no_environment)
        })
    }
}
