use super::super::Custody;
use super::super::call::Call;
use super::super::content::{Level, Opened};
use super::super::diff::differences;
use super::super::key_cache::client_managed;
use super::super::place::{Place, Reach};
use crate::Result;
use crate::core::{Document, Id, LevelPath, VarName};

/// A level that is being changed from the inside: what it was, and where it stands.
pub(in super::super) struct Change {
    pub(in super::super) place: Place,
    pub(in super::super) level: Option<Level>,
    pub(in super::super) opened: Opened,
}

impl Call<'_, '_> {
    /// Opens a level for a change of its document.
    pub(in super::super) fn change(&mut self, organization: Id, path: &LevelPath) -> Result<Change> {
        let place = self.place(organization, path, Reach::Inside)?;
        if place.project.custody == Custody::Client {
            return Err(client_managed());
        }
        let level = self.level(&place.project, place.id())?;
        let opened = self.opened(&place.project, level.as_ref())?;
        Ok(Change { place, level, opened })
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
        // A name that another entry took over is no longer the name of what it was.
        let old_name = |name: &VarName| {
            if let Some((from, _)) = renames.iter().find(|(_, to)| to == name) {
                return Some(from.clone());
            }
            (!renames.iter().any(|(from, _)| from == name)).then(|| name.clone())
        };
        let differences = differences(&old, document, old_name);
        self.record_differences(&place, &differences)?;
        for name in asked {
            if let Some(entry) = document.get(name.as_str())
                && !differences.iter().any(|difference| difference.name() == name)
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
