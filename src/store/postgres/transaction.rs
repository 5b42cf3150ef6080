//! One transaction: reads as they come, writes in one go with the commit.

use std::collections::{BTreeMap, HashMap};
use std::ops::Bound;

use futures_util::future::{join, join3};
use tokio_postgres::Row;
use tokio_postgres::types::ToSql;

use super::connection::Connection;
use super::failure::Failure;
use super::read_ahead::{Asked, Expected, ReadAhead};
use crate::error::{Error, ErrorKind, Result};
use crate::store::record::{KeyRange, Order, Record, check_record};
use crate::store::transaction::{Access, Precondition, Transaction, precondition_failed, read_only};

pub(super) const GET: &str = "SELECT value::text FROM ioenv_record WHERE key = $1";
pub(super) const GET_ALL: &str = "SELECT key, value::text FROM ioenv_record WHERE key = ANY ($1::text[])";
const EXISTS: &str = "SELECT EXISTS (SELECT 1 FROM ioenv_record WHERE key = $1)";

/// One statement for each shape, because a plan for all of them would not begin and end where the range does.
const ASCENDING: &str = "SELECT key, value::text FROM ioenv_record WHERE key >= $1 ORDER BY key LIMIT $2";
const ASCENDING_TO: &str =
    "SELECT key, value::text FROM ioenv_record WHERE key >= $1 AND key < $3 ORDER BY key LIMIT $2";
const DESCENDING: &str = "SELECT key, value::text FROM ioenv_record WHERE key >= $1 ORDER BY key DESC LIMIT $2";
const DESCENDING_TO: &str =
    "SELECT key, value::text FROM ioenv_record WHERE key >= $1 AND key < $3 ORDER BY key DESC LIMIT $2";

pub(super) const UPSERT: &str = "INSERT INTO ioenv_record (key, value) \
     SELECT given.key, given.value::jsonb FROM unnest($1::text[], $2::text[]) AS given (key, value) \
     ON CONFLICT (key) DO UPDATE SET value = excluded.value";
const DELETE: &str = "DELETE FROM ioenv_record WHERE key = ANY ($1::text[])";

/// Most that one transaction writes: half of what PostgreSQL takes in one message.
const MAX_WRITE_BYTES: usize = 512 * 1024 * 1024;

pub(super) struct Running<'a> {
    connection: &'a mut Connection,
    access: Access,
    /// What is to be written: the value, or that the record goes.
    writes: BTreeMap<String, Option<String>>,
    /// What was read ahead.
    ahead: HashMap<String, Option<String>>,
    /// Which records the database has, as far as it was asked: in a transaction it does not change its answer.
    exists: HashMap<String, bool>,
    /// What has ended the transaction, whatever the caller makes of it.
    failure: Option<Failure>,
    habits: &'a ReadAhead,
    name: Option<String>,
    /// What was asked for, if the transaction has a name.
    asked: Vec<Asked>,
    /// Whether ranges were asked for.
    has_scanned: bool,
    /// What it is expected to read first of all.
    expected: Option<Expected>,
    /// Whether what is expected may be read in a transaction that ends with it.
    may_end_early: bool,
    /// Whether all was read, and the transaction has ended.
    has_ended: bool,
}

impl<'a> Running<'a> {
    /// A transaction that has not begun. If it `may_end_early`, it can fail as unforeseen.
    pub(super) fn new(
        connection: &'a mut Connection,
        access: Access,
        habits: &'a ReadAhead,
        may_end_early: bool,
    ) -> Self {
        Self {
            connection,
            access,
            writes: BTreeMap::new(),
            ahead: HashMap::new(),
            exists: HashMap::new(),
            failure: None,
            habits,
            name: None,
            asked: Vec::new(),
            has_scanned: false,
            expected: None,
            may_end_early,
            has_ended: false,
        }
    }

