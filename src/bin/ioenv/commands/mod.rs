//! One file a command.

pub(crate) mod explain;
pub(crate) mod export;
pub(crate) mod get;
pub(crate) mod import;
pub(crate) mod init;
pub(crate) mod key;
pub(crate) mod list;
pub(crate) mod run;
pub(crate) mod set;
pub(crate) mod tree;
pub(crate) mod unset;

use std::fs::{File, OpenOptions};
use std::path::Path;

use ioenv::{Resolved, SealedFile, Unresolved, VarName, expand};

use crate::project::Project;
use crate::{Result, terminal};

/// Changes a level as one step: no other writer comes between reading and writing.
fn change_level<T>(
    project: &Project,
    change: impl FnOnce(&mut ioenv::Document, &SealedFile) -> Result<T>,
) -> Result<T> {
    let path = project.path()?;
    let mut sealed = project.edit()?;
    let keys = sealed.stretch(sealed.key_of(&path).as_slice(), &project.keys()?)?;
    let level = sealed.level(&path, &keys)?;
    let is_new = level.is_none();
    let mut document = level.unwrap_or_default();
    let result = change(&mut document, &sealed)?;
    sealed.set_level(&path, &document, &keys)?;
    sealed.save()?;
    if let Some(key) = sealed.key_of(&path).filter(|_| is_new) {
        terminal::note(format!("made the level {path}, sealed with the key {key}"));
    }
    Ok(result)
}

/// With `${NAME}` replaced, if the configuration says so: what a program gets to see.
fn as_configured(project: &Project, mut resolved: Resolved) -> Result<Resolved> {
    if project.configuration.expand()? {
        warn_of_unresolved(&expand(&mut resolved)?);
    }
    Ok(resolved)
}

fn warn_of_unresolved(unresolved: &[Unresolved]) {
    for one in unresolved {
        terminal::warning(format!("{} refers to {}, which no level sets; left as written", one.name, one.reference));
    }
}

fn warn_of_withheld(name: &VarName) {
    terminal::warning(format!(
        "{name} changes how programs are loaded, or is ioenv's own, and is withheld; `--only` takes it by name"
    ));
}

/// A new file that only its owner can read.
fn create_private(path: &Path) -> std::io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}
