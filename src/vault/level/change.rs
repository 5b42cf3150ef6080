use std::collections::BTreeSet;

use super::super::Custody;
use super::super::content::{Level, Opened};
use super::super::diff::{Difference, differences, renamed};
use super::super::key_cache::client_managed;
use super::super::keys;
use super::super::operation::OperationContext;
use super::super::place::{Place, Reach};
use super::super::rights::READING;
use crate::Result;
use crate::core::{Action, Details, Document, Id, Kind, LevelPath, Resource, ResourceKind, VarName};

/// A level that is being changed from the inside: what it was, and where it stands.
pub(in super::super) struct Change {
    pub(in super::super) place: Place,
    pub(in super::super) level: Option<Level>,
    pub(in super::super) opened: Opened,
}

impl OperationContext<'_, '_> {
    /// Opens a level for a change of its document.
    pub(in super::super) fn change(&mut self, organization: Id, path: &LevelPath) -> Result<Change> {
        let (place, level) = self.changeable(organization, path)?;
        let opened = self.opened(&place.project, level.as_ref())?;
        Ok(Change { place, level, opened })
    }

    /// Opens a level for another document, whatever it holds: a blob that is no document counts as an empty one.
    pub(in super::super) fn replace(&mut self, organization: Id, path: &LevelPath) -> Result<Change> {
        let (place, level) = self.changeable(organization, path)?;
        let opened = self.opened_or_empty(&place.project, level.as_ref())?;
        Ok(Change { place, level, opened })
    }

    fn changeable(&mut self, organization: Id, path: &LevelPath) -> Result<(Place, Option<Level>)> {
        let place = self.place(organization, path, Reach::Inside)?;
        if place.project.custody == Custody::Client {
            return Err(client_managed());
        }
        self.tx.prefetch(&[keys::level(place.project.id, place.id()), keys::counter(place.project.id)])?;
        let level = self.level(&place.project, place.id())?;
        Ok((place, level))
    }

    /// Writes the document if its text is another one, and records each entry that changed, or else what did.
    pub(in super::super) fn finish_replace(&mut self, change: Change, document: &Document) -> Result<()> {
        let old = &change.opened.document;
        if !differences(old, document, renamed(&[])).is_empty() {
            return self.finish_change(change, document, &[], &[]);
        }
        // The order, or what stands between the entries; a blob that is no document has no text.
        let is_understood = change.level.as_ref().is_none_or(|level| level.content.entries.is_some());
        let is_other = !is_understood || old.to_text().expose_secret() != document.to_text().expose_secret();
        let details = Details::changed(if is_other { &["text"] } else { &[] });
        self.record(Action::Update, Resource::of(&change.place)?.kind(ResourceKind::Level), details)?;
        if is_other {
            let Change { place, level, opened } = change;
            self.write_document(&place, level, document, opened.entries, &[])?;
        }
        Ok(())
    }

    /// Writes the document if it is another one, and records each entry that is. `asked` are names that were to be set:
    /// those that are as before are recorded, too, as changed in nothing.
    pub(in super::super) fn finish_change(
        &mut self,
        change: Change,
        document: &Document,
        renames: &[(VarName, VarName)],
        asked: &[VarName],
    ) -> Result<()> {
        let Change { place, level, opened: Opened { document: old, entries } } = change;
        let differences = differences(&old, document, renamed(renames));
        if differences.iter().any(is_disclosure) {
            self.allow(READING)?;
        }
        self.record_differences(&place, &differences)?;
        let different: BTreeSet<&VarName> = differences.iter().map(Difference::name).collect();
        for name in asked {
            if let Some(entry) = document.get(name.as_str())
                && !different.contains(name)
            {
                self.record_unchanged(&place, entry)?;
            }
        }
        if differences.is_empty() {
            return Ok(());
        }
        self.write_document(&place, level, document, entries, &differences)
    }
}

/// Whether a secret becomes a variable, the values of which are recorded, with the value it has.
fn is_disclosure(difference: &Difference<'_>) -> bool {
    matches!((difference.old, difference.new), (Some(old), Some(new))
        if (old.kind(), new.kind()) == (Kind::Secret, Kind::Variable)
            && old.value().expose_secret() == new.value().expose_secret())
}
