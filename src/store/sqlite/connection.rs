//! How a connection is made, and what its errors mean.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, ErrorCode, OpenFlags, TransactionBehavior, ffi};

use super::patience::{ATTEMPTS, PAUSE};
use crate::error::{Error, ErrorKind, Result};

/// "ioen": what tells a store from the SQLite files of other programs.
const APPLICATION_ID: i32 = 0x696f_656e;
const VERSION: i32 = 1;
// The index has the keys alone, so that it stays flat; without row ids, values would stand in the inner pages of the tree.
// BINARY, the default, orders by the bytes of UTF-8.
const SCHEMA: &str =
    "CREATE TABLE record (id INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE, value TEXT NOT NULL) STRICT";

pub(super) const DAMAGED: &str = "the store is damaged: restore it from a backup";

/// The path from the root: SQLite gives names like `:memory:` a meaning, and the process may change its directory.
pub(super) fn absolute(path: &Path) -> Result<PathBuf> {
    std::path::absolute(path).map_err(|error| Error::io("the store has no path", error))
}

/// A connection to a new file.
pub(super) fn create(path: &Path) -> Result<Connection> {
    let io = |error| Error::io(format!("cannot create {}", path.display()), error);
    let directory = path.parent().unwrap_or(path);
    builder().create(directory).map_err(io)?;
    match options().open(path) {
        // Closing a file drops the locks that SQLite may have on it in this process, but nobody can have any on a new one.
        Ok(file) => drop(file),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            let message = "there is such a file already: open it, or name another one";
            return Err(Error::new(ErrorKind::Conflict, message).with_file(path));
        }
        Err(error) => return Err(io(error)),
    }
    let made = connect(path).and_then(|mut connection| {
        initialize(&mut connection).map_err(|error| failed(path, error))?;
        if cfg!(unix) {
            File::open(directory).and_then(|directory| directory.sync_all()).map_err(io)?;
        }
        Ok(connection)
    });
    if made.is_err() {
        // Best effort: what is left is no store, and says so when it is opened.
        let _ = fs::remove_file(path);
    }
    made
}

fn initialize(connection: &mut Connection) -> rusqlite::Result<()> {
    log_ahead(connection)?;
    let tx = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    tx.execute_batch(SCHEMA)?;
    tx.pragma_update(None, "application_id", APPLICATION_ID)?;
    tx.pragma_update(None, "user_version", VERSION)?;
    tx.commit()
}

/// A connection to a file that is a store.
pub(super) fn open(path: &Path) -> Result<Connection> {
    // The file is looked at and not opened: closing it would drop the locks that SQLite has on it in this process.
    match fs::metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let message = "there is no store here: correct the path, or create one";
            return Err(Error::new(ErrorKind::NotFound, message).with_file(path));
        }
        Err(error) => return Err(Error::io(format!("cannot open {}", path.display()), error)),
        Ok(metadata) if !metadata.is_file() => {
            return Err(Error::new(ErrorKind::Io, "the store is not a file: correct the path").with_file(path));
        }
        Ok(_) => {}
    }
    let connection = connect(path)?;
    let sqlite = |error| failed(path, error);
    let pragma = |name| connection.pragma_query_value(None, name, |row| row.get::<_, i32>(0)).map_err(sqlite);
    if pragma("application_id")? != APPLICATION_ID {
        let message = "the file is not a store, or its creation was cut short: name another file, or remove this one";
        return Err(Error::new(ErrorKind::Corrupt, message).with_file(path));
    }
    let version = pragma("user_version")?;
    if version > VERSION {
        let message = "a newer version of ioenv made this store: use that one";
        return Err(Error::new(ErrorKind::UnsupportedVersion, message).with_file(path));
    }
    if version < 1 {
        return Err(Error::new(ErrorKind::Corrupt, DAMAGED).with_file(path));
    }
    if connection.is_readonly("main").map_err(sqlite)? {
        return Err(Error::new(ErrorKind::Io, READ_ONLY).with_file(path));
    }
    // A copy that SQLite's own tools made may have another mode.
    log_ahead(&connection).map_err(sqlite)?;
    Ok(connection)
}

