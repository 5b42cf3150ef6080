use crate::core::name::VarName;
use crate::error::Result;
use crate::vault::entry::{NewEntry, check_names};
use crate::vault::level::Change;
use crate::vault::operation::OperationContext;
use crate::vault::place::At;
use crate::vault::session::Session;
use crate::vault::use_case::UseCase;

/// What became of entries that were to be made.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct CreatedEntries {
    /// Those that are new.
    pub created: Vec<VarName>,
    /// Those that were there, and are as they were.
    pub existing: Vec<VarName>,
}

impl Session<'_> {
    /// Makes entries, behind those that are there. What is there already is left alone.
    ///
    /// # Errors
    /// `NotFound`; `ClientManaged`; `InvalidValue`, for no entry; `InvalidName`, for a name that is given twice.
    pub fn create_entries(&self, at: At<'_>, new: &[NewEntry]) -> Result<CreatedEntries> {
        self.write(UseCase::CreateEntries, |operation| {
            let change = operation.change(at)?;
            operation.create_entries(change, new)
        })
    }
}

impl OperationContext<'_, '_> {
    /// Makes entries in a level that was opened for it.
    pub(in crate::vault) fn create_entries(&mut self, change: Change, new: &[NewEntry]) -> Result<CreatedEntries> {
        check_names(new.iter().map(|entry| &entry.name))?;
        let (existing, wanted): (Vec<&NewEntry>, Vec<&NewEntry>) =
            new.iter().partition(|entry| change.opened.document.get(entry.name.as_str()).is_some());
        let mut document = change.opened.document.clone();
        let above = self.documents_above(&change.place, &document, new)?;
        for entry in &wanted {
            entry.apply(&mut document, &above, None)?;
        }
        self.finish_change(change, &document, &[], &[])?;
        let names = |entries: Vec<&NewEntry>| entries.into_iter().map(|entry| entry.name.clone()).collect();
        Ok(CreatedEntries { created: names(wanted), existing: names(existing) })
    }
}
