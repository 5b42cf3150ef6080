use super::super::session::Session;
use super::super::use_case::UseCase;
use crate::Result;
use crate::core::{Id, LevelPath, VarName};

impl Session<'_> {
    /// Deletes one entry of a level itself, and tells whether it was there: what is only inherited is not. Where revisions
    /// are given, the level must have one of them.
    ///
    /// # Errors
    /// `NotFound`, without the level; `ClientManaged`; `Conflict`, when the level has none of the revisions.
    pub fn delete_entry(
        &self,
        organization: Id,
        path: &LevelPath,
        name: &VarName,
        revisions: Option<&[u64]>,
    ) -> Result<bool> {
        self.write(UseCase::DeleteEntry, |operation| {
            let change = operation.change(organization, path)?;
            operation.check_revision(&change.place, revisions)?;
            let mut document = change.opened.document.clone();
            let was_there = document.remove(name.as_str());
            operation.finish_change(change, &document, &[], &[])?;
            Ok(was_there)
        })
    }
}
