//! The lock beside a sealed file.

use std::fs::{File, OpenOptions, TryLockError};
use std::io;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use crate::error::{Error, ErrorKind, Result};
use crate::files::replace::beside;

/// How long a writer waits for another one.
const PATIENCE: Duration = Duration::from_secs(10);
const PAUSE: Duration = Duration::from_millis(5);

/// Keeps other writers away while it lives. Readers do not look at it.
///
/// A file of its own is locked, because the lock on the sealed file would go with the file that a rename replaces.
#[derive(Debug)]
pub(super) struct Lock {
    _file: File,
}

impl Lock {
    pub(super) fn acquire(target: &Path) -> Result<Self> {
        let path = beside(target, ".lock");
        let io = |error| Error::io(format!("cannot lock {}", path.display()), error);
        let opened = OpenOptions::new().create(true).truncate(false).write(true).open(&path);
        // A colleague's lock file may be read-only for us; to lock it, reading is enough.
        let file = match opened {
            Err(error) if error.kind() == io::ErrorKind::PermissionDenied => File::open(&path).map_err(io)?,
            opened => opened.map_err(io)?,
        };
        let deadline = Instant::now() + PATIENCE;
        loop {
            match file.try_lock() {
                Ok(()) => return Ok(Self { _file: file }),
                Err(TryLockError::WouldBlock) if Instant::now() < deadline => thread::sleep(PAUSE),
                Err(TryLockError::WouldBlock) => {
                    let message =
                        "another program has been changing the file for 10 seconds: try again when it is done";
                    return Err(Error::new(ErrorKind::Unavailable, message).with_file(target));
                }
                Err(TryLockError::Error(error)) => return Err(io(error)),
            }
        }
    }
}
