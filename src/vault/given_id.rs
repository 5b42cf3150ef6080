//! Ids that a trusted program chose.

use super::job_kind::JobKind;
use super::keys;
use super::operation::OperationContext;
use super::records::put;
use crate::core::id::Id;
use crate::core::id::LevelId;
use crate::core::id::ProjectId;
use crate::error::{Error, ErrorKind, Result};
use crate::store::Precondition;

impl OperationContext<'_, '_> {
    /// The id of something that is made: a new one, or the one that was given, which only trusted programs may.
    pub(super) fn given_id<T: From<Id>>(&self, id: Option<T>) -> Result<T> {
        match id {
            None => self.new_id().map(T::from),
            Some(id) => self.system_only().map(|()| id),
        }
    }

    /// The same for a project, a target or an environment. Their ids are in one space, because a level has that of where
    /// it stands; and what was deleted keeps its id with all that lies under it.
    pub(super) fn given_place_id(&mut self, given: Option<LevelId>) -> Result<LevelId> {
        let id = self.given_id(given)?;
        if given.is_some() {
            for key in [keys::project_id(Id::from(id).into()), keys::node_id(id), keys::deleted_id(id)] {
                if self.tx.get(&key)?.is_some() {
                    return Err(id_taken());
                }
            }
        }
        Ok(id)
    }

    /// The id of something that jobs run for, which is unique among all of its kind: a job knows no more of it than the id.
    pub(super) fn given_subject_id<T>(&mut self, given: Option<T>, kind: JobKind, project: ProjectId) -> Result<T>
    where
        T: From<Id> + Into<Id> + Copy,
    {
        let id = self.given_id(given)?;
        let key = keys::subject(kind, id.into());
        if self.tx.get(&key)?.is_some() {
            return Err(id_taken());
        }
        put(self.tx, &key, &project, Precondition::Absent)?;
        Ok(id)
    }
}

#[cold]
pub(super) fn id_taken() -> Error {
    Error::new(ErrorKind::Conflict, "the id is taken: give another one, or none")
}
