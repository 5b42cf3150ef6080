use std::slice;

use crate::core::clock::Timestamp;
use crate::core::custody::Custody;
use crate::core::document::{Document, Entry, Kind};
use crate::core::id::LevelId;
use crate::core::name::VarName;
use crate::error::Result;
use crate::vault::diff::{differences, renamed};
use crate::vault::entry::precondition::EntryPrecondition;
use crate::vault::entry::{NewEntry, check_names};
use crate::vault::operation::OperationContext;
use crate::vault::place::At;
use crate::vault::place::Place;
use crate::vault::session::Session;
use crate::vault::use_case::UseCase;

/// What became of entries that were to be set.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SetEntries {
    /// Those that are new.
    pub created: Vec<VarName>,
    /// Those that were there; their value, kind and comment may be as before.
    pub updated: Vec<VarName>,
}

impl Session<'_> {
    /// Sets entries: those that are there in their place, new ones behind them.
    ///
    /// # Errors
    /// `NotFound`; `ClientManaged`; `InvalidValue`, for no entry; `InvalidName`, for a name that is given twice; `Denied`,
    /// also for a secret that is to be a variable, if the caller may not read and decrypt it.
    pub fn set_entries(&self, at: At<'_>, new: &[NewEntry]) -> Result<SetEntries> {
        self.write(UseCase::SetEntries, |operation| {
            let change = operation.change(at)?;
            check_names(new.iter().map(|entry| &entry.name))?;
            let mut document = change.opened.document.clone();
            let mut set = SetEntries { created: Vec::new(), updated: Vec::new() };
            let above = operation.documents_above(&change.place, &document, new)?;
            for entry in new {
                let is_there = document.get(entry.name.as_str()).is_some();
                entry.apply(&mut document, &above, None)?;
                if is_there { &mut set.updated } else { &mut set.created }.push(entry.name.clone());
            }
            operation.finish_change(change, &document, &[], &set.updated)?;
            Ok(set)
        })
    }
}

impl OperationContext<'_, '_> {
    /// What the levels above say, the nearest first; nothing, if no entry is new and inherits from there. They are
    /// opened once, however many entries there are: others wait to write meanwhile.
    pub(super) fn documents_above(
        &mut self,
        place: &Place,
        document: &Document,
        new: &[NewEntry],
    ) -> Result<Vec<Document>> {
        debug_assert_eq!(place.project.custody, Custody::Server);
        let mut documents = Vec::new();
        if new.iter().all(|entry| !entry.inherits() || document.get(entry.name.as_str()).is_some()) {
            return Ok(documents);
        }
        let above = [place.project.id.into()].into_iter().chain(place.nodes.iter().map(|node| node.id));
        let above: Vec<LevelId> = above.take(place.nodes.len()).collect();
        for id in above.into_iter().rev() {
            if let Some(level) = self.level(&place.project, id)? {
                documents.extend(self.understood(&place.project, &level.content)?);
            }
        }
        Ok(documents)
    }
}

/// What is known of an entry to whoever has just set it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SetEntry {
    /// Whether its value may be shown.
    pub kind: Kind,
    /// When it was changed last: before, if it was set to what it was.
    pub updated_at: Timestamp,
}

impl Session<'_> {
    /// Sets one entry, where it stands or behind the others. One that is new, and to which neither the request nor a level
    /// above gives a kind, is of the kind `otherwise`.
    ///
    /// ```
    /// # fn main() -> ioenv::Result<()> {
    /// # use ioenv::vault::{Actor, At, NewOrganization, NewProject, RootKey, Vault};
    /// # use ioenv::{ErrorKind, SystemRandom, store::Memory};
    /// use ioenv::Kind;
    /// use ioenv::vault::{EntryPrecondition, EntryScope, NewEntry};
    ///
    /// # let vault = Vault::create(Memory::new(), &RootKey::generate(&SystemRandom)?)?;
    /// # let session = vault.session(Actor::system("setup"));
    /// # let acme = session.create_organization(&NewOrganization::new("Acme"))?.id;
    /// # session.create_project(acme, &NewProject::new("store"))?;
    /// let (store, port) = ("store".parse()?, NewEntry::new("PORT".parse()?, "8080"));
    /// let seen = session.entries(At::Path(acme, &store), EntryScope::Own)?.revision;
    /// let unchanged = EntryPrecondition::new().revisions([seen]);
    /// let set = session.set_entry(At::Path(acme, &store), &port, Kind::Variable, &unchanged)?;
    /// assert_eq!(set.kind, Kind::Variable);
    /// let late = session.set_entry(At::Path(acme, &store), &port, Kind::Variable, &unchanged).unwrap_err();
    /// assert_eq!(late.kind(), ErrorKind::Conflict);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// `NotFound`; `ClientManaged`; `Conflict`, when the precondition does not hold; `InvalidValue`; `Limit`; `Denied`,
    /// also for a secret that is to be a variable, if the caller may not read and decrypt it.
    pub fn set_entry(
        &self,
        at: At<'_>,
        new: &NewEntry,
        otherwise: Kind,
        precondition: &EntryPrecondition,
    ) -> Result<SetEntry> {
        self.write(UseCase::SetEntry, |operation| {
            let change = operation.change(at)?;
            let old = &change.opened.document;
            operation.check_precondition(&change.place, old, &new.name, precondition)?;
            let mut document = old.clone();
            let above = operation.documents_above(&change.place, old, slice::from_ref(new))?;
            new.apply(&mut document, &above, Some(otherwise))?;
            let kind = document.get(new.name.as_str()).map_or(otherwise, Entry::kind);
            let updated_at = if differences(old, &document, renamed(&[])).is_empty() {
                let known = change.opened.entries.get(&new.name).map(|record| record.updated_at);
                // A blob that was stored as it is may say nothing of its entries.
                let written = change.level.as_ref().map(|level| level.content.written_at);
                known.or(written).unwrap_or(operation.now)
            } else {
                operation.now
            };
            operation.finish_change(change, &document, &[], slice::from_ref(&new.name))?;
            Ok(SetEntry { kind, updated_at })
        })
    }
}
