use std::slice;

use super::super::diff::{differences, renamed};
use super::super::operation::OperationContext;
use super::super::place::Place;
use super::super::session::Session;
use super::super::use_case::UseCase;
use super::NewEntry;
use super::set::inherited_kind;
use crate::core::{Entry, Id, Kind, LevelPath, Timestamp};
use crate::{Error, ErrorKind, Result};

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
    /// above gives a kind, is of the kind `otherwise`. Where revisions are given, the level must have one of them.
    ///
    /// ```
    /// # fn main() -> ioenv::Result<()> {
    /// # use ioenv::vault::{Actor, NewOrganization, NewProject, RootKey, Vault};
    /// # use ioenv::{ErrorKind, SystemRandom, store::Memory};
    /// use ioenv::Kind;
    /// use ioenv::vault::{NewEntry, EntryScope};
    ///
    /// # let vault = Vault::open(Memory::new(), &RootKey::generate(&SystemRandom)?)?;
    /// # let session = vault.session(Actor::system("setup"));
    /// # let acme = session.create_organization(NewOrganization::new("Acme"))?.id;
    /// # session.create_project(acme, NewProject::new("store"))?;
    /// let (store, port) = ("store".parse()?, NewEntry::new("PORT".parse()?, "8080"));
    /// let seen = session.entries(acme, &store, EntryScope::Own)?.revision;
    /// let set = session.set_entry(acme, &store, &port, Kind::Variable, Some(&[seen]))?;
    /// assert_eq!(set.kind, Kind::Variable);
    /// let late = session.set_entry(acme, &store, &port, Kind::Variable, Some(&[seen])).unwrap_err();
    /// assert_eq!(late.kind(), ErrorKind::Conflict);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// `NotFound`; `ClientManaged`; `Conflict`, when the level has none of the revisions; `InvalidValue`; `Limit`; `Denied`,
    /// also for a secret that is to be a variable with the same value, for whoever may not read it.
    pub fn set_entry(
        &self,
        organization: Id,
        path: &LevelPath,
        new: &NewEntry,
        otherwise: Kind,
        revisions: Option<&[u64]>,
    ) -> Result<SetEntry> {
        self.write(UseCase::SetEntry, |operation| {
            let change = operation.change(organization, path)?;
            operation.check_revision(&change.place, revisions)?;
            let old = &change.opened.document;
            let mut document = old.clone();
            let above = operation.documents_above(&change.place, old, slice::from_ref(new))?;
            new.apply(&mut document, |name| inherited_kind(&above, name).or(Some(otherwise)))?;
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

impl OperationContext<'_, '_> {
    /// Refuses a change of a level that has another revision than one of these.
    pub(super) fn check_revision(&mut self, place: &Place, revisions: Option<&[u64]>) -> Result<()> {
        match revisions {
            Some(revisions) if !revisions.contains(&self.revision(place)?) => Err(Error::new(
                ErrorKind::Conflict,
                "the level has changed meanwhile: read it again, and then change it",
            )),
            _ => Ok(()),
        }
    }
}
