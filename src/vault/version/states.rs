//! The states a level has been in, and how one became the next.

use std::collections::BTreeMap;

use crate::core::audit::AuditActor;
use crate::core::clock::Timestamp;
use crate::core::custody::Custody;
use crate::core::document::Document;
use crate::core::name::VarName;
use crate::error::Result;
use crate::store::Order;
use crate::vault::content::Opened;
use crate::vault::diff::{Difference, differences};
use crate::vault::entries::Entries;
use crate::vault::envelope::client_managed;
use crate::vault::keys;
use crate::vault::operation::OperationContext;
use crate::vault::place::At;
use crate::vault::place::{Place, Reach};
use crate::vault::records::{ContentRecord, OrganizationRecord, VersionRecord, decode, get};
use crate::vault::version::{check_lock, is_locked, version_id};

/// What a level held since some change, or holds now.
pub(super) struct State {
    pub(super) number: u32,
    pub(super) at: Timestamp,
    pub(super) by: AuditActor,
    /// Nothing, after the level was deleted.
    pub(super) content: Option<ContentRecord>,
}

impl State {
    pub(super) fn of(content: ContentRecord) -> Self {
        Self { number: content.number, at: content.written_at, by: content.written_by.clone(), content: Some(content) }
    }

    fn emptied(version: &VersionRecord) -> Option<Self> {
        let number = version.emptied_by?;
        Some(Self { number, at: version.created_at, by: version.created_by.clone(), content: None })
    }
}

impl OperationContext<'_, '_> {
    /// A level whose changes the vault can tell.
    pub(super) fn changing_place(&mut self, at: At<'_>) -> Result<Place> {
        let place = self.place(at, Reach::Inside)?;
        if place.project.custody == Custody::Client {
            return Err(client_managed());
        }
        Ok(place)
    }

    /// The states of a level before the one of that number, newest first; more than `limit` of them, if there are. And
    /// whether there are others that are too old to be opened.
    pub(super) fn states(
        &mut self,
        owner: &OrganizationRecord,
        place: &Place,
        before: Option<u32>,
        limit: usize,
    ) -> Result<(Vec<State>, bool)> {
        let (project, node) = (place.project.id, place.id());
        let present = self.level(&place.project, node)?.map(|level| State::of(level.content));
        let mut states: Vec<State> = present.into_iter().collect();
        // What is emptied by a number stands before it.
        let mut range = keys::versions(project, node);
        if let Some(before) = before {
            range = range.before(&keys::version(project, node, before));
        }
        let mut is_cut = false;
        for record in self.tx.scan(&range, Order::Descending, limit + 1)? {
            let version: VersionRecord = decode(&record.value)?;
            if is_locked(owner, version.created_at, self.now) {
                is_cut = true;
                break;
            }
            states.extend(State::emptied(&version));
            states.push(State::of(self.content(project, node, version.number)?));
        }
        states.retain(|state| before.is_none_or(|before| state.number < before));
        Ok((states, is_cut))
    }

    /// The state of a level that a change of that id led to.
    pub(super) fn state(&mut self, owner: &OrganizationRecord, place: &Place, id: u64) -> Result<Option<State>> {
        let number = u32::try_from(id & u64::from(u32::MAX)).unwrap_or_default();
        if version_id(&place.project, number) != id {
            return Ok(None);
        }
        let (project, node) = (place.project.id, place.id());
        if let Some(level) = self.level(&place.project, node)?.filter(|level| level.content.number == number) {
            return Ok(Some(State::of(level.content)));
        }
        if let Some(version) = get::<VersionRecord>(self.tx, &keys::version(project, node, number))? {
            self.check_open(owner, &version)?;
            return Ok(Some(State::of(self.content(project, node, number)?)));
        }
        let former = self.version_before(place, number)?;
        Ok(former.and_then(|version| State::emptied(&version)).filter(|state| state.number == number))
    }

    /// The state before another one; none, for the first.
    pub(super) fn state_before(
        &mut self,
        owner: &OrganizationRecord,
        place: &Place,
        state: &State,
    ) -> Result<Option<State>> {
        let Some(version) = self.version_before(place, state.number)? else {
            return Ok(None);
        };
        self.check_open(owner, &version)?;
        match State::emptied(&version).filter(|emptied| emptied.number < state.number) {
            Some(emptied) => Ok(Some(emptied)),
            None => Ok(Some(State::of(self.content(place.project.id, place.id(), version.number)?))),
        }
    }

    fn version_before(&mut self, place: &Place, number: u32) -> Result<Option<VersionRecord>> {
        let (project, node) = (place.project.id, place.id());
        let range = keys::versions(project, node).before(&keys::version(project, node, number));
        self.tx.scan(&range, Order::Descending, 1)?.pop().map(|record| decode(&record.value)).transpose()
    }

    fn check_open(&self, owner: &OrganizationRecord, version: &VersionRecord) -> Result<()> {
        check_lock(owner, version.created_at, self.now)
    }

    /// What a level held in a state. A blob that is no document counts as an empty one.
    pub(super) fn open_state(&mut self, place: &Place, state: Option<&State>) -> Result<Opened> {
        let Some(content) = state.and_then(|state| state.content.as_ref()) else {
            return Ok(Opened::default());
        };
        match self.understood(&place.project, content)? {
            Some(document) => Ok(Opened { document, entries: self.entries(&place.project, content)? }),
            None => Ok(Opened::default()),
        }
    }
}

/// What changed from one state to the next.
pub(super) fn state_differences<'a>(old: &'a Opened, new: &'a Opened) -> Vec<Difference<'a>> {
    let old_names = old.entries.names_by_id();
    differences(&old.document, &new.document, |name| former_name(&old_names, &new.entries, name, &old.document))
}

/// The name that an entry had before: that of the entry of the same id.
fn former_name(old: &BTreeMap<u32, &VarName>, new: &Entries, name: &VarName, document: &Document) -> Option<VarName> {
    match new.get(name) {
        Some(record) => old.get(&record.id).copied().cloned(),
        None => document.get(name.as_str()).map(|entry| entry.name().clone()),
    }
}
