//! The embedded store: one file, which several processes may use at the same time.

mod connection;
mod identity;
mod patience;
mod transaction;
mod writer;

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use rusqlite::Connection;

use self::identity::Identity;
use self::transaction::{SqliteTransaction, run};
use self::writer::Writer;
use crate::error::{Error, ErrorKind, Result};
use crate::store::record::{Record, check_record};
use crate::store::transaction::{Access, Store, Work};

/// Connections that are kept for the next readers.
const IDLE_READERS: usize = 16;

/// A store in a SQLite file. It starts no threads.
///
/// Any number of threads and processes may use the file, on a disk of this machine. Reads see the state at which they
/// began and do not wait for writes. Writes run one after another; what is written at the same time by several threads
/// becomes durable in one commit. Beside the file there are two more while it is in use, named as it is with `-wal` and
/// `-shm` added: all three are the store, so that a copy is made with [`copy`](super::copy()) and not with `cp`.
///
/// If one of the three is replaced or removed while it is in use, every call fails with `Unavailable` from then on, until the
/// store is opened again; nothing is written to the wrong file. A file is put back from a backup while no program uses it.
/// This is noticed on Unix; on Windows a file that is open cannot be replaced.
///
/// ```
/// # fn main() -> ioenv::Result<()> {
/// # let directory = tempfile::tempdir().unwrap();
/// # let path = directory.path().join("vault.db");
/// use ioenv::store::{Sqlite, StoreExt, Precondition};
///
/// let store = Sqlite::create(&path)?;
/// store.write(|tx| tx.put("greeting", "\"hello\"", Precondition::Absent))?;
/// # drop(store);
///
/// let store = Sqlite::open(&path)?;
/// assert_eq!(store.read(|tx| tx.get("greeting"))?.as_deref(), Some("\"hello\""));
/// # Ok(())
/// # }
/// ```
pub struct Sqlite {
    path: PathBuf,
    identity: Arc<Identity>,
    writer: Writer,
    readers: Mutex<Vec<Connection>>,
}

impl Sqlite {
    /// Makes a new file with an empty store in it, which only its owner may read. Directories that are missing are made
    /// for the owner alone, too.
    ///
    /// # Errors
    /// `Conflict`, when there is such a file; `Io`, when it cannot be made.
    pub fn create(path: impl AsRef<Path>) -> Result<Self> {
        let path = connection::absolute(path.as_ref())?;
        let connection = connection::create(&path)?;
        Self::with(connection, Identity::of(&path), path)
    }

    /// Opens the store in a file.
    ///
    /// # Errors
    /// `NotFound`, when there is no such file; `Corrupt`, when it is not a store; `UnsupportedVersion`, when a newer
    /// version of this crate made it; `Io`, when it may not be read and written; `Unavailable`, when another process
    /// does not let go of it.
    pub fn open(path: impl AsRef<Path>) -> Result<Self> {
        let path = connection::absolute(path.as_ref())?;
        // Before it is opened: if it is replaced meanwhile, the connection is to another file than the path.
        let identity = Identity::of(&path);
        Self::with(connection::open(&path)?, identity, path)
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    fn with(connection: Connection, identity: Identity, path: PathBuf) -> Result<Self> {
        let identity = Arc::new(identity.completed(&path));
        let writer = Writer::new(connection, path.clone(), Arc::clone(&identity))?;
        Ok(Self { identity, writer, readers: Mutex::default(), path })
    }

    /// Runs `work` with a connection that nobody else uses. One in which `work` fails or panics is closed.
    fn with_reader(&self, work: impl FnOnce(&Connection) -> Result<()>) -> Result<()> {
        let idle = self.readers.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let connection = match idle {
            Some(connection) => connection,
            None => {
                self.check_identity()?;
                connection::connect(&self.path)?
            }
        };
        let worked = work(&connection);
        // Other files are the better reason for whatever failed.
        self.check_identity()?;
        worked?;
        let mut readers = self.readers.lock().unwrap_or_else(PoisonError::into_inner);
        if readers.len() < IDLE_READERS {
            readers.push(connection);
        }
        Ok(())
    }
}

impl Sqlite {
    /// Refuses to go on with files that are no longer at the path.
    fn check_identity(&self) -> Result<()> {
        self.identity.check(&self.path).map_err(|error| connection::failed(&self.path, error))
    }
}

impl fmt::Debug for Sqlite {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sqlite").field("path", &self.path).finish_non_exhaustive()
    }
}

impl Store for Sqlite {
    fn transaction(&self, access: Access, work: &mut Work<'_>) -> Result<()> {
        if access == Access::Write {
            return self.writer.transaction(work);
        }
        let mut worked = Ok(());
        self.with_reader(|connection| {
            let failed = |error| connection::failed(&self.path, error);
            run(connection, "BEGIN").map_err(failed)?;
            let mut tx = SqliteTransaction::new(connection, &self.path, Access::Read);
            worked = work(&mut tx);
            // After an error of its own SQLite may have ended the transaction, and there is none to commit.
            tx.finish()?;
            run(connection, "COMMIT").map_err(failed)
        })?;
        worked
    }

    fn append(&self, records: Vec<Record>) -> Result<()> {
        records.iter().try_for_each(|record| check_record(&record.key, &record.value))?;
        if records.is_empty() { Ok(()) } else { self.writer.append(records) }
    }

    fn check(&self) -> Result<()> {
        self.with_reader(|connection| {
            let found: String = connection
                .query_row("PRAGMA integrity_check(1)", [], |row| row.get(0))
                .map_err(|error| connection::failed(&self.path, error))?;
            if found == "ok" {
                return Ok(());
            }
            Err(Error::new(ErrorKind::Corrupt, connection::DAMAGED).with_file(&self.path).with_source(found))
        })
    }
}
