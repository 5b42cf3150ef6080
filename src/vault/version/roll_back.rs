use crate::core::audit::{Action, Details, Resource, ResourceKind};
use crate::core::document::Document;
use crate::core::permission::Permission;
use crate::error::Result;
use crate::vault::diff::{Difference, differences, renamed};
use crate::vault::operation::{OperationContext, no_such};
use crate::vault::place::At;
use crate::vault::session::Session;
use crate::vault::use_case::UseCase;
use crate::vault::version::restore::Returning;
use crate::vault::version::version_id;

impl Session<'_> {
    /// Brings a level back to what it held after a change, and tells the id of this, which is a change in turn; nothing,
    /// if that is what the level holds, and nothing is stored or recorded then. So a level can be rolled back to any state
    /// and forth again. Entries that come back are the ones they were, but a variable that is a secret now, or was one
    /// since, comes back as a secret, unless the caller may read and decrypt secrets there.
    ///
    /// Where entries are there now that were not there then, this takes the permission to delete them, too. The state
    /// before the first change is what [`delete_all_entries`](Self::delete_all_entries) leaves.
    ///
    /// # Errors
    /// `NotFound`; `ClientManaged`; `VersionLocked`, when the state is too old to be opened; `Denied`, also without
    /// `secret:delete` where that is needed.
    pub fn roll_back(&self, at: At<'_>, change: u64) -> Result<Option<u64>> {
        self.write(UseCase::RollBack, |operation| {
            let place = operation.changing_place(at)?;
            let owner = operation.owner(&place)?;
            let state = operation.state(&owner, &place, change)?.ok_or_else(|| no_such("change"))?;
            let project = &place.project;
            let level = operation.level(project, place.id())?;
            let (blob, document) = match &state.content {
                Some(content) => {
                    let Returning { blob, document } = operation.returning(&place, content)?;
                    (blob, document)
                }
                None => (operation.seal_document(project, &Document::new())?, Some(Document::new())),
            };
            let is_there = match &level {
                Some(level) => operation.understood(project, &level.content)?,
                None => Some(Document::new()),
            };
            // Of a blob that is no document, only that it is the very same one can be told.
            let is_same = level.as_ref().is_some_and(|level| level.content.number == state.number)
                || document.as_ref().zip(is_there.as_ref()).is_some_and(|(was, now)| is_same_text(was, now));
            if is_same {
                return Ok(None);
            }
            if is_there.is_none() {
                // Whatever there is in such a blob goes.
                operation.allow(Permission::SecretDelete.into())?;
            }
            let now = operation.opened_or_empty(project, level.as_ref())?;
            let mut was = operation.open_state(&place, Some(&state))?;
            // With the kinds that its entries may have by now.
            was.document = document.clone().unwrap_or_default();
            let renames = was.entries.renames_since(&now.entries);
            let differences = differences(&now.document, &was.document, renamed(&renames));
            operation.check_removal(&differences)?;
            let known = document.as_ref().map(|document| (document, was.entries.clone().returning(&now.entries)));
            let number = operation.put_back(&place, level, &blob, known, &differences)?;
            let id = version_id(project, number);
            let details = Details::default().with("op", "rollback").with("change", change).with("result", id);
            operation.record(Action::Update, Resource::of(&place)?.kind(ResourceKind::Level), details)?;
            Ok(Some(id))
        })
    }
}

fn is_same_text(a: &Document, b: &Document) -> bool {
    a.to_text().expose_secret() == b.to_text().expose_secret()
}

impl OperationContext<'_, '_> {
    /// Refuses an actor that may not delete entries to do so by rolling back.
    pub(super) fn check_removal(&self, differences: &[Difference<'_>]) -> Result<()> {
        if differences.iter().any(|difference| difference.new.is_none()) {
            return self.allow(Permission::SecretDelete.into());
        }
        Ok(())
    }
}
