use crate::core::document::Document;
use crate::core::name::VarName;
use crate::error::{Error, ErrorKind, Result};
use crate::vault::entry::precondition::EntryPrecondition;
use crate::vault::place::At;
use crate::vault::session::Session;
use crate::vault::use_case::UseCase;

/// What became of entries that were to be deleted.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct DeletedEntries {
    /// Those that were there.
    pub deleted: Vec<VarName>,
    /// Those that were not. What is only inherited is not there.
    pub not_found: Vec<VarName>,
}

impl Session<'_> {
    /// Deletes entries of a level itself; what it inherits under their names shows again. A name that is given twice
    /// counts once.
    ///
    /// # Errors
    /// `NotFound`, without the level; `ClientManaged`; `InvalidValue`, for no name.
    pub fn delete_entries(&self, at: At<'_>, names: &[VarName]) -> Result<DeletedEntries> {
        self.write(UseCase::DeleteEntries, |operation| {
            let change = operation.change(at)?;
            if names.is_empty() {
                return Err(Error::new(ErrorKind::InvalidValue, "no entry is given"));
            }
            let mut document = change.opened.document.clone();
            let mut deleted = DeletedEntries { deleted: Vec::new(), not_found: Vec::new() };
            for name in names {
                if document.remove(name.as_str()) {
                    deleted.deleted.push(name.clone());
                } else if !deleted.deleted.contains(name) && !deleted.not_found.contains(name) {
                    deleted.not_found.push(name.clone());
                }
            }
            operation.finish_change(change, &document, &[], &[])?;
            Ok(deleted)
        })
    }

    /// Deletes all entries of a level itself, and tells how many there were.
    ///
    /// # Errors
    /// `NotFound`; `ClientManaged`.
    pub fn delete_all_entries(&self, at: At<'_>) -> Result<usize> {
        self.write(UseCase::DeleteAllEntries, |operation| {
            let change = operation.change(at)?;
            let count = change.opened.document.len();
            operation.finish_change(change, &Document::new(), &[], &[])?;
            Ok(count)
        })
    }
}

impl Session<'_> {
    /// Deletes one entry of a level itself, and tells whether it was there: what is only inherited is not.
    ///
    /// # Errors
    /// `NotFound`, without the level; `ClientManaged`; `Conflict`, when the precondition does not hold.
    pub fn delete_entry(&self, at: At<'_>, name: &VarName, precondition: &EntryPrecondition) -> Result<bool> {
        self.write(UseCase::DeleteEntry, |operation| {
            let change = operation.change(at)?;
            let document = &change.opened.document;
            // That it is not there is reported, even if it should be.
            if document.get(name.as_str()).is_some() || !precondition.requires_entry() {
                operation.check_precondition(&change.place, document, name, precondition)?;
            }
            let mut document = change.opened.document.clone();
            let was_there = document.remove(name.as_str());
            operation.finish_change(change, &document, &[], &[])?;
            Ok(was_there)
        })
    }
}
