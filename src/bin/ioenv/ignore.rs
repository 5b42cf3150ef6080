//! What git is to leave alone.

use std::fs;
use std::path::{Path, PathBuf};

use crate::git;
use crate::made::Made;
use crate::result::Result;

/// A file that git is to ignore, or all files whose names begin like it.
pub(crate) struct Hidden {
    file: PathBuf,
    /// What comes behind the name of the file: one example of it, where the pattern ends in `*`.
    example: &'static str,
}

impl Hidden {
    pub(crate) fn file(file: impl Into<PathBuf>) -> Self {
        Self { file: file.into(), example: "" }
    }

    /// The files that stand beside the sealed one while it is changed.
    pub(crate) fn beside_sealed(sealed: &Path) -> Self {
        let mut name = std::ffi::OsString::from(".");
        name.push(sealed.file_name().unwrap_or_default());
        name.push(".");
        Self { file: sealed.with_file_name(name), example: "lock" }
    }

    /// Returns whether git would commit it.
    pub(crate) fn is_seen(&self) -> bool {
        git::ignores(&self.example()) == Some(false)
    }

    fn example(&self) -> PathBuf {
        let mut name = self.file.file_name().unwrap_or_default().to_owned();
        name.push(self.example);
        self.file.with_file_name(name)
    }

    /// The files that SQLite has beside its own one.
    pub(crate) fn beside_vault(vault: &Path) -> Self {
        let mut name = vault.file_name().unwrap_or_default().to_owned();
        name.push("-");
        Self { file: vault.with_file_name(name), example: "wal" }
    }
}

/// Sees to it that git ignores these files: writes into the `.gitignore` of `directory`, or of the directory that a file
/// outside of it is in, and asks git. Returns the first file that git could not be asked about, as where there is no
/// repository yet.
///
/// A file is named by where it really is: git follows no links.
pub(crate) fn ignore<'a, I: IntoIterator<Item = &'a Hidden>>(
    made: &mut Made,
    directory: &Path,
    files: I,
) -> Result<Option<PathBuf>> {
    let directory = real(directory)?;
    let mut unknown = None;
    for hidden in files {
        let name = hidden.file.file_name().and_then(|name| name.to_str()).ok_or_else(|| {
            format!(".gitignore cannot hold the name of {}: choose a plainer one", hidden.file.display())
        })?;
        let above = real(hidden.file.parent().unwrap_or(&hidden.file))?;
        let example = above.join(hidden.example().file_name().unwrap_or_default());
        let star = if hidden.example.is_empty() { "" } else { "*" };
        let own = format!("/{}{star}", escaped(name)?);
        let pattern = match above.strip_prefix(&directory) {
            Ok(below) if below.as_os_str().is_empty() => Some(own.clone()),
            Ok(below) => match below.to_str() {
                Some(below) => Some(format!("/{}{own}", escaped(below)?)),
                None => None,
            },
            Err(_) => None,
        };
        // Where git sees it at all; in `directory` git may come later.
        if let Some(pattern) = &pattern {
            add(made, &directory.join(".gitignore"), pattern, git::ignores(&example) == Some(false))?;
        }
        // A rule below may take it in again, and outside of the directory there was none.
        if git::ignores(&example) == Some(false) {
            add(made, &above.join(".gitignore"), &own, true)?;
        }
        match git::ignores(&example) {
            Some(false) => {
                return Err(format!(
                    "git would commit {}, whatever .gitignore says: another rule takes it in, git tracks it, or .gitignore is \
                     a link, which git does not read; choose a place outside of the work tree, or change the rule",
                    example.display()
                )
                .into());
            }
            None if pattern.is_some() => unknown = unknown.or(Some(example)),
            _ => {}
        }
    }
    Ok(unknown)
}

fn real(directory: &Path) -> Result<PathBuf> {
    let directory = if directory.as_os_str().is_empty() { Path::new(".") } else { directory };
    Ok(directory.canonicalize().map_err(|error| format!("cannot look into {}: {error}", directory.display()))?)
}

/// Adds a pattern to a file of patterns, unless it is there; with `again`, also if it is: a line behind it may undo it.
fn add(made: &mut Made, file: &Path, pattern: &str, again: bool) -> Result {
    let text = match fs::read(file) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Vec::new(),
        read => read.map_err(|error| format!("cannot read {}: {error}", file.display()))?,
    };
    let is_pattern = |line: &[u8]| {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        line == pattern.as_bytes() || Some(line) == pattern.strip_prefix('/').map(str::as_bytes)
    };
    if !again && text.split(|byte| *byte == b'\n').any(is_pattern) {
        return Ok(());
    }
    let line_end = if text.last().is_none_or(|last| *last == b'\n') { "" } else { "\n" };
    made.append(file, &format!("{line_end}{pattern}\n"))
}

/// A name as it is, in the notation of gitignore(5).
fn escaped(name: &str) -> Result<String> {
    if name.contains(char::is_control) {
        return Err(".gitignore cannot hold the name of that file: choose a plainer one".into());
    }
    let mut pattern = String::with_capacity(name.len());
    for character in name.chars() {
        match character {
            // Windows separates directories so, and git does not.
            '\\' if cfg!(windows) => pattern.push('/'),
            '\\' | '*' | '?' | '[' => pattern.extend(['\\', character]),
            _ => pattern.push(character),
        }
    }
    // Git drops blanks at the end of a line.
    if let Some(trimmed) = pattern.strip_suffix(' ') {
        pattern = format!("{trimmed}\\ ");
    }
    Ok(pattern)
}
