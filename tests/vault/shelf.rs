//! A service of the test's own: it keeps what it is given, and never tells values, like most.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use ioenv::vault::{Applied, Desired, SyncAction, SyncPlace, SyncPlan, SyncTarget};
use ioenv::{Error, ErrorKind, Kind};

#[derive(Clone, Debug, Default)]
pub(crate) struct Shelf(Arc<Mutex<Inner>>);

#[derive(Debug, Default)]
struct Inner {
    /// By the name of the environment here, and that of the entry.
    things: BTreeMap<(String, String), String>,
    /// All that was done: `create production A`.
    log: Vec<String>,
    credentials: Vec<String>,
    /// After how many changes it breaks.
    breaks_after: Option<usize>,
    /// Whether whoever writes next dies of it, when it is written.
    is_deadly: bool,
}

impl Shelf {
    /// What is there: `A=1 B=2`.
    pub(crate) fn at(&self, target: &str) -> String {
        let inner = self.0.lock().unwrap();
        let here = inner.things.iter().filter(|((at, _), _)| at == target);
        here.map(|((_, name), value)| format!("{name}={value}")).collect::<Vec<_>>().join(" ")
    }

    /// What somebody else does.
    pub(crate) fn put(&self, target: &str, name: &str, value: Option<&str>) {
        let key = (target.to_owned(), name.to_owned());
        let mut inner = self.0.lock().unwrap();
        match value {
            Some(value) => inner.things.insert(key, value.to_owned()),
            None => inner.things.remove(&key),
        };
    }

    /// What was done since it was asked last.
    pub(crate) fn log(&self) -> Vec<String> {
        std::mem::take(&mut self.0.lock().unwrap().log)
    }

    pub(crate) fn last_credentials(&self) -> Option<String> {
        self.0.lock().unwrap().credentials.last().cloned()
    }

    #[cfg(feature = "worker")]
    pub(crate) fn kill_next(&self) {
        self.0.lock().unwrap().is_deadly = true;
    }

    pub(crate) fn break_after(&self, changes: Option<usize>) {
        self.0.lock().unwrap().breaks_after = changes;
    }
}

impl SyncTarget for Shelf {
    fn plan(&self, place: &SyncPlace<'_>, desired: &Desired) -> Result<SyncPlan, Error> {
        let mut inner = self.0.lock().unwrap();
        inner.credentials.push(place.credentials.expose_secret().to_owned());
        let is_there = |name: &str| inner.things.contains_key(&(place.target.to_owned(), name.to_owned()));
        let mut plan = SyncPlan::new();
        for entry in &desired.entries {
            let action = match is_there(entry.name.as_str()) {
                false => Some(SyncAction::Create),
                true if entry.is_written => None,
                true => Some(SyncAction::Update),
            };
            plan.add(&entry.name, entry.kind, action, None);
        }
        for name in desired.removable.iter().filter(|name| is_there(name.as_str())) {
            plan.add(name, Kind::Secret, Some(SyncAction::Delete), None);
        }
        Ok(plan)
    }

    fn apply(&self, place: &SyncPlace<'_>, plan: &SyncPlan, desired: &Desired) -> Applied {
        let mut count = 0;
        Applied::one_by_one(place, plan, |change| {
            let breaks_after = self.0.lock().unwrap().breaks_after;
            if breaks_after.is_some_and(|most| count >= most) {
                return Err(Error::new(ErrorKind::Unavailable, "the shelf broke"));
            }
            count += 1;
            let value = desired.get(change.name.as_str()).map(|entry| entry.value.expose_secret().to_owned());
            self.put(place.target, change.name.as_str(), value.as_deref());
            self.0.lock().unwrap().log.push(format!("{} {} {}", change.action, place.target, change.name));
            let is_deadly = std::mem::take(&mut self.0.lock().unwrap().is_deadly);
            assert!(!is_deadly, "killed");
            Ok(())
        })
    }
}