fn log_ahead(connection: &Connection) -> rusqlite::Result<()> {
    connection.pragma_update_and_check(None, "journal_mode", "WAL", |_| Ok(()))
}

/// One more connection to a file that [`open`] has looked at.
pub(super) fn connect(path: &Path) -> Result<Connection> {
    // A connection is used by one thread at a time, so that SQLite need not lock it. It creates no file, and a path is
    // not a URI.
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connect = || {
        let mut connection = Connection::open_with_flags(path, flags)?;
        // Looks often: SQLite's own pauses grow, and who has waited long would lose against who just came.
        connection.busy_handler(Some(|attempts| {
            thread::sleep(PAUSE);
            attempts < ATTEMPTS
        }))?;
        // Nothing that is written in the file itself is run.
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_TRUSTED_SCHEMA, false)?;
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_TRIGGER, false)?;
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_VIEW, false)?;
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true)?;
        // What is deleted is overwritten: it may have been a key.
        connection.execute_batch(
            "PRAGMA synchronous = FULL; PRAGMA foreign_keys = OFF; PRAGMA cell_size_check = ON; \
             PRAGMA temp_store = MEMORY; PRAGMA secure_delete = ON;",
        )?;
        Ok(connection)
    };
    connect().map_err(|error: rusqlite::Error| failed(path, error))
}

const READ_ONLY: &str = "the store may only be read: let this user write the file and its directory";

const MOVED: &str = "another file is in the place of the store, or none, so that nothing is read or written any more: put the \
                     files back, or restart the programs that use the store; replace it only while none does";

fn is_moved(error: ffi::Error) -> bool {
    error.extended_code == ffi::SQLITE_READONLY_DBMOVED
}

/// What an error of SQLite means to who uses the store. Its own text names tables and pages, and no values.
pub(super) fn failed(path: &Path, error: impl Into<Arc<rusqlite::Error>>) -> Error {
    let error = error.into();
    let (kind, message) = match error.sqlite_error_code() {
        Some(ErrorCode::ReadOnly) if error.sqlite_error().is_some_and(|error| is_moved(*error)) => {
            (ErrorKind::Unavailable, MOVED)
        }
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => {
            let message = "another program has been writing to the store for 10 seconds: try again when it is done";
            (ErrorKind::Unavailable, message)
        }
        Some(ErrorCode::NotADatabase) => (ErrorKind::Corrupt, "the file is not a store: correct the path"),
        Some(ErrorCode::DiskFull) => (ErrorKind::Io, "the disk is full, nothing was written: make room"),
        Some(ErrorCode::ReadOnly) => (ErrorKind::Io, READ_ONLY),
        Some(ErrorCode::CannotOpen | ErrorCode::PermissionDenied) => {
            (ErrorKind::Io, "the store cannot be opened: let this user read and write the file and its directory")
        }
        Some(ErrorCode::SystemIoFailure) => {
            (ErrorKind::Io, "the disk failed, nothing was written: see the system's log")
        }
        Some(ErrorCode::OutOfMemory) => (ErrorKind::Io, "there is not enough memory, nothing was written"),
        _ => (ErrorKind::Corrupt, DAMAGED),
    };
    Error::new(kind, message).with_file(path).with_source(error)
}

#[cfg(unix)]
fn builder() -> DirBuilder {
    use std::os::unix::fs::DirBuilderExt as _;

    let mut builder = DirBuilder::new();
    builder.recursive(true).mode(0o700);
    builder
}

#[cfg(not(unix))]
fn builder() -> DirBuilder {
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    builder
}

/// Those of a file that is new, follows no link and is nobody else's to read. SQLite makes the files beside it alike.
fn options() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}
