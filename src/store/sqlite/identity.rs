//! Which files a store consists of, so that it notices when others stand in their place.

use std::path::Path;

use rusqlite::ffi;

/// The files of a store, as they were when it was opened.
///
/// SQLite keeps files open, so that it goes on with those even after others were put in their place: what it reads is not
/// in the file at the path, and what it writes there is lost.
#[derive(Debug)]
pub(super) struct Identity {
    files: [Option<FileId>; 3],
}

/// The endings of the files of a store.
const ENDINGS: [&str; 3] = ["", "-wal", "-shm"];

impl Identity {
    /// Returns the identity of the files that are at a path now.
    pub(super) fn of(path: &Path) -> Self {
        Self { files: ENDINGS.map(|ending| file_id(path, ending)) }
    }

    /// Adds the files that are at the path since the store was opened.
    pub(super) fn completed(self, path: &Path) -> Self {
        let [file, ..] = self.files;
        let [now, wal, shm] = Self::of(path).files;
        Self { files: [file.or(now), wal, shm] }
    }

    /// Returns an error if there are other files at the path by now, or none.
    pub(super) fn check(&self, path: &Path) -> rusqlite::Result<()> {
        let is_same = |(ending, id): (&str, &Option<FileId>)| id.is_none() || file_id(path, ending) == *id;
        if ENDINGS.into_iter().zip(&self.files).all(is_same) {
            return Ok(());
        }
        Err(rusqlite::Error::SqliteFailure(ffi::Error::new(ffi::SQLITE_READONLY_DBMOVED), None))
    }
}

/// The device of a file, and its number there.
type FileId = (u64, u64);

#[cfg(unix)]
fn file_id(path: &Path, ending: &str) -> Option<FileId> {
    use std::os::unix::fs::MetadataExt as _;

    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    let metadata = std::fs::metadata(name).ok()?;
    Some((metadata.dev(), metadata.ino()))
}

/// A file that is open cannot be replaced there.
#[cfg(not(unix))]
fn file_id(_path: &Path, _ending: &str) -> Option<FileId> {
    None
}
