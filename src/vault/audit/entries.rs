use std::collections::BTreeMap;

use super::super::diff::Difference;
use super::super::keys;
use super::super::operation::OperationContext;
use super::super::place::Place;
use super::super::records::{get, put};
use super::{Index, id_in};
use crate::Result;
use crate::core::{Action, AuditRecord, Details, Entry, Id, Kind, Resource, VarName};
use crate::store::{Order, Precondition};

/// How many records of a name are looked at at a time.
const BATCH: usize = 200;

impl OperationContext<'_, '_> {
    /// Records each entry that changed: the values of variables, and of secrets that they changed.
    pub(in super::super) fn record_differences(&mut self, place: &Place, differences: &[Difference<'_>]) -> Result<()> {
        for difference in differences {
            let mut details = match (difference.old, difference.new) {
                (Some(old), Some(new)) if old.kind() != new.kind() => Details::kind_changed(old.kind(), new.kind()),
                (Some(old), Some(new)) => {
                    let changed = difference.changed();
                    let details = match (public_value(old), public_value(new)) {
                        (Some(old), Some(new)) if old != new => Details::variable_updated(old, new),
                        _ => Details::default(),
                    };
                    details.with("changed", changed)
                }
                (None, Some(new)) => public_value(new).map_or(Details::secret(true), Details::variable_created),
                (Some(old), None) => public_value(old).map_or(Details::secret(true), Details::variable_deleted),
                (None, None) => continue,
            };
            if let Some(old_name) = difference.old_name() {
                details = details.with("oldName", old_name.as_str());
            }
            let action = match (difference.old, difference.new) {
                (None, _) => Action::Create,
                (_, None) => Action::Delete,
                _ => Action::Update,
            };
            let kind = difference.new.or(difference.old).map_or(Kind::Secret, Entry::kind);
            self.record(action, Resource::of(place)?.entry(kind, difference.name()), details)?;
        }
        self.scrub_new_secrets(place, differences)
    }

    /// Records that an entry was set to what it was.
    pub(in super::super) fn record_unchanged(&mut self, place: &Place, entry: &Entry) -> Result<()> {
        let resource = Resource::of(place)?.entry(entry.kind(), entry.name());
        self.record(Action::Update, resource, Details::changed(&[]))
    }

    /// Takes former values of variables that are secrets now out of the log.
    pub(in super::super) fn scrub_new_secrets(&mut self, place: &Place, differences: &[Difference<'_>]) -> Result<()> {
        for difference in differences {
            if let (Some(old), Some(new)) = (difference.old, difference.new)
                && (old.kind(), new.kind()) == (Kind::Variable, Kind::Secret)
            {
                self.scrub(place, old.name())?;
            }
        }
        Ok(())
    }

    /// Takes the values of an entry of one level out of the log, also those it had under former names.
    fn scrub(&mut self, place: &Place, name: &VarName) -> Result<()> {
        let mut names = vec![(name.clone(), None)];
        // Up to when each was looked for.
        let mut done: BTreeMap<VarName, Option<Id>> = BTreeMap::new();
        while let Some((name, until)) = names.pop() {
            if done.get(&name).is_some_and(|done| done.is_none_or(|done| until.is_some_and(|until| until <= done))) {
                continue;
            }
            self.scrub_name(place, &name, until, &mut names)?;
            done.insert(name, until);
        }
        Ok(())
    }

    /// The same for one name, before the record of that id; `renamed` gets the names it had before, and until when.
    fn scrub_name(
        &mut self,
        place: &Place,
        name: &VarName,
        until: Option<Id>,
        renamed: &mut Vec<(VarName, Option<Id>)>,
    ) -> Result<()> {
        let (organization, level): (Id, Id) = (place.organization(), place.id());
        let mut range = keys::audits_by(Index::Name.as_str(), organization, name.as_str());
        if let Some(until) = until {
            range = range.before(&keys::audit_by(Index::Name.as_str(), organization, name.as_str(), until));
        }
        loop {
            let found = self.tx.scan(&range, Order::Ascending, BATCH)?;
            for mark in &found {
                let key = keys::audit(organization, id_in(&mark.key)?);
                let Some(mut record) = get::<AuditRecord>(self.tx, &key)? else {
                    continue;
                };
                if record.resource.environment != Some(level) {
                    continue;
                }
                let old_name = record.details.get("oldName").and_then(|name| name.as_str());
                if let Some(old_name) = old_name.and_then(|name| name.parse().ok()) {
                    renamed.push((old_name, Some(record.id)));
                }
                if record.details.scrub() {
                    put(self.tx, &key, &record, Precondition::Present)?;
                }
            }
            match found.last() {
                Some(last) if found.len() == BATCH => range = range.after(&last.key),
                _ => return Ok(()),
            }
        }
    }
}

fn public_value(entry: &Entry) -> Option<&str> {
    (entry.kind() == Kind::Variable).then(|| entry.value().expose_secret())
}
