//! The lock beside a sealed file, and its replacement as a whole.

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use crate::{Error, ErrorKind, Result};

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

/// Replaces `target` by `text`, or leaves it as it was: written beside, synced, renamed. [`sync_directory`] comes next.
///
/// The lock must be held: the file beside has one name, and what a killed writer left of it is written over.
pub(super) fn replace(_lock: &Lock, target: &Path, text: &str) -> Result<()> {
    let beside = beside(target, ".tmp");
    let written = write_beside(&beside, target, text).and_then(|()| fs::rename(&beside, target));
    if let Err(error) = written {
        // Best effort: the next writer would remove it too.
        let _ = fs::remove_file(&beside);
        return Err(Error::io(format!("cannot write {}; it is as it was", target.display()), error));
    }
    Ok(())
}

fn write_beside(beside: &Path, target: &Path, text: &str) -> io::Result<()> {
    match fs::remove_file(beside) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    // `create_new` follows no link that somebody may have put there.
    let mut file = OpenOptions::new().create_new(true).write(true).open(beside)?;
    if let Ok(metadata) = fs::metadata(target) {
        file.set_permissions(metadata.permissions())?;
    }
    file.write_all(text.as_bytes())?;
    file.sync_all()
}

/// Makes the rename last. Windows syncs it with the file system's own journal, and opens no directory as a file.
pub(super) fn sync_directory(target: &Path) -> Result<()> {
    if cfg!(not(unix)) {
        return Ok(());
    }
    File::open(directory(target)).and_then(|directory| directory.sync_all()).map_err(|error| {
        Error::io(format!("{} was written, and its directory cannot be synced", target.display()), error)
    })
}

fn directory(target: &Path) -> &Path {
    match target.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}

/// `.NAME` with `suffix`, in the directory of `target`.
fn beside(target: &Path, suffix: &str) -> PathBuf {
    let mut name = OsString::from(".");
    name.push(target.file_name().unwrap_or_default());
    name.push(suffix);
    directory(target).join(name)
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