    /// Ends the transaction as the `outcome` of the work wants it, and returns that outcome.
    pub(super) fn finish(mut self, outcome: Result<()>) -> Result<Result<()>, Failure> {
        if let Some(failure) = self.failure.take() {
            if self.connection.in_transaction && !matches!(failure, Failure::Lost(_)) {
                // What it answers is no news; without an answer, the connection is not used again.
                let _ = self.end("ROLLBACK");
            }
            return Err(failure);
        }
        if outcome.is_ok() && !self.writes.is_empty() {
            self.write()?;
        } else if self.connection.in_transaction {
            // Only a commit tells whether what was read, and so the outcome, can be relied on.
            self.end("COMMIT")?;
        }
        if let Some(name) = self.name.take().filter(|_| outcome.is_ok()) {
            self.habits.learn(&name, self.asked, !self.has_scanned);
        }
        Ok(outcome)
    }

    fn end(&mut self, how: &str) -> Result<(), Failure> {
        let ended = self.connection.run(async |client| client.batch_execute(how).await).map_err(Failure::from);
        self.ended(&ended);
        ended
    }

    /// A commit that is refused ends a transaction, too.
    fn ended(&mut self, answer: &Result<(), Failure>) {
        self.connection.in_transaction = matches!(answer, Err(Failure::Lost(_)));
    }

    /// The writes and the commit, which travel together. The server does not commit if a write has failed.
    fn write(&mut self) -> Result<(), Failure> {
        let mut deletes = Vec::new();
        let (mut keys, mut values) = (Vec::new(), Vec::new());
        for (key, value) in &self.writes {
            match value {
                Some(value) => {
                    keys.push(key);
                    values.push(value);
                }
                None => deletes.push(key),
            }
        }
        let bytes = |texts: &[&String]| texts.iter().map(|text| text.len()).sum::<usize>();
        if bytes(&keys) + bytes(&values) + bytes(&deletes) > MAX_WRITE_BYTES {
            let message = "a transaction writes more than 512 MiB: make the change in several parts";
            return Err(Error::new(ErrorKind::Limit, message).into());
        }
        let upsert = self.connection.prepared(UPSERT)?;
        let delete = self.connection.prepared(DELETE)?;
        if !self.connection.in_transaction {
            // On its own: were it to fail beside a write, the write would be a transaction of another kind.
            self.connection.in_transaction = true;
            self.connection.run(async |client| client.batch_execute(begin(Access::Write)).await)?;
        }
        let (put, removed, committed) = self.connection.run(async |client| {
            let upsert =
                async { if keys.is_empty() { Ok(0) } else { client.execute(&upsert, &[&keys, &values]).await } };
            let delete = async { if deletes.is_empty() { Ok(0) } else { client.execute(&delete, &[&deletes]).await } };
            join3(upsert, delete, client.batch_execute("COMMIT")).await
        });
        let written = put.and(removed).map_err(Failure::from);
        let committed = committed.map_err(Failure::from);
        self.ended(&committed);
        written.and(committed).map_err(Failure::of_commit)
    }

    fn query(&mut self, sql: &'static str, parameters: &[&(dyn ToSql + Sync)]) -> Result<Vec<Row>> {
        let answer = match self.failure {
            None => self.try_query(sql, parameters),
            Some(_) => return Err(interrupted()),
        };
        answer.map_err(|failure| {
            self.failure = Some(failure);
            interrupted()
        })
    }

    fn try_query(&mut self, sql: &'static str, parameters: &[&(dyn ToSql + Sync)]) -> Result<Vec<Row>, Failure> {
        if self.has_ended {
            return Err(Failure::Unforeseen);
        }
        let statement = self.connection.prepared(sql)?;
        if self.connection.in_transaction {
            return Ok(self.connection.run(async |client| client.query(&statement, parameters).await)?);
        }
        // The first question travels with the beginning.
        self.connection.in_transaction = true;
        let access = self.access;
        let (begun, rows) = self
            .connection
            .run(async |client| join(client.batch_execute(begin(access)), client.query(&statement, parameters)).await);
        begun?;
        Ok(rows?)
    }

