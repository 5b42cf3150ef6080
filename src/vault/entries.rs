//! What is known of the entries of a level beside their values, through all contents it has had.

use std::collections::{BTreeMap, BTreeSet};
use std::mem;

use serde::{Deserialize, Serialize};

use super::diff::Difference;
use super::records::PlainRecord;
use crate::core::clock::Timestamp;
use crate::core::document::{Entry, Kind};
use crate::core::name::VarName;

/// Most names that are gone and remembered, so that a level whose names change all the time stays of one size.
const MAX_GONE: usize = 1000;

/// What is known of each entry of a document beside its value.
#[derive(Clone, Default, Serialize, Deserialize)]
#[expect(clippy::struct_field_names, reason = "the names are those of the format")]
pub(super) struct Entries {
    next_id: u32,
    entries: BTreeMap<VarName, EntryRecord>,
    /// Names that are gone, and the number of the content that no longer had them.
    gone: BTreeMap<VarName, u32>,
    /// Names that were secrets and are none any more, and the number of the content in which they were none.
    former_secrets: BTreeMap<VarName, u32>,
    /// The number up to which `former_secrets` may miss names, because there were too many.
    secrets_known_since: u32,
}

impl PlainRecord for Entries {}

/// In this order, as an array, because there is one for each entry.
#[derive(Clone, Copy, Serialize, Deserialize)]
#[serde(into = "(u32, u32, u32, i64, i64)", from = "(u32, u32, u32, i64, i64)")]
pub(super) struct EntryRecord {
    /// The same through renames.
    pub(super) id: u32,
    /// From 1, one more with each change.
    pub(super) version: u32,
    /// Of the content that changed it last.
    changed_by: u32,
    pub(super) created_at: Timestamp,
    pub(super) updated_at: Timestamp,
}

impl From<EntryRecord> for (u32, u32, u32, i64, i64) {
    fn from(entry: EntryRecord) -> Self {
        let EntryRecord { id, version, changed_by, created_at, updated_at } = entry;
        (id, version, changed_by, created_at.as_millis(), updated_at.as_millis())
    }
}

impl From<(u32, u32, u32, i64, i64)> for EntryRecord {
    fn from((id, version, changed_by, created_at, updated_at): (u32, u32, u32, i64, i64)) -> Self {
        let [created_at, updated_at] =
            [created_at, updated_at].map(|at| Timestamp::from_millis(at).unwrap_or(Timestamp::MAX));
        Self { id, version, changed_by, created_at, updated_at }
    }
}

impl Entries {
    pub(super) fn get(&self, name: &VarName) -> Option<&EntryRecord> {
        self.entries.get(name)
    }

    /// The name of each entry, by its id.
    pub(super) fn names_by_id(&self) -> BTreeMap<u32, &VarName> {
        self.entries.iter().map(|(name, entry)| (entry.id, name)).collect()
    }

    /// What is known by now, with what was known before of entries that are gone.
    pub(super) fn returning(self, now: &Self) -> Self {
        let mut known = now.clone();
        let taken: BTreeSet<u32> = now.entries.values().map(|entry| entry.id).collect();
        for (name, entry) in self.entries {
            if !known.entries.contains_key(&name) && !taken.contains(&entry.id) {
                known.entries.insert(name, entry);
            }
        }
        known.next_id = known.next_id.max(self.next_id);
        known.secrets_known_since = known.secrets_known_since.max(self.secrets_known_since);
        for (name, number) in self.former_secrets {
            let known = known.former_secrets.entry(name).or_default();
            *known = number.max(*known);
        }
        known
    }

    /// Returns whether a name may have been a secret after the content of that number.
    pub(super) fn was_secret_after(&self, number: u32, name: &VarName) -> bool {
        self.secrets_known_since > number || self.former_secrets.get(name).is_some_and(|until| *until > number)
    }

    /// From the names that entries have by now to those they have here.
    pub(super) fn renames_since(&self, now: &Self) -> Vec<(VarName, VarName)> {
        let by_id = now.names_by_id();
        let both =
            self.entries.iter().filter_map(|(name, entry)| Some(((*by_id.get(&entry.id)?).clone(), name.clone())));
        both.filter(|(from, to)| from != to).collect()
    }

