//! The lock beside a sealed file.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use crate::error::{Error, ErrorKind, Result};
use crate::files::replace::{beside, share_like};

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
        let file = open(&path, target).map_err(io)?;
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

/// Opens the lock file, or creates it for those who may write the file that it protects.
fn open(path: &Path, target: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    // Somebody may have put a link or a pipe there, to have another file created or a writer wait.
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::custom_flags(&mut options, libc::O_NOFOLLOW | libc::O_NONBLOCK);
    let file = match options.write(true).create(true).truncate(false).open(path) {
        // A colleague's lock file may be read-only for us; to lock it, reading is enough.
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
            options.write(false).create(false).read(true).open(path)?
        }
        opened => opened?,
    };
    if !file.metadata()?.is_file() {
        return Err(io::ErrorKind::InvalidInput.into());
    }
    if let Ok(protected) = fs::metadata(target) {
        // Best effort: only the owner of the lock file can change who may open it.
        let _ = share_like(&file, &protected);
    }
    Ok(file)
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

    #[cfg(unix)]
    #[test]
    fn a_link_or_a_pipe_in_the_place_of_the_lock_is_refused_and_touches_nothing() {
        let directory = tempfile::tempdir().unwrap();
        let target = directory.path().join("ioenv.sealed");
        let (lock, elsewhere) = (beside(&target, ".lock"), directory.path().join("elsewhere"));
        std::os::unix::fs::symlink(&elsewhere, &lock).unwrap();
        assert_eq!(Lock::acquire(&target).unwrap_err().kind(), ErrorKind::Io);
        assert!(!elsewhere.exists());
        fs::remove_file(&lock).unwrap();
        assert!(std::process::Command::new("mkfifo").arg(&lock).status().unwrap().success());
        assert_eq!(Lock::acquire(&target).unwrap_err().kind(), ErrorKind::Io);
    }

    #[cfg(unix)]
    #[test]
    fn whoever_may_write_the_file_may_lock_it() {
        use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, chown};

        let directory = tempfile::tempdir().unwrap();
        let target = directory.path().join("ioenv.sealed");
        fs::write(&target, "").unwrap();
        let lock = beside(&target, ".lock");
        // As under a strict umask.
        fs::write(&lock, "").unwrap();
        fs::set_permissions(&lock, fs::Permissions::from_mode(0o600)).unwrap();
        fs::set_permissions(&target, fs::Permissions::from_mode(0o664)).unwrap();
        // Only root can give a file away.
        let is_given_away = chown(&target, Some(12_345), Some(12_346)).is_ok();
        drop(Lock::acquire(&target).unwrap());
        let metadata = fs::metadata(&lock).unwrap();
        assert_eq!(metadata.mode() & 0o777, 0o664);
        if is_given_away {
            assert_eq!((metadata.uid(), metadata.gid()), (12_345, 12_346));
        }
    }
}
