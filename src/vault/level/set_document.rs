use super::super::session::Session;
use super::super::use_case::UseCase;
use crate::Result;
use crate::core::{Document, Id, LevelPath};

impl Session<'_> {
    /// Puts a document in the place of what a level says. Entries that are as before keep what is known of them.
    ///
    /// # Errors
    /// `NotFound`; `ClientManaged`; `Limit`, beyond 1 MiB of base64 text.
    pub fn set_document(&self, organization: Id, path: &LevelPath, document: &Document) -> Result<()> {
        self.write(UseCase::SetDocument, |operation| {
            let change = operation.replace(organization, path)?;
            operation.finish_replace(change, document)
        })
    }
}