    /// Reads what the transaction is expected to read, before anything else.
    fn read_ahead(&mut self) -> Result<()> {
        let Some(Expected { keys, is_all }) = self.expected.take() else {
            return Ok(());
        };
        let rows = if is_all && self.may_end_early && !self.connection.in_transaction {
            self.query_and_end(&keys).map_err(|failure| {
                self.failure = Some(failure);
                interrupted()
            })?
        } else {
            self.query(GET_ALL, &[&*keys])?
        };
        self.keep(keys.iter().cloned(), &rows)
    }

    /// Reads records in a transaction that begins and ends with it, in one round trip.
    fn query_and_end(&mut self, keys: &[String]) -> Result<Vec<Row>, Failure> {
        let statement = self.connection.prepared(GET_ALL)?;
        self.connection.in_transaction = true;
        let (begun, rows, ended) = self.connection.run(async |client| {
            let begun = client.batch_execute(begin(Access::Read));
            join3(begun, client.query(&statement, &[&keys]), client.batch_execute("COMMIT")).await
        });
        let ended = ended.map_err(Failure::from);
        self.ended(&ended);
        begun?;
        let rows = rows?;
        ended?;
        self.has_ended = true;
        Ok(rows)
    }

    /// Keeps what the database has at these keys.
    fn keep(&mut self, keys: impl Iterator<Item = String>, rows: &[Row]) -> Result<()> {
        let mut found = HashMap::new();
        for row in rows {
            found.insert(self.column::<String>(row, 0)?, self.column::<String>(row, 1)?);
        }
        for key in keys {
            let value = found.remove(&key);
            self.exists.insert(key.clone(), value.is_some());
            self.ahead.insert(key, value);
        }
        Ok(())
    }

    /// Notes that a record was asked for.
    fn asked(&mut self, key: &str, value: Option<&String>) {
        if self.name.is_some() && !self.asked.iter().any(|(asked, _)| asked == key) {
            self.asked.push((key.to_owned(), value.map_or(0, String::len)));
        }
    }

    fn column<T>(&mut self, row: &Row, index: usize) -> Result<T>
    where
        T: for<'r> tokio_postgres::types::FromSql<'r>,
    {
        row.try_get(index).map_err(|error| {
            self.failure = Some(error.into());
            interrupted()
        })
    }

    fn has(&mut self, key: &str) -> Result<bool> {
        if let Some(write) = self.writes.get(key) {
            return Ok(write.is_some());
        }
        if let Some(exists) = self.exists.get(key) {
            return Ok(*exists);
        }
        let rows = self.query(EXISTS, &[&key])?;
        let exists = rows.first().map_or(Ok(false), |row| self.column(row, 0))?;
        self.exists.insert(key.to_owned(), exists);
        Ok(exists)
    }

    fn may_write(&self) -> Result<()> {
        if self.access == Access::Write { Ok(()) } else { Err(read_only()) }
    }
}

