//! Levels between the sealed file and the vault. The dotenv text of a level is compared, so that what is the same is
//! not written.

use ioenv::vault::{At, Custody, NewProject};
use ioenv::{Aes256Gcm, Cipher as _, Document, ErrorKind, LevelKey, LevelPath, SealedBlob};

use crate::args::{TransferArgs, Typed};
use crate::levels::Levels as _;
use crate::levels::vault::VaultLevels;
use crate::project::Project;
use crate::result::Result;
use crate::terminal;

const COPIED: &str = "copied as it is: the key is the same";
const USED_ELSEWHERE: &str = "opened and sealed anew: the vault had that blob at another level";
const RESEALED: &str = "opened and sealed anew: the keys differ";

pub(crate) fn push(project: &Project, args: &TransferArgs) -> Result {
    let sealed = project.open()?;
    let vault = VaultLevels::open(project)?;
    let path = start(project, args)?;
    let paths: Vec<LevelPath> = if args.all {
        sealed.paths().filter(|other| other.project() == path.project()).cloned().collect()
    } else {
        vec![path]
    };
    let ids: Vec<_> = paths.iter().filter_map(|path| sealed.key_of(path)).collect();
    let keys = sealed.stretch(&ids, &project.keys()?)?;
    let mut refused = Vec::new();
    for path in &paths {
        let (Some(document), Some(blob)) = (sealed.level(path, &keys)?, sealed.blob(path, &keys)?) else {
            return Err(format!("there is no level {path} in the file; `ioenv tree` shows what there is").into());
        };
        let is_target = path.parent().is_some() && sealed.paths().any(|below| below.parent().as_ref() == Some(path));
        if is_missing(&vault, path)? {
            vault.create(path, is_target, &named(path)?)?;
        }
        match compare(&document, Some(vault.own(path)?), args.force) {
            Comparison::Same => note(path, "as before"),
            Comparison::Differs => refused.push(path),
            Comparison::Write => {
                let how = match vault.blobs(path)?.custody {
                    Custody::Server => {
                        vault.session().set_document(At::Path(vault.organization, path), &document)?;
                        RESEALED
                    }
                    Custody::Client => {
                        let how = std::cell::Cell::new(RESEALED);
                        vault.write_client(path, |level| {
                            if level.opens(&blob) {
                                how.set(COPIED);
                                return Ok(blob.clone());
                            }
                            // After the copy was refused.
                            how.set(if how.get() == RESEALED { RESEALED } else { USED_ELSEWHERE });
                            Ok(level.seal(&document)?)
                        })?;
                        how.get()
                    }
                };
                note(path, how);
            }
        }
    }
    refuse(&refused, "the vault")
}

pub(crate) fn pull(project: &Project, args: &TransferArgs) -> Result {
    let vault = VaultLevels::open(project)?;
    let path = start(project, args)?;
    let paths: Vec<LevelPath> = if args.all {
        let tree = vault.tree()?.into_iter().map(|(path, _)| path);
        tree.filter(|other| other.project() == path.project()).collect()
    } else {
        vec![path]
    };
    let mut sealed = project.edit()?;
    let ids: Vec<_> = sealed.keys().iter().map(ioenv::KeyDescriptor::id).collect();
    let keys = sealed.stretch(&ids, &project.keys()?)?;
    let mut refused = Vec::new();
    let mut notes = Vec::new();
    for path in &paths {
        let Some(blob) = vault.blobs(path)?.levels.pop().and_then(|level| level.content) else {
            // What says nothing was never written; the file does not need it.
            if !args.all {
                return Err(format!("{path} says nothing in the vault").into());
            }
            continue;
        };
        let document = vault.own(path)?;
        match compare(&document, sealed.level(path, &keys)?, args.force) {
            Comparison::Same => notes.push((path, "as before")),
            Comparison::Differs => refused.push(path),
            Comparison::Write if opens(&sealed.level_key(path, &keys)?, &blob) => {
                sealed.set_blob(path, &blob, &keys)?;
                notes.push((path, COPIED));
            }
            Comparison::Write => {
                sealed.set_level(path, &document, &keys)?;
                notes.push((path, RESEALED));
            }
        }
    }
    sealed.save()?;
    for (path, how) in notes {
        note(path, how);
    }
    refuse(&refused, "the file")
}

enum Comparison {
    Same,
    Differs,
    Write,
}

/// What says nothing yet may be written over.
fn compare(from: &Document, to: Option<Document>, force: bool) -> Comparison {
    let Some(to) = to else {
        return Comparison::Write;
    };
    if from.to_text().expose_secret() == to.to_text().expose_secret() {
        return Comparison::Same;
    }
    if to.is_empty() || force { Comparison::Write } else { Comparison::Differs }
}

fn opens(key: &LevelKey, blob: &SealedBlob) -> bool {
    Aes256Gcm.open(key, blob).is_ok()
}

fn start(project: &Project, args: &TransferArgs) -> Result<LevelPath> {
    args.level.as_ref().map(Typed::get).map_or_else(|| project.path(), Ok)
}

fn is_missing(vault: &VaultLevels<'_>, path: &LevelPath) -> Result<bool> {
    match vault.session().blobs(At::Path(vault.organization, path)) {
        Ok(_) => Ok(false),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(true),
        Err(error) => Err(error.into()),
    }
}

/// A project that is called as its levels are, and whose key the vault keeps.
fn named(path: &LevelPath) -> Result<NewProject> {
    Ok(NewProject::new(path.project()).slug(path.project().parse()?))
}

fn note(path: &LevelPath, how: &str) {
    terminal::note(format!("{path}: {how}"));
}

fn refuse(paths: &[&LevelPath], place: &str) -> Result {
    if paths.is_empty() {
        return Ok(());
    }
    let list = paths.iter().map(|path| path.as_str()).collect::<Vec<_>>().join(", ");
    Err(format!("{place} says something else for {list}, which was left alone; use --force to replace it").into())
}
