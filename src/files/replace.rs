//! Replacing a file as a whole.

use std::ffi::OsString;
#[cfg(unix)]
use std::fs::Permissions;
use std::fs::{self, File, Metadata, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::process;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::core::secret::SecretString;
use crate::error::{Error, Result};

/// Who may read a file that was replaced.
#[derive(Clone, Copy)]
pub(crate) enum Readers {
    /// Those who may read the file that is there. A new file gets the permissions that new files get.
    #[cfg_attr(not(feature = "sealed"), expect(dead_code, reason = "only the sealed file is shared"))]
    AsBefore,
    /// Its owner, where files have modes.
    Owner,
}

/// Writes text that holds secrets into a file that only its owner can read (mode 0600, where files have modes).
///
/// The file is replaced as a whole: whoever reads it, or crashes meanwhile, finds the old text or the new one. A link in
/// its place is replaced, not followed.
///
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use ioenv::{Document, write_private};
///
/// let directory = tempfile::tempdir()?;
/// let file = directory.path().join("service.env");
/// write_private(&file, &Document::parse("PORT=8080\n")?.to_export())?;
/// assert_eq!(std::fs::read_to_string(&file)?, "PORT=8080\n");
/// # Ok(())
/// # }
/// ```
///
/// # Errors
/// `Io`, such as for a full disk.
pub fn write_private(file: &Path, text: &SecretString) -> Result<()> {
    static COUNT: AtomicU64 = AtomicU64::new(0);

    // Nothing keeps other writers away, so each has a file of its own beside.
    let suffix = format!(".{}-{}.tmp", process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
    let written = replace(file, &suffix, text.expose_secret(), Readers::Owner).and_then(|()| sync_directory(file));
    written.map_err(|error| Error::io(format!("cannot write {}", file.display()), error))
}

/// Replaces `target` by `text`, or leaves it as it was: writes [`beside`] it, syncs, and renames. To make that survive a
/// power failure, [`sync_directory`] comes next.
///
/// There must be no other writer with that suffix. What a killed one left is written over.
pub(crate) fn replace(target: &Path, suffix: &str, text: &str, readers: Readers) -> io::Result<()> {
    let beside = beside(target, suffix);
    let written = write_new(&beside, target, text, readers).and_then(|()| fs::rename(&beside, target));
    if written.is_err() {
        // Best effort: the next writer would remove it too.
        let _ = fs::remove_file(&beside);
    }
    written
}

fn write_new(beside: &Path, target: &Path, text: &str, readers: Readers) -> io::Result<()> {
    match fs::remove_file(beside) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut options = OpenOptions::new();
    // `create_new` follows no link that somebody may have put there.
    options.create_new(true).write(true);
    #[cfg(unix)]
    if matches!(readers, Readers::Owner) {
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    }
    let mut file = options.open(beside)?;
    if matches!(readers, Readers::AsBefore)
        && let Ok(metadata) = fs::metadata(target)
    {
        share_like(&file, &metadata)?;
    }
    file.write_all(text.as_bytes())?;
    file.sync_all()
}

/// Gives a file to the owner and the group of another one, as far as this process may, and lets the same people read and
/// write it. If it cannot have the same group, its own group gets no access.
#[cfg(unix)]
pub(crate) fn share_like(file: &File, other: &Metadata) -> io::Result<()> {
    use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, fchown};

    let own = file.metadata()?;
    // Only root can give a file away; its owner can give it to a group they are in.
    if own.uid() != other.uid() || own.gid() != other.gid() {
        let _ = fchown(file, Some(other.uid()), Some(other.gid())).or_else(|_| fchown(file, None, Some(other.gid())));
    }
    let has_group = file.metadata()?.gid() == other.gid();
    let mode = other.mode() & if has_group { 0o777 } else { 0o707 };
    if file.metadata()?.mode() & 0o777 == mode { Ok(()) } else { file.set_permissions(Permissions::from_mode(mode)) }
}

#[cfg(not(unix))]
pub(crate) fn share_like(file: &File, other: &Metadata) -> io::Result<()> {
    file.set_permissions(other.permissions())
}

/// Makes a rename in the directory of `target` survive a power failure. Windows syncs it with the file system's own
/// journal, and opens no directory as a file.
pub(crate) fn sync_directory(target: &Path) -> io::Result<()> {
    if cfg!(not(unix)) {
        return Ok(());
    }
    File::open(directory(target))?.sync_all()
}

/// Returns `.NAME` with the suffix, in the directory of `target`.
pub(crate) fn beside(target: &Path, suffix: &str) -> PathBuf {
    let mut name = OsString::from(".");
    name.push(target.file_name().unwrap_or_default());
    name.push(suffix);
    directory(target).join(name)
}

fn directory(target: &Path) -> &Path {
    match target.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(directory: &Path) -> Vec<OsString> {
        fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().file_name()).collect()
    }

    #[test]
    fn a_private_file_is_replaced_as_a_whole_and_nothing_stays_beside_it() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("service.env");
        for text in ["A=1\n", "B=2\n"] {
            write_private(&file, &text.into()).unwrap();
            assert_eq!(fs::read_to_string(&file).unwrap(), text);
        }
        assert_eq!(names(directory.path()), ["service.env"]);
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
        }
    }

    #[cfg(unix)]
    #[test]
    fn a_link_in_the_place_of_a_private_file_is_not_followed() {
        let directory = tempfile::tempdir().unwrap();
        let (file, other) = (directory.path().join("service.env"), directory.path().join("other"));
        fs::write(&other, "theirs").unwrap();
        std::os::unix::fs::symlink(&other, &file).unwrap();
        write_private(&file, &"A=1\n".into()).unwrap();
        assert_eq!(fs::read_to_string(&other).unwrap(), "theirs");
        assert!(fs::symlink_metadata(&file).unwrap().is_file());
    }

    #[test]
    fn what_cannot_be_written_names_the_file_and_leaves_nothing() {
        let directory = tempfile::tempdir().unwrap();
        let taken = directory.path().join("service.env");
        fs::create_dir(&taken).unwrap();
        let error = write_private(&taken, &"A=planted\n".into()).unwrap_err();
        assert!(error.to_string().starts_with(&format!("cannot write {}: ", taken.display())), "{error}");
        assert!(!format!("{error:?}").contains("planted"));
        assert_eq!(names(directory.path()), ["service.env"]);
    }

    #[cfg(all(unix, feature = "sealed"))]
    #[test]
    fn a_file_that_is_replaced_keeps_its_owner_and_its_mode() {
        use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, chown};

        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("ioenv.sealed");
        fs::write(&file, "old").unwrap();
        fs::set_permissions(&file, Permissions::from_mode(0o640)).unwrap();
        // Only root can give a file away.
        let is_given_away = chown(&file, Some(12_345), Some(12_346)).is_ok();
        replace(&file, ".tmp", "new", Readers::AsBefore).unwrap();
        let metadata = fs::metadata(&file).unwrap();
        assert_eq!((fs::read_to_string(&file).unwrap().as_str(), metadata.mode() & 0o777), ("new", 0o640));
        if is_given_away {
            assert_eq!((metadata.uid(), metadata.gid()), (12_345, 12_346));
        }
    }
}
