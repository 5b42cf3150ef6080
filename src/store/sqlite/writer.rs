//! The one connection of a process that writes, and the commit that all who write at the same time share.
//!
//! A disk makes some thousands of commits durable in a second, whatever is in them. So all that threads write while one
//! commit is under way is a *batch* for the next one:
//!
//! * a transaction runs its work on its own thread, in the open transaction of SQLite, inside a savepoint unless it is
//!   the first of the batch;
//! * an append leaves its records in a queue, for who commits to write them.
//!
//! Then everybody waits for the batch's outcome. Who finds the connection free, and no transaction waiting to join,
//! commits for all. Nobody is answered before that, not even with the error of a work, which may have come from what
//! others in the batch have written.

use std::mem;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::path::PathBuf;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use rusqlite::{Connection, ErrorCode};

use super::connection::failed;
use super::identity::Identity;
use super::patience::{PATIENCE, PAUSE};
use super::transaction::{SqliteTransaction, UPSERT, run};
use crate::error::Result;
use crate::store::record::Record;
use crate::store::transaction::{Access, Work};

/// How many share a commit before those who wait must wait for the next one.
const MAX_MEMBERS: usize = 64;

/// How long one who commits lets others come back: half of what the last commit took, within these. Whoever misses a
/// batch waits for a whole commit, so on a slow disk it pays to wait longer.
const GATHERING: std::ops::RangeInclusive<Duration> = Duration::from_micros(100)..=Duration::from_millis(1);

pub(super) struct Writer {
    path: PathBuf,
    identity: Arc<Identity>,
    state: Mutex<State>,
    /// A transaction may take the connection.
    free: Condvar,
}

/// Held for moments: no statement runs meanwhile.
struct State {
    /// Not here while somebody uses it. A transaction is open on it as long as works of the batch wait for its commit.
    connection: Option<Connection>,
    /// Transactions that wait for the connection.
    waiting: usize,
    batch: Arc<Batch>,
    /// How many wait for the outcome of the batch.
    members: usize,
    /// How many members the batch will have when those who were answered last are back.
    expected: usize,
    /// Whether somebody lets them come back, and until when.
    gathering: bool,
    gather_until: Option<Instant>,
    gathering_time: Duration,
    /// What those have appended.
    records: Vec<Record>,
    /// Why the batch cannot be committed any more.
    lost: Option<Arc<rusqlite::Error>>,
}

impl State {
    /// Whether no transaction is about to join the batch, or none may.
    fn is_complete(&self) -> bool {
        self.waiting == 0 || self.is_closed()
    }

    /// Whether those who were busy writing a moment ago are back, or had their time. Without it they would miss a batch
    /// by a hair and wait for a whole commit. One thread that writes alone waits for nobody.
    fn has_gathered(&mut self) -> bool {
        self.is_closed()
            || self.members >= self.expected
            || *self.gather_until.get_or_insert_with(|| Instant::now() + self.gathering_time) <= Instant::now()
    }

    fn is_closed(&self) -> bool {
        self.members >= MAX_MEMBERS || self.lost.is_some()
    }
}

#[derive(Default)]
struct Batch {
    outcome: OnceLock<Outcome>,
    /// There is an outcome, or the connection is free to bring it about.
    changed: Condvar,
}

type Outcome = Result<(), Arc<rusqlite::Error>>;

impl Writer {
    pub(super) fn new(connection: Connection, path: PathBuf, identity: Arc<Identity>) -> Result<Self> {
        // It waits in `begin`.
        connection.busy_timeout(Duration::ZERO).map_err(|error| failed(&path, error))?;
        let state = State {
            connection: Some(connection),
            waiting: 0,
            batch: Arc::default(),
            members: 0,
            expected: 0,
            gathering: false,
            gather_until: None,
            gathering_time: *GATHERING.start(),
            records: Vec::new(),
            lost: None,
        };
        Ok(Self { path, identity, state: Mutex::new(state), free: Condvar::new() })
    }

    pub(super) fn append(&self, records: Vec<Record>) -> Result<()> {
        let deadline = Instant::now() + PATIENCE;
        let mut state = self.lock();
        state.records.extend(records);
        self.settle(state, deadline)
    }