impl Transaction for Running<'_> {
    fn get(&mut self, key: &str) -> Result<Option<String>> {
        if let Some(write) = self.writes.get(key) {
            return Ok(write.clone());
        }
        // No record has such a key, and PostgreSQL no such text. What is known not to be there need not be asked for.
        if key.contains('\0') {
            return Ok(None);
        }
        self.read_ahead()?;
        let value = if self.exists.get(key) == Some(&false) {
            None
        } else if let Some(value) = self.ahead.get(key) {
            value.clone()
        } else {
            let rows = self.query(GET, &[&key])?;
            self.exists.insert(key.to_owned(), !rows.is_empty());
            rows.first().map(|row| self.column(row, 0)).transpose()?
        };
        self.asked(key, value.as_ref());
        Ok(value)
    }

    fn named(&mut self, name: &str) {
        if self.access == Access::Read {
            self.expected = self.habits.expected(name);
            self.name = Some(name.to_owned());
        }
    }

    fn prefetch(&mut self, keys: &[String]) -> Result<()> {
        self.read_ahead()?;
        let is_unknown =
            |key: &&String| !self.writes.contains_key(*key) && !self.ahead.contains_key(*key) && !key.contains('\0');
        let keys: Vec<&String> = keys.iter().filter(is_unknown).collect();
        // One by one is as far for one.
        if keys.len() < 2 {
            return Ok(());
        }
        let rows = self.query(GET_ALL, &[&keys])?;
        self.keep(keys.into_iter().cloned(), &rows)
    }

    fn put(&mut self, key: &str, value: &str, when: Precondition) -> Result<()> {
        self.may_write()?;
        check_record(key, value)?;
        let holds = match when {
            Precondition::Always => true,
            Precondition::Absent => !self.has(key)?,
            Precondition::Present => self.has(key)?,
        };
        if !holds {
            return Err(precondition_failed(when));
        }
        self.writes.insert(key.to_owned(), Some(value.to_owned()));
        Ok(())
    }

    fn delete(&mut self, key: &str) -> Result<bool> {
        self.may_write()?;
        let existed = !key.contains('\0') && self.has(key)?;
        if existed {
            self.writes.insert(key.to_owned(), None);
        }
        Ok(existed)
    }

    fn scan(&mut self, range: &KeyRange, order: Order, limit: usize) -> Result<Vec<Record>> {
        self.has_scanned = true;
        if let Some(expected) = &mut self.expected {
            expected.is_all = false;
        }
        self.read_ahead()?;
        let start = without_nul(&range.start);
        let end = range.end.as_deref().map(without_nul);
        if limit == 0 || end.as_ref().is_some_and(|end| *end <= start) {
            return Ok(Vec::new());
        }
        let bounds = (Bound::Included(start.as_str()), end.as_deref().map_or(Bound::Unbounded, Bound::Excluded));
        let writes: Vec<(String, Option<String>)> =
            self.writes.range::<str, _>(bounds).map(|(key, value)| (key.clone(), value.clone())).collect();
        // As many more as may be gone, so that enough are left.
        let gone = writes.iter().filter(|(_, value)| value.is_none()).count();
        let most = i64::try_from(limit.saturating_add(gone)).unwrap_or(i64::MAX);
        let rows = match (order, &end) {
            (Order::Ascending, None) => self.query(ASCENDING, &[&start, &most]),
            (Order::Ascending, Some(end)) => self.query(ASCENDING_TO, &[&start, &most, end]),
            (Order::Descending, None) => self.query(DESCENDING, &[&start, &most]),
            (Order::Descending, Some(end)) => self.query(DESCENDING_TO, &[&start, &most, end]),
        }?;
        let mut found = Vec::with_capacity(rows.len());
        for row in &rows {
            found.push(Record { key: self.column(row, 0)?, value: self.column(row, 1)? });
        }
        if writes.is_empty() {
            return Ok(found);
        }
        let mut merged: BTreeMap<String, String> = found.into_iter().map(|record| (record.key, record.value)).collect();
        for (key, value) in writes {
            match value {
                Some(value) => merged.insert(key, value),
                None => merged.remove(&key),
            };
        }
        let records = merged.into_iter().map(|(key, value)| Record { key, value });
        Ok(match order {
            Order::Ascending => records.take(limit).collect(),
            Order::Descending => records.rev().take(limit).collect(),
        })
    }
}

fn begin(access: Access) -> &'static str {
    match access {
        Access::Read => "BEGIN ISOLATION LEVEL SERIALIZABLE READ ONLY",
        Access::Write => "BEGIN ISOLATION LEVEL SERIALIZABLE READ WRITE",
    }
}

/// The same bound, as no key has a NUL in it: PostgreSQL takes none.
fn without_nul(bound: &str) -> String {
    bound.split_once('\0').map_or_else(|| bound.to_owned(), |(before, _)| format!("{before}\u{1}"))
}

/// What the work sees of a failure. The store knows what it was, and does not return this.
fn interrupted() -> Error {
    Error::new(ErrorKind::Unavailable, "the transaction was interrupted: return from it")
}
