//! Finding and reading `ioenv.toml`.

use std::fs::File;
use std::path::{Path, PathBuf};

use toml::de::{DeTable, DeValue};

use super::settings::Settings;
use crate::error::{Error, ErrorKind, Result};
use crate::files::read::{open, read_opened, text};

const FILE_NAME: &str = "ioenv.toml";
/// Largest configuration that is read.
const MAX_BYTES: usize = 64 * 1024;
const NAMES: [&str; 7] = ["expand", "file", "key_file", "path", "precedence", "source", "vault"];

/// Why the search begins in a directory.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Start {
    /// The program runs there, perhaps in somebody else's directory.
    Working,
    /// Somebody named it, and so trusts it.
    Named,
}

/// Returns the settings of the `ioenv.toml` that counts in `directory`, and where it lies.
pub(super) fn discover(directory: &Path, start: Start) -> Result<(Option<PathBuf>, Settings)> {
    match find(directory) {
        Some(file) => {
            let settings = read(&file, start)?;
            Ok((Some(file), settings))
        }
        None => Ok((None, Settings::default())),
    }
}

/// In the directory itself, or, within a git repository, in the nearest directory above up to the repository's root.
///
/// Above `directory`, only what belongs to its owner counts: whoever can write to a directory that others share, such as
/// `/tmp`, could steer their programs by a `.git` and an `ioenv.toml` put there.
fn find(directory: &Path) -> Option<PathBuf> {
    let file = directory.join(FILE_NAME);
    if file.exists() {
        return Some(file);
    }
    // Without links, so that what is above is what is really there.
    let directory = directory.canonicalize().ok()?;
    let mut nearest = None;
    for above in directory.ancestors() {
        let is_own =
            |path: &Path| above == directory || (same_owner(&directory, above) && same_owner(&directory, path));
        let file = above.join(FILE_NAME);
        if nearest.is_none() && file.exists() && is_own(&file) {
            nearest = Some(file);
        }
        let git = above.join(".git");
        if git.exists() && is_own(&git) {
            return nearest;
        }
    }
    // Outside a repository, nothing above counts.
    None
}

/// Refuses a file of another user: a program that runs in a directory of somebody else, as root's do at times, would load
/// what that user wrote. Git refuses repositories for the same reason (CVE-2022-24765).
#[cfg(unix)]
fn check_owner(file: &Path, opened: &File) -> Result<()> {
    use std::os::unix::fs::MetadataExt as _;

    let io = |error| Error::io(format!("cannot read the configuration {}", file.display()), error);
    let user = effective_user();
    // What was opened, since the name may lead elsewhere by now; and a link, which could be somebody else's.
    for owner in [opened.metadata().map_err(io)?.uid(), file.symlink_metadata().map_err(io)?.uid()] {
        if owner != ROOT && Some(owner) != user {
            let user = user.map_or_else(|| "a user who cannot be told".to_owned(), |user| format!("the user {user}"));
            let directory = file.parent().unwrap_or(file).display();
            let message = format!(
                "this file belongs to the user {owner}, and the program runs as {user}: if you trust the file, set \
                 IOENV_DIR to {directory}, or name that directory with `--dir` or `Configuration::discover_in`"
            );
            return Err(Error::config(message).with_file(file));
        }
    }
    Ok(())
}

#[cfg(not(unix))]
fn check_owner(_file: &Path, _opened: &File) -> Result<()> {
    Ok(())
}

#[cfg(unix)]
const ROOT: u32 = 0;

/// Returns the effective user id of this process, or `None` where it cannot be told, so that only root's files count.
#[cfg(any(target_os = "linux", target_os = "android"))]
fn effective_user() -> Option<u32> {
    // proc_pid_status(5): the real, the effective, the saved and the file system's user id.
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let ids = status.lines().find_map(|line| line.strip_prefix("Uid:"))?;
    ids.split_ascii_whitespace().nth(1)?.parse().ok()
}

#[cfg(all(unix, not(any(target_os = "linux", target_os = "android"))))]
fn effective_user() -> Option<u32> {
    Some(rustix::process::geteuid().as_raw())
}

/// Of a link its own owner: anybody can make a link to what is somebody else's.
#[cfg(unix)]
fn same_owner(one: &Path, other: &Path) -> bool {
    use std::os::unix::fs::MetadataExt as _;

    match (one.symlink_metadata(), other.symlink_metadata()) {
        (Ok(one), Ok(other)) => one.uid() == other.uid(),
        _ => false,
    }
}

#[cfg(not(unix))]
fn same_owner(_one: &Path, _other: &Path) -> bool {
    true
}

fn read(file: &Path, start: Start) -> Result<Settings> {
    let opened = open(file, "configuration")?;
    if start == Start::Working {
        check_owner(file, &opened)?;
    }
    let text = text(read_opened(opened, file, "configuration", MAX_BYTES)?, file, "configuration")?;
    let config =
        |at: usize, message: String| Error::new(ErrorKind::Config, message).with_file(file).with_offset(&text, at);
    // The parser's own text shows the line, and somebody may have put a key there.
    let table = DeTable::parse(&text)
        .map_err(|error| config(error.span().map_or(0, |span| span.start), "this is not TOML".to_owned()))?;
    let mut settings = Settings::default();
    for (name, value) in table.into_inner() {
        let at = name.span().start;
        let name = name.into_inner();
        let text = |value: DeValue<'_>| match value {
            DeValue::String(text) => Ok(text.into_owned()),
            _ => Err(config(at, format!("`{name}` must be a string, between quotes"))),
        };
        match (&*name, value.into_inner()) {
            ("expand", DeValue::Boolean(expand)) => settings.expand = Some(expand),
            ("expand", _) => return Err(config(at, "`expand` must be true or false".to_owned())),
            ("file", value) => settings.file = Some(text(value)?),
            ("key_file", value) => settings.key_file = Some(text(value)?),
            ("path", value) => settings.path = Some(text(value)?),
            ("precedence", value) => settings.precedence = Some(text(value)?),
            ("source", value) => settings.source = Some(text(value)?),
            ("vault", value) => settings.vault = Some(text(value)?),
            // Not repeated: it may be something that got here by mistake.
            _ => return Err(config(at, format!("there is no such setting; there is: {}", NAMES.join(", ")))),
        }
    }
    Ok(settings)
}