    pub(super) fn names(&self) -> impl Iterator<Item = &VarName> {
        self.entries.keys()
    }

    /// The number of the content that changed a name last, of all names that `counts` takes; 0 for none.
    pub(super) fn last_change(&self, counts: impl Fn(&VarName) -> bool) -> u32 {
        let there = self.entries.iter().map(|(name, entry)| (name, entry.changed_by));
        let gone = self.gone.iter().map(|(name, number)| (name, *number));
        there.chain(gone).filter(|(name, _)| counts(name)).map(|(_, number)| number).max().unwrap_or_default()
    }

    /// Forgets the names that are gone once they are too many, and tells the number of the content that was the last to
    /// lose one.
    pub(super) fn forget_gone(&mut self) -> Option<u32> {
        if self.gone.len() <= MAX_GONE {
            return None;
        }
        mem::take(&mut self.gone).into_values().max()
    }

    /// What is known once these have changed by the content of that number.
    pub(super) fn follow(mut self, differences: &[Difference<'_>], number: u32, now: Timestamp) -> Self {
        // All at once, because two entries may have swapped their names.
        let known: Vec<Option<EntryRecord>> = differences
            .iter()
            .map(|difference| difference.old.and_then(|entry| self.entries.remove(entry.name())))
            .collect();
        for (difference, known) in differences.iter().zip(known) {
            let Some(name) = difference.new.map(Entry::name) else {
                continue;
            };
            // One that comes back is the one it was.
            let record = match known.or_else(|| self.entries.remove(name)) {
                Some(record) => {
                    EntryRecord { version: record.version + 1, changed_by: number, updated_at: now, ..record }
                }
                None => {
                    self.next_id += 1;
                    EntryRecord { id: self.next_id, version: 1, changed_by: number, created_at: now, updated_at: now }
                }
            };
            self.gone.remove(name);
            self.entries.insert(name.clone(), record);
        }
        for old in differences.iter().filter_map(|difference| difference.old) {
            let name = old.name();
            if !self.entries.contains_key(name) {
                self.gone.insert(name.clone(), number);
            }
            if old.kind() == Kind::Secret {
                self.former_secrets.insert(name.clone(), number);
            }
        }
        let secrets =
            differences.iter().filter_map(|difference| difference.new).filter(|new| new.kind() == Kind::Secret);
        for new in secrets {
            self.former_secrets.remove(new.name());
        }
        if self.former_secrets.len() > MAX_GONE {
            self.former_secrets.clear();
            self.secrets_known_since = number;
        }
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::document::Document;
    use crate::vault::diff::{differences, renamed};

    fn name(text: &str) -> VarName {
        text.parse().unwrap()
    }

    fn follow(known: Entries, from: &str, to: &str, number: u32) -> Entries {
        let [from, to] = [from, to].map(|text| Document::parse(text).unwrap());
        known.follow(&differences(&from, &to, renamed(&[])), number, Timestamp::MIN)
    }

    #[test]
    fn what_was_a_secret_is_known_as_long_as_it_is_none() {
        let variable = "# ioenv: variable\nA=1\n";
        let mut known = Entries::default();
        for (number, from, to) in
            [(1, "", variable), (2, variable, "A=1\n"), (3, "A=1\n", "A=2\n"), (4, "A=2\n", variable)]
        {
            known = follow(known, from, to, number);
        }
        let was_secret = |after: u32| known.was_secret_after(after, &name("A"));
        assert_eq!([1, 3, 4].map(was_secret), [true, true, false]);
        assert!(!known.was_secret_after(0, &name("B")));
        assert!(Entries::default().returning(&known).was_secret_after(1, &name("A")));
        assert!(known.clone().returning(&Entries::default()).was_secret_after(1, &name("A")));
        // The document itself says it now.
        assert!(!follow(known, variable, "A=1\n", 5).was_secret_after(1, &name("A")));
    }

    #[test]
    fn if_they_are_too_many_any_name_may_have_been_a_secret() {
        let many: Vec<String> = (0..=MAX_GONE).map(|number| format!("N{number}=1\n")).collect();
        let many = many.concat();
        let known = follow(follow(Entries::default(), "", &many, 1), &many, "", 2);
        assert!(known.was_secret_after(1, &name("ANY")) && !known.was_secret_after(2, &name("ANY")));
    }
}