    pub(super) fn transaction(&self, work: &mut Work<'_>) -> Result<()> {
        let deadline = Instant::now() + PATIENCE;
        let connection = self.take();
        // Whoever opens the transaction can roll all of it back, which is cheaper than a savepoint.
        let is_first = connection.is_autocommit();
        if let Err(error) = begin(&connection, deadline) {
            drop(self.give_back(self.lock(), connection));
            return Err(failed(&self.path, error));
        }
        // The connection must come back, whatever the work does.
        let mut tx = SqliteTransaction::new(&connection, &self.path, Access::Write);
        let saved = if is_first { Ok(()) } else { run(&connection, "SAVEPOINT work") };
        let worked = match &saved {
            Ok(()) => catch_unwind(AssertUnwindSafe(|| work(&mut tx).and_then(|()| tx.finish()))),
            Err(_) => Ok(Ok(())),
        };
        let is_done = matches!(worked, Ok(Ok(())));
        let ended = saved.and_then(|()| match (is_first, is_done) {
            (true, true) => Ok(()),
            // After some errors SQLite has rolled back already.
            (true, false) if connection.is_autocommit() => Ok(()),
            (true, false) => run(&connection, "ROLLBACK"),
            (false, true) => run(&connection, "RELEASE work"),
            (false, false) => run(&connection, "ROLLBACK TO work").and_then(|()| run(&connection, "RELEASE work")),
        });
        let broken = tx.broken();

        let mut state = self.lock();
        // With some errors SQLite rolls back everything, which is the reason for the error of the savepoint.
        state.lost = ended.err().map(|error| broken.unwrap_or_else(|| Arc::new(error)));
        state.connection = Some(connection);
        let settled = self.settle(state, deadline);
        match worked {
            Ok(worked) => settled.and(worked),
            Err(panic) => resume_unwind(panic),
        }
    }

    /// Waits until a transaction may begin.
    fn take(&self) -> Connection {
        let mut state = self.lock();
        state.waiting += 1;
        loop {
            if let Some(connection) = state.connection.take() {
                state.waiting -= 1;
                return connection;
            }
            state = self.free.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Lets the next one have the connection.
    fn give_back<'a>(&self, mut state: MutexGuard<'a, State>, connection: Connection) -> MutexGuard<'a, State> {
        state.connection = Some(connection);
        if state.waiting > 0 {
            self.free.notify_one();
        } else if state.members > 0 {
            state.batch.changed.notify_one();
        }
        state
    }

    /// Joins the batch, and waits for its commit or brings it about.
    fn settle<'a>(&'a self, mut state: MutexGuard<'a, State>, deadline: Instant) -> Result<()> {
        state.members += 1;
        let batch = Arc::clone(&state.batch);
        loop {
            if let Some(outcome) = batch.outcome.get() {
                return outcome.clone().map_err(|error| failed(&self.path, error));
            }
            if state.is_complete()
                && state.has_gathered()
                && let Some(connection) = state.connection.take()
            {
                state = self.commit(state, connection, deadline);
            } else if state.is_complete() && state.connection.is_some() && !state.gathering {
                state.gathering = true;
                drop(state);
                thread::yield_now();
                state = self.lock();
                // The next batch may have somebody of its own who does this.
                if Arc::ptr_eq(&state.batch, &batch) {
                    state.gathering = false;
                }
            } else {
                if state.connection.is_some() && state.waiting > 0 {
                    self.free.notify_one();
                }
                state = batch.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
            }
        }
    }

    /// Commits the batch, with all that is appended until then, and answers everybody in it.
    fn commit<'a>(
        &'a self,
        mut state: MutexGuard<'a, State>,
        connection: Connection,
        deadline: Instant,
    ) -> MutexGuard<'a, State> {
        let mut outcome = state.lost.take().map_or(Ok(()), Err);
        drop(state);
        outcome = outcome.and_then(|()| Ok(begin(&connection, deadline)?));
        let (batch, members) = loop {
            state = self.lock();
            let records = mem::take(&mut state.records);
            if outcome.is_err() || records.is_empty() {
                state.gathering = false;
                break (mem::take(&mut state.batch), mem::take(&mut state.members));
            }
            drop(state);
            outcome = upsert(&connection, &records).map_err(Arc::new);
        };
        drop(state);
        let begun = Instant::now();
        // Before the commit, so that nothing is written beside a file that is not ours; and after it, so that nobody hears of
        // success whose write is in a file that is gone.
        let check = || self.identity.check(&self.path).map_err(Arc::new);
        outcome = outcome.and_then(|()| check()).and_then(|()| Ok(run(&connection, "COMMIT")?)).and_then(|()| check());
        let took = begun.elapsed();
        if outcome.is_err() && !connection.is_autocommit() {
            // It fails only where the transaction has ended already.
            let _ = run(&connection, "ROLLBACK");
        }
        let mut state = self.lock();
        state.expected = members + state.members;
        state.gather_until = None;
        state.gathering_time = (took / 2).clamp(*GATHERING.start(), *GATHERING.end());
        let answered = batch.outcome.set(outcome).is_ok();
        debug_assert!(answered, "a batch is committed once");
        batch.changed.notify_all();
        self.give_back(state, connection)
    }

    /// Nothing that is not ours runs while it is held, so that a panic elsewhere cannot leave it half changed.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Opens a transaction, unless the batch has one. It waits for other processes here and not in SQLite, where everybody
