//! Finding and reading `ioenv.toml`.

use std::path::{Path, PathBuf};

use toml::de::{DeTable, DeValue};

use super::settings::Settings;
use crate::error::{Error, ErrorKind, Result};
use crate::files::read::read_text;

const FILE_NAME: &str = "ioenv.toml";
/// Largest configuration that is read.
const MAX_BYTES: usize = 64 * 1024;
const NAMES: [&str; 7] = ["expand", "file", "key_file", "path", "precedence", "source", "vault"];

/// The settings of the `ioenv.toml` that counts in `directory`, and where it lies.
pub(super) fn discover(directory: &Path) -> Result<(Option<PathBuf>, Settings)> {
    match find(directory) {
        Some(file) => {
            let settings = read(&file)?;
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

fn read(file: &Path) -> Result<Settings> {
    let text = read_text(file, "configuration", MAX_BYTES)?;
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
