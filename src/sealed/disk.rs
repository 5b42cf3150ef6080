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
        Self::acquire_within(target, PATIENCE)
    }

    fn acquire_within(target: &Path, patience: Duration) -> Result<Self> {
        let path = beside(target, ".lock");
        let io = |error| Error::io(format!("cannot lock {}", path.display()), error);
        let opened = OpenOptions::new().create(true).truncate(false).write(true).open(&path);
        // A colleague's lock file may be read-only for us; to lock it, reading is enough.
        let file = match opened {
            Err(error) if error.kind() == io::ErrorKind::PermissionDenied => File::open(&path).map_err(io)?,
            opened => opened.map_err(io)?,
        };
        let deadline = Instant::now() + patience;
        loop {
            match file.try_lock() {
                Ok(()) => return Ok(Self { _file: file }),
                Err(TryLockError::WouldBlock) if Instant::now() < deadline => thread::sleep(PAUSE),
                Err(TryLockError::WouldBlock) => {
                    let message = format!(
                        "another program has been changing the file for {} seconds: try again when it is done",
                        patience.as_secs()
                    );
                    return Err(Error::new(ErrorKind::Unavailable, message).with_file(target));
                }
                Err(TryLockError::Error(error)) => return Err(io(error)),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_writer_does_not_wait_for_ever() {
        let directory = tempfile::tempdir().unwrap();
        let target = directory.path().join("ioenv.sealed");
        let held = Lock::acquire(&target).unwrap();
        let error = Lock::acquire_within(&target, Duration::ZERO).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unavailable);
        assert!(error.is_retryable());
        drop(held);
        Lock::acquire_within(&target, Duration::ZERO).unwrap();
    }
}