/// in the queue would wait anew.
fn begin(connection: &Connection, deadline: Instant) -> rusqlite::Result<()> {
    if !connection.is_autocommit() {
        return Ok(());
    }
    loop {
        match run(connection, "BEGIN IMMEDIATE") {
            Err(error) if is_busy(&error) && Instant::now() < deadline => thread::sleep(PAUSE),
            begun => return begun,
        }
    }
}

fn is_busy(error: &rusqlite::Error) -> bool {
    error.sqlite_error_code() == Some(ErrorCode::DatabaseBusy)
}

fn upsert(connection: &Connection, records: &[Record]) -> rusqlite::Result<()> {
    let mut upsert = connection.prepare_cached(UPSERT)?;
    records.iter().try_for_each(|record| upsert.execute([&record.key, &record.value]).map(drop))
}

#[cfg(test)]
mod tests {
    use std::sync::Barrier;

    use super::*;
    use crate::error::ErrorKind;
    use crate::store::sqlite::connection;
    use crate::store::transaction::Precondition;

    fn writer() -> (tempfile::TempDir, Writer) {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("vault.db");
        let writer =
            Writer::new(connection::create(&path).unwrap(), path.clone(), Arc::new(Identity::of(&path))).unwrap();
        (directory, writer)
    }

    fn pragma(writer: &Writer, name: &str, value: u32) {
        let state = writer.lock();
        state.connection.as_ref().unwrap().pragma_update_and_check(None, name, value, |_| Ok(())).unwrap();
    }

    fn records(key: &str, count: usize) -> Vec<Record> {
        (0..count).map(|n| Record { key: format!("{key}/{n}"), value: format!("\"{}\"", "x".repeat(3000)) }).collect()
    }

    fn keys(writer: &Writer) -> u32 {
        let state = writer.lock();
        let connection = state.connection.as_ref().unwrap();
        connection.query_row("SELECT count(*) FROM record", [], |row| row.get(0)).unwrap()
    }

    fn put(writer: &Writer, records: &[Record]) -> Result<()> {
        writer.transaction(&mut |tx| {
            // Who does not look at the error of a put is told at the end.
            for record in records {
                let _ = tx.put(&record.key, &record.value, Precondition::Always);
            }
            Ok(())
        })
    }

    #[test]
    fn a_full_disk_keeps_nothing_and_room_makes_it_work_again() {
        let (_directory, writer) = writer();
        writer.append(records("before", 3)).unwrap();
        pragma(&writer, "max_page_count", 20);
        let full = put(&writer, &records("work", 100)).unwrap_err();
        assert_eq!(full.kind(), ErrorKind::Io, "{full:?}");
        assert!(full.to_string().ends_with("the disk is full, nothing was written: make room"), "{full}");
        assert_eq!(writer.append(records("append", 100)).unwrap_err().kind(), ErrorKind::Io);
        assert_eq!(keys(&writer), 3);
        writer.append(records("small", 1)).unwrap();
        pragma(&writer, "max_page_count", 10_000);
        put(&writer, &records("work", 100)).unwrap();
        assert_eq!(keys(&writer), 104);
    }

    /// Some have what is too much, others share a batch with them: nobody hears of success and finds nothing.
    #[test]
    fn what_is_acknowledged_beside_writes_that_fail_is_there() {
        let (_directory, writer) = writer();
        pragma(&writer, "max_page_count", 600);
        let start = Barrier::new(6);
        let written: u32 = thread::scope(|scope| {
            let write = |n: usize| {
                let (writer, start) = (&writer, &start);
                move || {
                    start.wait();
                    let write = |round: usize| {
                        let records = records(&format!("{n}/{round}"), if n < 2 { 700 } else { 1 });
                        if n.is_multiple_of(2) { writer.append(records) } else { put(writer, &records) }
                    };
                    (0..50).map(|round| u32::from(write(round).is_ok())).sum::<u32>()
                }
            };
            let threads: Vec<_> = (0..6).map(|n| scope.spawn(write(n))).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).sum()
        });
        assert!(written > 0);
        assert_eq!(keys(&writer), written);
    }

    #[test]
    fn who_waits_too_long_for_another_process_is_told_to_try_again() {
        let (_directory, writer) = writer();
        let other = connection::connect(&writer.path).unwrap();
        run(&other, "BEGIN IMMEDIATE").unwrap();
        let connection = writer.take();
        let busy = begin(&connection, Instant::now()).unwrap_err();
        assert!(failed(&writer.path, busy).is_retryable());
        drop(writer.give_back(writer.lock(), connection));
        run(&other, "COMMIT").unwrap();
        put(&writer, &records("after", 1)).unwrap();
    }
}
