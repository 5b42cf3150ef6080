//! Ids that a trusted program chose.

use std::fmt::Display;

use super::deleted::is_of_deleted;
use super::keys;
use super::operation::OperationContext;
use crate::core::Id;
use crate::core::LevelId;
use crate::error::{Error, ErrorKind, Result};
use crate::store::{KeyRange, Order};

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
            for key in [keys::project_id(Id::from(id).into()), keys::node_id(id)] {
                if self.tx.get(&key)?.is_some() {
                    return Err(id_taken());
                }
            }
            if is_of_deleted(self.tx, id)? {
                return Err(id_taken());
            }
        }
        Ok(id)
    }

    /// The same for something of a project that jobs are done for, among all of its kind: a job knows no more of it than
    /// the id, which is the last part of its key.
    pub(super) fn given_subject_id<T>(&mut self, given: Option<T>, all: &KeyRange) -> Result<T>
    where
        T: From<Id> + Display + Copy,
    {
        let id = self.given_id(given)?;
        if given.is_some() {
            let end = format!("/{id}");
            if self.tx.scan(all, Order::Ascending, usize::MAX)?.iter().any(|there| there.key.ends_with(&end)) {
                return Err(id_taken());
            }
        }
        Ok(id)
    }
}

#[cold]
pub(super) fn id_taken() -> Error {
    Error::new(ErrorKind::Conflict, "the id is taken: give another one, or none")
}
