//! A store that counts, for what must not cost more where there is more.
#![allow(dead_code, reason = "each test binary uses its own part")]

use std::sync::atomic::{AtomicUsize, Ordering};

use ioenv::Error;
use ioenv::store::{Access, KeyRange, Order, Precondition, Record, Store, Transaction, Work};

/// Counts the records that are read and written below some prefixes, in a store of any kind. A scan reads one record more
/// than it finds.
#[derive(Debug)]
pub(crate) struct Counting<S> {
    store: S,
    prefixes: &'static [&'static str],
    read: AtomicUsize,
    written: AtomicUsize,
}

impl<S: Store> Counting<S> {
    /// Counts all records.
    pub(crate) fn all(store: S) -> Self {
        Self::below(&[""], store)
    }

    pub(crate) fn below(prefixes: &'static [&'static str], store: S) -> Self {
        Self { store, prefixes, read: AtomicUsize::new(0), written: AtomicUsize::new(0) }
    }

    /// How many records were read so far.
    pub(crate) fn records_read(&self) -> usize {
        self.read.load(Ordering::Relaxed)
    }

    /// How many records were written or deleted so far.
    pub(crate) fn records_written(&self) -> usize {
        self.written.load(Ordering::Relaxed)
    }

    /// How many records `work` reads.
    pub(crate) fn reads(&self, work: impl FnOnce()) -> usize {
        let before = self.records_read();
        work();
        self.records_read() - before
    }

    fn add(&self, counter: &AtomicUsize, key: &str, count: usize) {
        if self.prefixes.iter().any(|prefix| key.starts_with(prefix)) {
            counter.fetch_add(count, Ordering::Relaxed);
        }
    }
}

impl<S: Store> Store for Counting<S> {
    fn transaction(&self, access: Access, work: &mut Work<'_>) -> Result<(), Error> {
        self.store.transaction(access, &mut |tx| work(&mut CountingTransaction { tx, counting: self }))
    }

    fn append(&self, records: Vec<Record>) -> Result<(), Error> {
        for record in &records {
            self.add(&self.written, &record.key, 1);
        }
        self.store.append(records)
    }

    fn check(&self) -> Result<(), Error> {
        self.store.check()
    }
}

struct CountingTransaction<'a, S> {
    tx: &'a mut dyn Transaction,
    counting: &'a Counting<S>,
}

impl<S: Store> Transaction for CountingTransaction<'_, S> {
    fn get(&mut self, key: &str) -> Result<Option<String>, Error> {
        self.counting.add(&self.counting.read, key, 1);
        self.tx.get(key)
    }

    fn prefetch(&mut self, keys: &[String]) -> Result<(), Error> {
        self.tx.prefetch(keys)
    }

    fn put(&mut self, key: &str, value: &str, when: Precondition) -> Result<(), Error> {
        self.counting.add(&self.counting.written, key, 1);
        self.tx.put(key, value, when)
    }

    fn delete(&mut self, key: &str) -> Result<bool, Error> {
        self.counting.add(&self.counting.written, key, 1);
        self.tx.delete(key)
    }

    fn scan(&mut self, range: &KeyRange, order: Order, limit: usize) -> Result<Vec<Record>, Error> {
        let found = self.tx.scan(range, order, limit)?;
        self.counting.add(&self.counting.read, &range.start, 1 + found.len());
        Ok(found)
    }
}
