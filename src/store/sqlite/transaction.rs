use std::path::Path;
use std::sync::Arc;

use rusqlite::{Connection, OptionalExtension as _, Params, Row, params};

use super::connection::failed;
use crate::error::Result;
use crate::store::record::{KeyRange, Order, Record, check_record};
use crate::store::transaction::{Access, Precondition, Transaction, precondition_failed, read_only};

pub(super) const UPSERT: &str =
    "INSERT INTO record (key, value) VALUES (?1, ?2) ON CONFLICT (key) DO UPDATE SET value = excluded.value";
const INSERT: &str = "INSERT INTO record (key, value) VALUES (?1, ?2) ON CONFLICT (key) DO NOTHING";
const UPDATE: &str = "UPDATE record SET value = ?2 WHERE key = ?1";

/// Runs a statement, and says how many rows it changed.
fn execute(connection: &Connection, sql: &str, params: impl Params) -> rusqlite::Result<usize> {
    connection.prepare_cached(sql)?.execute(params)
}

/// Runs a statement that has neither parameters nor rows.
pub(super) fn run(connection: &Connection, sql: &str) -> rusqlite::Result<()> {
    execute(connection, sql, []).map(drop)
}

pub(super) struct SqliteTransaction<'a> {
    connection: &'a Connection,
    path: &'a Path,
    access: Access,
    broken: Option<Arc<rusqlite::Error>>,
}

impl<'a> SqliteTransaction<'a> {
    pub(super) fn new(connection: &'a Connection, path: &'a Path, access: Access) -> Self {
        Self { connection, path, access, broken: None }
    }

    /// The error of the first statement that failed.
    pub(super) fn broken(&self) -> Option<Arc<rusqlite::Error>> {
        self.broken.clone()
    }

    /// That error, for a work that has succeeded in spite of it.
    pub(super) fn finish(&self) -> Result<()> {
        match &self.broken {
            Some(error) => Err(failed(self.path, Arc::clone(error))),
            None => Ok(()),
        }
    }

    /// Runs a statement, unless one has failed before: with some errors SQLite ends the transaction by itself, and each
    /// further statement would be a transaction of its own.
    fn statement<T>(&mut self, statement: impl FnOnce(&Connection) -> rusqlite::Result<T>) -> Result<T> {
        self.finish()?;
        statement(self.connection).map_err(|error| {
            let error = Arc::new(error);
            self.broken = Some(Arc::clone(&error));
            failed(self.path, error)
        })
    }

    fn writable(&self) -> Result<()> {
        if self.access == Access::Read { Err(read_only()) } else { Ok(()) }
    }
}

impl Transaction for SqliteTransaction<'_> {
    fn get(&mut self, key: &str) -> Result<Option<String>> {
        self.statement(|connection| {
            let mut select = connection.prepare_cached("SELECT value FROM record WHERE key = ?1")?;
            select.query_row([key], |row| row.get(0)).optional()
        })
    }

    fn put(&mut self, key: &str, value: &str, when: Precondition) -> Result<()> {
        self.writable()?;
        check_record(key, value)?;
        let sql = match when {
            Precondition::Always => UPSERT,
            Precondition::Absent => INSERT,
            Precondition::Present => UPDATE,
        };
        let changed = self.statement(|connection| execute(connection, sql, [key, value]))?;
        if changed == 0 { Err(precondition_failed(when)) } else { Ok(()) }
    }

    fn delete(&mut self, key: &str) -> Result<bool> {
        self.writable()?;
        let deleted = self.statement(|connection| execute(connection, "DELETE FROM record WHERE key = ?1", [key]))?;
        Ok(deleted > 0)
    }

    fn scan(&mut self, range: &KeyRange, order: Order, limit: usize) -> Result<Vec<Record>> {
        let sql = match (order, range.end.is_some()) {
            (Order::Ascending, false) => "SELECT key, value FROM record WHERE key >= ?1 ORDER BY key LIMIT ?2",
            (Order::Descending, false) => "SELECT key, value FROM record WHERE key >= ?1 ORDER BY key DESC LIMIT ?2",
            (Order::Ascending, true) => {
                "SELECT key, value FROM record WHERE key >= ?1 AND key < ?3 ORDER BY key LIMIT ?2"
            }
            (Order::Descending, true) => {
                "SELECT key, value FROM record WHERE key >= ?1 AND key < ?3 ORDER BY key DESC LIMIT ?2"
            }
        };
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        self.statement(|connection| {
            let mut select = connection.prepare_cached(sql)?;
            let record = |row: &Row<'_>| Ok(Record { key: row.get(0)?, value: row.get(1)? });
            match &range.end {
                Some(end) => select.query_map(params![range.start, limit, end], record)?.collect(),
                None => select.query_map(params![range.start, limit], record)?.collect(),
            }
        })
    }
}
