use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::{PoisonError, RwLock};

use crate::error::Result;
use crate::store::record::{KeyRange, Order, Record, check_record};
use crate::store::transaction::{Access, Precondition, Store, Transaction, Work, precondition_failed, read_only};

type Records = BTreeMap<String, String>;

/// A store in memory: the reference of what a store does, and what tests run on. It is gone with the process.
///
/// One transaction writes at a time, and nobody reads meanwhile.
///
/// ```
/// # fn main() -> ioenv::Result<()> {
/// use ioenv::store::{Memory, StoreExt, Precondition};
///
/// let store = Memory::new();
/// store.write(|tx| tx.put("greeting", "\"hello\"", Precondition::Always))?;
/// assert!(store.write(|tx| tx.put("greeting", "\"hi\"", Precondition::Absent)).is_err());
/// assert_eq!(store.read(|tx| tx.get("greeting"))?.as_deref(), Some("\"hello\""));
/// # Ok(())
/// # }
/// ```
#[derive(Default)]
pub struct Memory {
    records: RwLock<Records>,
}

impl Memory {
    /// An empty store.
    pub fn new() -> Self {
        Self::default()
    }
}

/// Shows no record.
impl std::fmt::Debug for Memory {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Memory").finish_non_exhaustive()
    }
}

impl Store for Memory {
    fn transaction(&self, access: Access, work: &mut Work<'_>) -> Result<()> {
        // A panic in a work leaves no half-done state behind, because what it wrote is undone on the way out.
        match access {
            Access::Read => work(&mut Reading(&self.records.read().unwrap_or_else(PoisonError::into_inner))),
            Access::Write => {
                let mut records = self.records.write().unwrap_or_else(PoisonError::into_inner);
                let mut writing = Writing { records: &mut records, undo: Vec::new() };
                work(&mut writing)?;
                writing.undo.clear();
                Ok(())
            }
        }
    }

    fn check(&self) -> Result<()> {
        Ok(())
    }
}

struct Reading<'a>(&'a Records);

impl Transaction for Reading<'_> {
    fn get(&mut self, key: &str) -> Result<Option<String>> {
        Ok(self.0.get(key).cloned())
    }

    fn put(&mut self, _key: &str, _value: &str, _when: Precondition) -> Result<()> {
        Err(read_only())
    }

    fn delete(&mut self, _key: &str) -> Result<bool> {
        Err(read_only())
    }

    fn scan(&mut self, range: &KeyRange, order: Order, limit: usize) -> Result<Vec<Record>> {
        Ok(scan(self.0, range, order, limit))
    }
}

/// Undoes what it wrote when dropped, unless `undo` is empty by then.
struct Writing<'a> {
    records: &'a mut Records,
    /// What was at the keys that were written, oldest first.
    undo: Vec<(String, Option<String>)>,
}

impl Transaction for Writing<'_> {
    fn get(&mut self, key: &str) -> Result<Option<String>> {
        Ok(self.records.get(key).cloned())
    }

    fn put(&mut self, key: &str, value: &str, when: Precondition) -> Result<()> {
        check_record(key, value)?;
        let holds = match when {
            Precondition::Always => true,
            Precondition::Absent => !self.records.contains_key(key),
            Precondition::Present => self.records.contains_key(key),
        };
        if !holds {
            return Err(precondition_failed(when));
        }
        let before = self.records.insert(key.to_owned(), value.to_owned());
        self.undo.push((key.to_owned(), before));
        Ok(())
    }

    fn delete(&mut self, key: &str) -> Result<bool> {
        let Some(before) = self.records.remove(key) else { return Ok(false) };
        self.undo.push((key.to_owned(), Some(before)));
        Ok(true)
    }

    fn scan(&mut self, range: &KeyRange, order: Order, limit: usize) -> Result<Vec<Record>> {
        Ok(scan(self.records, range, order, limit))
    }
}

impl Drop for Writing<'_> {
    fn drop(&mut self) {
        for (key, before) in self.undo.drain(..).rev() {
            match before {
                Some(value) => self.records.insert(key, value),
                None => self.records.remove(&key),
            };
        }
    }
}

fn scan(records: &Records, range: &KeyRange, order: Order, limit: usize) -> Vec<Record> {
    let end = match range.end.as_deref() {
        // `BTreeMap::range` panics where a range ends before it starts.
        Some(end) if end <= range.start.as_str() => return Vec::new(),
        Some(end) => Bound::Excluded(end),
        None => Bound::Unbounded,
    };
    let found = records.range::<str, _>((Bound::Included(range.start.as_str()), end));
    let record = |(key, value): (&String, &String)| Record { key: key.clone(), value: value.clone() };
    match order {
        Order::Ascending => found.take(limit).map(record).collect(),
        Order::Descending => found.rev().take(limit).map(record).collect(),
    }
}
