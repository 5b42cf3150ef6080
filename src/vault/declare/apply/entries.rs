use super::hierarchy::Spot;
use crate::core::document::Kind;
use crate::core::secret::SecretString;
use crate::error::Result;
use crate::vault::declare::StepKind;
use crate::vault::declare::apply::{Apply, Owner, at};
use crate::vault::declare::model::Entry;
use crate::vault::entry::{EntryUpdate, NewEntry};
use crate::vault::place::At;

impl Apply<'_, '_> {
    pub(super) fn entries(&mut self, owner: &Owner<'_>, spot: &Spot, entries: &[Entry]) -> Result<()> {
        let Some(first) = entries.first() else {
            return Ok(());
        };
        at(first.at, self.write(owner, spot, entries))
    }

    fn write(&mut self, owner: &Owner<'_>, spot: &Spot, entries: &[Entry]) -> Result<()> {
        let updates: Vec<EntryUpdate> = entries.iter().map(update).collect();
        let there = owner.id.zip(spot.there.as_ref());
        let (missing, different) = match there {
            Some((organization, path)) => {
                let compared = self.session.compare_entries(At::Path(organization, path), &updates)?;
                (compared.missing, compared.different)
            }
            None => (entries.iter().map(|entry| entry.name.clone()).collect(), Vec::new()),
        };
        if let Some((organization, path)) = there.filter(|_| !self.is_plan) {
            let new: Vec<NewEntry> =
                entries.iter().filter(|entry| missing.contains(&entry.name)).map(new_entry).collect();
            if !new.is_empty() {
                self.session.set_entries(At::Path(organization, path), &new)?;
            }
            let updates: Vec<EntryUpdate> =
                updates.into_iter().filter(|update| different.contains(&update.name)).collect();
            if !updates.is_empty() {
                self.session.update_entries(At::Path(organization, path), &updates)?;
            }
        }
        for entry in entries {
            let kind = if entry.kind == Kind::Variable { StepKind::Variable } else { StepKind::Secret };
            let mut step = owner.step(kind, entry.name.as_str()).at(&spot.declared);
            if missing.contains(&entry.name) {
                step = step.created();
                if entry.value.is_none() {
                    step.fields.push("value");
                }
            } else if different.contains(&entry.name) {
                step = step.changed(vec!["entry"]);
            }
            self.tell(step)?;
        }
        Ok(())
    }
}

fn update(entry: &Entry) -> EntryUpdate {
    let mut update = EntryUpdate::new(entry.name.clone());
    update.kind = Some(entry.kind);
    update.value.clone_from(&entry.value);
    update.dollars.clone_from(&entry.dollars);
    update.comment = entry.comment.clone().into();
    update
}

/// An empty value stands for one that is not said, until somebody sets it.
fn new_entry(entry: &Entry) -> NewEntry {
    let value = entry.value.clone().unwrap_or_else(|| SecretString::from(""));
    let mut new = NewEntry::new(entry.name.clone(), value).kind(entry.kind);
    new.dollars.clone_from(&entry.dollars);
    new.comment = entry.comment.clone().into();
    new
}
