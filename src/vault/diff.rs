//! What is another in one document than in another one.

use std::collections::{BTreeMap, BTreeSet};

use crate::core::document::{Document, Entry};
use crate::core::name::VarName;

/// One entry that is another than before; at least one of the two is there.
pub(super) struct Difference<'a> {
    pub(super) old: Option<&'a Entry>,
    pub(super) new: Option<&'a Entry>,
}

impl<'a> Difference<'a> {
    /// The name it has, or had.
    pub(super) fn name(&self) -> &'a VarName {
        match (self.new, self.old) {
            (Some(entry), _) | (None, Some(entry)) => entry.name(),
            (None, None) => unreachable!("invariant: a difference has an entry"),
        }
    }

    /// The name it had, if that was another one.
    pub(super) fn old_name(&self) -> Option<&'a VarName> {
        match (self.old, self.new) {
            (Some(old), Some(new)) if old.name() != new.name() => Some(old.name()),
            _ => None,
        }
    }

    /// What about an entry changed that was there before.
    pub(super) fn changed(&self) -> Vec<&'static str> {
        let (Some(old), Some(new)) = (self.old, self.new) else {
            return vec!["value"];
        };
        let aspects = [
            ("name", old.name() != new.name()),
            ("kind", old.kind() != new.kind()),
            ("value", !old.has_same_value(new)),
            ("comment", old.comment() != new.comment()),
        ];
        aspects.into_iter().filter(|(_, is_changed)| *is_changed).map(|(aspect, _)| aspect).collect()
    }
}

/// What changed from `old` to `new`, in the order of `new`, and then what is gone. `old_name` tells the name that an
/// entry had before, if it was there.
pub(super) fn differences<'a>(
    old: &'a Document,
    new: &'a Document,
    old_name: impl Fn(&VarName) -> Option<VarName>,
) -> Vec<Difference<'a>> {
    let mut kept = Vec::new();
    let mut differences = Vec::new();
    for (index, entry) in new.entries().iter().enumerate() {
        let Some(old_name) = old_name(entry.name()) else {
            differences.push(Difference { old: None, new: Some(entry) });
            continue;
        };
        // Most entries stand where they stood.
        let same_place = old.entries().get(index).filter(|before| *before.name() == old_name);
        let before = same_place.or_else(|| old.get(old_name.as_str()));
        if let Some(before) = before {
            kept.push(before.name());
        }
        match before {
            Some(before) if before.name() == entry.name() && is_same(before, entry) => {}
            old => differences.push(Difference { old, new: Some(entry) }),
        }
    }
    if kept.len() < old.len() {
        kept.sort_unstable();
        let gone = old.entries().iter().filter(|entry| kept.binary_search(&entry.name()).is_err());
        differences.extend(gone.map(|entry| Difference { old: Some(entry), new: None }));
    }
    differences
}

/// For [`differences`]: the names that entries had before these renames, from old names to new ones, were carried out at
/// the same time.
pub(super) fn renamed(renames: &[(VarName, VarName)]) -> impl Fn(&VarName) -> Option<VarName> {
    let given_up: BTreeSet<&VarName> = renames.iter().map(|(from, _)| from).collect();
    let by_new_name: BTreeMap<&VarName, &VarName> = renames.iter().map(|(from, to)| (to, from)).collect();
    move |name| match by_new_name.get(name) {
        Some(from) => Some((*from).clone()),
        // A name that was given up is no longer the name of what it was.
        None => (!given_up.contains(name)).then(|| name.clone()),
    }
}

/// Whether two entries differ in nothing that a change would be recorded for.
pub(super) fn is_same(a: &Entry, b: &Entry) -> bool {
    a.has_same_value(b) && a.kind() == b.kind() && a.comment() == b.comment()
}
