//! A store that is watched: it counts what is asked of it, and fails, panics or lets somebody else act first, where a test
//! says so.

use std::fmt;
use std::io;
use std::sync::{Arc, Mutex};

use ioenv::store::{Access, KeyRange, Memory, Order, Precondition, Record, Store, Transaction, Work};
use ioenv::{Error, ErrorKind, Result};

#[derive(Clone, Default)]
pub(crate) struct Watched {
    records: Arc<Memory>,
    watch: Arc<Mutex<Watch>>,
}

#[derive(Default)]
struct Watch {
    counts: Counts,
    /// What happens in place of, or before, the transaction after so many others.
    armed: Option<(usize, Act)>,
}

pub(crate) enum Act {
    Fail,
    Panic,
    Call(Box<dyn FnOnce() + Send>),
}

/// What was asked of a store.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    pub(crate) reads: usize,
    pub(crate) writes: usize,
    pub(crate) appends: usize,
    /// How many records of tokens were read.
    pub(crate) tokens: usize,
}

impl Counts {
    pub(crate) fn transactions(self) -> usize {
        self.reads + self.writes + self.appends
    }
}

impl Watched {
    /// What `work` asks of the store.
    pub(crate) fn count(&self, work: impl FnOnce()) -> Counts {
        self.watch.lock().unwrap().counts = Counts::default();
        work();
        self.watch.lock().unwrap().counts
    }

    /// Has `act` happen at the transaction after `skip` others.
    pub(crate) fn arm(&self, skip: usize, act: Act) {
        self.watch.lock().unwrap().armed = Some((skip, act));
    }

    fn begin(&self, count: impl FnOnce(&mut Counts)) -> Result<()> {
        let act = {
            let mut watch = self.watch.lock().unwrap();
            count(&mut watch.counts);
            match &mut watch.armed {
                Some((0, _)) => watch.armed.take().map(|(_, act)| act),
                Some((left, _)) => {
                    *left -= 1;
                    None
                }
                None => None,
            }
        };
        match act {
            None => {}
            Some(Act::Fail) => {
                let below = io::Error::other("the disk was unplugged");
                return Err(Error::new(ErrorKind::Io, "cannot read the store").with_source(below));
            }
            Some(Act::Panic) => panic!("a planted panic"),
            Some(Act::Call(act)) => act(),
        }
        Ok(())
    }
}

impl fmt::Debug for Watched {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Watched").finish_non_exhaustive()
    }
}

impl Store for Watched {
    fn transaction(&self, access: Access, work: &mut Work<'_>) -> Result<()> {
        self.begin(|counts| match access {
            Access::Read => counts.reads += 1,
            Access::Write => counts.writes += 1,
        })?;
        self.records.transaction(access, &mut |tx| work(&mut Counted { tx, watch: &self.watch }))
    }

    fn append(&self, records: Vec<Record>) -> Result<()> {
        self.begin(|counts| counts.appends += 1)?;
        self.records.append(records)
    }

    fn check(&self) -> Result<()> {
        self.records.check()
    }
}

struct Counted<'a> {
    tx: &'a mut dyn Transaction,
    watch: &'a Mutex<Watch>,
}

impl Transaction for Counted<'_> {
    fn get(&mut self, key: &str) -> Result<Option<String>> {
        self.watch.lock().unwrap().counts.tokens += usize::from(key.starts_with("token/"));
        self.tx.get(key)
    }

    fn put(&mut self, key: &str, value: &str, when: Precondition) -> Result<()> {
        self.tx.put(key, value, when)
    }

    fn delete(&mut self, key: &str) -> Result<bool> {
        self.tx.delete(key)
    }

    fn scan(&mut self, range: &KeyRange, order: Order, limit: usize) -> Result<Vec<Record>> {
        self.tx.scan(range, order, limit)
    }
}
