use super::states::{State, state_differences};
use crate::core::audit::{Action, AuditActor, Details, Resource};
use crate::core::clock::Timestamp;
use crate::core::name::VarName;
use crate::core::secret::SecretString;
use crate::error::Result;
use crate::vault::content::Opened;
use crate::vault::diff::Difference;
use crate::vault::operation::{OperationContext, no_such};
use crate::vault::page::{Page, Paging};
use crate::vault::place::At;
use crate::vault::place::Place;
use crate::vault::records::OrganizationRecord;
use crate::vault::rights::READING;
use crate::vault::session::Session;
use crate::vault::use_case::UseCase;
use crate::vault::version::version_id;

/// How many states are opened at a time when all are.
#[cfg(feature = "server")]
const BATCH: usize = 20;

/// One change of a level: what it held afterwards is another than before.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Change {
    /// The id of the state it led to; once that is a former one, and holds anything, it is the id of the version.
    pub id: u64,
    /// When.
    pub at: Timestamp,
    /// Who.
    pub by: AuditActor,
    /// Each entry that changed.
    pub entries: Vec<ChangedEntry>,
}

/// What a change did to one entry: to its name, its value, its kind or its comment.
///
/// Values are there for those who may read and decrypt secrets. Others see the names alone.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ChangedEntry {
    /// The name before; none, for a new entry.
    pub old_name: Option<VarName>,
    /// The value before.
    pub old_value: Option<SecretString>,
    /// The name after; none, for one that was deleted.
    pub new_name: Option<VarName>,
    /// The value after; the one before, if only something else changed.
    pub new_value: Option<SecretString>,
}

impl ChangedEntry {
    fn new(difference: &Difference<'_>, with_values: bool) -> Self {
        Self {
            old_name: difference.old.map(|entry| entry.name().clone()),
            old_value: difference.old.filter(|_| with_values).map(|entry| entry.value().clone()),
            new_name: difference.new.map(|entry| entry.name().clone()),
            new_value: difference.new.filter(|_| with_values).map(|entry| entry.value().clone()),
        }
    }
}

impl Session<'_> {
    /// The changes of a level, newest first, each as the difference of what it held before and after; the deletion of
    /// the level is one of them. A blob that is no document counts as an empty one, and what is too old to be opened is
    /// left out.
    ///
    /// # Errors
    /// `NotFound`; `ClientManaged`; `InvalidValue`, for a page that begins nowhere.
    pub fn changes(&self, at: At<'_>, paging: &Paging) -> Result<Page<Change>> {
        self.read(UseCase::ListChanges, |operation| {
            let place = operation.changing_place(at)?;
            let owner = operation.owner(&place)?;
            let (items, next) = operation.told_changes(&owner, &place, paging.after_number()?, paging.page_size())?;
            let next = next.map(|number| number.to_string());
            let details = Details::default().with("op", "changes").with("count", items.len());
            let details = details.with("values", operation.may_see_values());
            operation.record(Action::Read, Resource::of(&place)?, details)?;
            Ok(Page { items, next })
        })
    }

    /// The same by numbers: at most `limit` changes after the first `skip`, and how many there are in all. All of them
    /// are opened to be counted.
    ///
    /// # Errors
    /// `NotFound`; `ClientManaged`.
    #[cfg(feature = "server")]
    pub(crate) fn changes_from(&self, at: At<'_>, skip: usize, limit: usize) -> Result<(Vec<Change>, usize)> {
        self.read(UseCase::ListChanges, |operation| {
            let place = operation.changing_place(at)?;
            let owner = operation.owner(&place)?;
            let (mut items, mut count, mut after) = (Vec::new(), 0, None);
            loop {
                let (changes, next) = operation.told_changes(&owner, &place, after, BATCH)?;
                for change in changes {
                    if count >= skip && items.len() < limit {
                        items.push(change);
                    }
                    count += 1;
                }
                after = next;
                if after.is_none() {
                    break;
                }
            }
            let details = Details::default().with("op", "changes").with("count", items.len());
            let details = details.with("values", operation.may_see_values());
            operation.record(Action::Read, Resource::of(&place)?, details)?;
            Ok((items, count))
        })
    }

    /// One change of a level, by its id.
    ///
    /// # Errors
    /// `NotFound`; `ClientManaged`; `VersionLocked`, when it is too old to be told.
    pub fn change(&self, at: At<'_>, id: u64) -> Result<Change> {
        self.read(UseCase::ReadChange, |operation| {
            let place = operation.changing_place(at)?;
            let owner = operation.owner(&place)?;
            let state = operation.state(&owner, &place, id)?.ok_or_else(|| no_such("change"))?;
            let before = operation.state_before(&owner, &place, &state)?;
            let old = operation.open_state(&place, before.as_ref())?;
            let new = operation.open_state(&place, Some(&state))?;
            let change = operation.told_change(&place, &state, &old, &new).ok_or_else(|| no_such("change"))?;
            let details = Details::default().with("op", "change").with("change", id);
            let details = details.with("values", operation.may_see_values());
            operation.record(Action::Read, Resource::of(&place)?, details)?;
            Ok(change)
        })
    }
}

impl OperationContext<'_, '_> {
    /// The changes of a level before the one of that number, newest first, of `limit` states; and where the next ones
    /// begin, if there are any.
    fn told_changes(
        &mut self,
        owner: &OrganizationRecord,
        place: &Place,
        after: Option<u32>,
        limit: usize,
    ) -> Result<(Vec<Change>, Option<u32>)> {
        // One more than is shown: what the last one is compared with.
        let (mut states, is_cut) = self.states(owner, place, after, limit)?;
        let has_more = states.len() > limit;
        states.truncate(limit + 1);
        let opened: Vec<Opened> =
            states.iter().map(|state| self.open_state(place, Some(state))).collect::<Result<_>>()?;
        let before_all = Opened::default();
        let mut changes = Vec::new();
        // Nobody can tell what the first change was behind which all is too old.
        let shown = if is_cut { limit.min(states.len().saturating_sub(1)) } else { limit };
        for (index, state) in states.iter().enumerate().take(shown) {
            let (new, old) = (&opened[index], opened.get(index + 1).unwrap_or(&before_all));
            changes.extend(self.told_change(place, state, old, new));
        }
        let next = states.get(limit - 1).filter(|_| has_more).map(|state| state.number);
        Ok((changes, next))
    }

    /// Nothing, where no entry is another one: the same, sealed anew or in another order, is no change.
    fn told_change(&self, place: &Place, state: &State, old: &Opened, new: &Opened) -> Option<Change> {
        let differences = state_differences(old, new);
        let with_values = self.may_see_values();
        (!differences.is_empty()).then(|| Change {
            id: version_id(&place.project, state.number),
            at: state.at,
            by: state.by.clone(),
            entries: differences.iter().map(|difference| ChangedEntry::new(difference, with_values)).collect(),
        })
    }

    /// Whether the actor may see former values, as it may see those of today.
    fn may_see_values(&self) -> bool {
        self.rights.contains_all(READING)
    }
}
