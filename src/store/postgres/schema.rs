//! The tables, and the version of them.

use super::connection::Connection;
use super::failure::Failure;
use crate::error::{Error, ErrorKind, Result};

const VERSION: i32 = 1;

/// Keeps out others who would make the tables at the same time. The number is ours: "ioenv".
const LOCK: &str = "SELECT pg_advisory_xact_lock(452840484470)";

/// From nothing to `VERSION`. "C" is the order of bytes.
const CREATE: &str = r#"
    CREATE TABLE IF NOT EXISTS ioenv_record (key text COLLATE "C" PRIMARY KEY, value jsonb NOT NULL);
    CREATE TABLE IF NOT EXISTS ioenv_schema (id boolean PRIMARY KEY CHECK (id), version integer NOT NULL);
    INSERT INTO ioenv_schema (id, version) VALUES (true, 1) ON CONFLICT (id) DO NOTHING;
"#;

const READ_VERSION: &str = "SELECT version, current_setting('server_encoding') FROM ioenv_schema";

/// The tables in their present version, made if need be.
pub(super) fn prepare(connection: &mut Connection) -> Result<(), Failure> {
    let row = connection.run(async |client| client.query_one("SELECT to_regclass('ioenv_schema')::text", &[]).await)?;
    if row.try_get::<_, Option<String>>(0)?.is_none() {
        // Whoever waits here for another one finds the tables made.
        connection.in_transaction = true;
        connection.run(async |client| {
            client.batch_execute(&format!("BEGIN ISOLATION LEVEL READ COMMITTED; {LOCK}; {CREATE}; COMMIT")).await
        })?;
        connection.in_transaction = false;
    }
    check_version(connection)
}

/// That the tables are there and are those of this version.
pub(super) fn check_version(connection: &mut Connection) -> Result<(), Failure> {
    let row = connection.run(async |client| client.query_opt(READ_VERSION, &[]).await)?;
    let version = row.as_ref().map(|row| row.try_get::<_, i32>(0)).transpose()?;
    let Some(row) = row.filter(|_| version >= Some(VERSION)) else {
        let message = "the version of ioenv's tables is missing: restore the table ioenv_schema from a backup";
        return Err(Error::new(ErrorKind::Corrupt, message).into());
    };
    if version > Some(VERSION) {
        let message = "the database was made by a newer version of ioenv: update this program";
        return Err(Error::new(ErrorKind::UnsupportedVersion, message).into());
    }
    if row.try_get::<_, String>(1)? != "UTF8" {
        let message = "the database's encoding is not UTF8: create it anew with ENCODING 'UTF8'";
        return Err(Error::new(ErrorKind::Config, message).into());
    }
    Ok(())
}

/// Reads every record by way of the index: PostgreSQL finds damage only in what it reads.
pub(super) fn read_everything(connection: &mut Connection) -> Result<(), Failure> {
    let sql =
        "SELECT count(value::text) FROM (SELECT value FROM ioenv_record WHERE key >= '' ORDER BY key) AS all_of_them";
    connection.run(async |client| client.query_one(sql, &[]).await)?;
    Ok(())
}
