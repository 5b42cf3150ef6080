use std::collections::BTreeSet;
use std::fs::{self, OpenOptions};
use std::io::{Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use ioenv::{ErrorKind, KeyDescriptor, KeyRing, KeyString, LevelKey, LevelPath, SealedFile, Slug, SystemRandom};
use zeroize::Zeroizing;

use crate::made::create_private;
use crate::project::Project;
use crate::result::Result;
use crate::terminal;

pub(crate) fn list(project: &Project) -> Result {
    let sealed = project.open()?;
    let levels = |id: &Slug| {
        let levels: Vec<&str> = levels_of(&sealed, id).map(LevelPath::as_str).collect();
        if levels.is_empty() { "-".to_owned() } else { levels.join(", ") }
    };
    let described = sealed.keys().iter().map(|key| {
        let state = key.replaced_by().map_or_else(|| "in use".to_owned(), |by| format!("replaced by {by}"));
        let created = humantime::format_rfc3339_seconds(key.created()).to_string();
        [key.id().to_string(), key.scheme().to_owned(), created, state, levels(key.id())]
    });
    // A merge can bring in a level whose key the other side has removed.
    let unknown: BTreeSet<&Slug> =
        sealed.paths().filter_map(|path| sealed.key_of(path)).filter(|id| !has_key(&sealed, id)).collect();
    let unknown = unknown
        .into_iter()
        .map(|id| [id.to_string(), "-".to_owned(), "-".to_owned(), "not in the file".to_owned(), levels(id)]);
    let rows: Vec<[String; 5]> = described.chain(unknown).collect();
    terminal::table(["KEY", "SCHEME", "CREATED", "STATE", "LEVELS"], &rows)
}

fn has_key(sealed: &SealedFile, id: &Slug) -> bool {
    sealed.keys().iter().any(|key| key.id() == id)
}

fn levels_of<'a>(sealed: &'a SealedFile, id: &'a Slug) -> impl Iterator<Item = &'a LevelPath> {
    sealed.paths().filter(move |path| sealed.key_of(path) == Some(id))
}

/// Opens every level, or those of the chain of `--path`; fails if one cannot be opened.
pub(crate) fn check(project: &Project) -> Result<ExitCode> {
    let sealed = project.open()?;
    let paths: Vec<LevelPath> = match &project.chosen_path {
        Some(path) => path.chain().filter(|path| sealed.key_of(path).is_some()).collect(),
        None => sealed.paths().cloned().collect(),
    };
    if paths.is_empty() {
        return Err("there is no such level in the file".into());
    }
    let ids: Vec<&Slug> = paths.iter().filter_map(|path| sealed.key_of(path)).collect();
    let keys = sealed.stretch(&ids, &project.keys()?)?;
    let mut failed = false;
    let mut rows = Vec::new();
    for path in paths {
        let what = match sealed.level(&path, &keys) {
            Ok(level) => match level.map_or(0, |level| level.len()) {
                1 => format!("opens, 1 entry{}", retired(&sealed, &path)),
                count => format!("opens, {count} entries{}", retired(&sealed, &path)),
            },
            Err(error) => {
                failed = true;
                match error.kind() {
                    ErrorKind::DecryptionFailed | ErrorKind::Config => "the key is missing".to_owned(),
                    _ => error.to_string(),
                }
            }
        };
        let key = sealed.key_of(&path).map(ToString::to_string).unwrap_or_default();
        rows.push([path.to_string(), key, what]);
    }
    terminal::table(["LEVEL", "KEY", "RESULT"], &rows)?;
    Ok(if failed { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

/// What is said of a level that the next rotation will move.
fn retired(sealed: &SealedFile, path: &LevelPath) -> &'static str {
    let is_retired = |id| sealed.keys().iter().any(|key| key.id() == id && key.replaced_by().is_some());
    if sealed.key_of(path).is_some_and(is_retired) { "; the key is retired" } else { "" }
}

pub(crate) fn new(project: &Project, id: &Slug, passphrase: bool) -> Result {
    if passphrase {
        let passphrase = terminal::read_passphrase()?;
        let mut sealed = project.edit()?;
        sealed.add_passphrase(id.clone(), &passphrase_of(passphrase.expose_secret())?)?;
        sealed.save()?;
        terminal::note(format!(
            "the passphrase is kept nowhere; to use it, give it as a line of IOENV_KEY or of a key file, then run \
             `ioenv key use {id} --path LEVEL`"
        ));
        return Ok(());
    }
    let file = file_for_new_keys(project)?;
    let mut sealed = project.edit()?;
    let key = LevelKey::generate(&SystemRandom)?;
    sealed.add_key(id.clone(), &key)?;
    save_with(project, &mut sealed, id, &key, &file)
}

fn file_for_new_keys(project: &Project) -> Result<PathBuf> {
    match project.key_file()?.or_else(|| Some(project.configuration.file()?.with_file_name("ioenv.key"))) {
        Some(file) => Ok(file),
        None => Err("there is no key file to put the new key into: name one with --key-file".into()),
    }
}

/// Puts a new key into the key file, and saves the sealed file.
/// Takes a new key out of the file again. If that fails, there is a key without a use, and nothing is lost.
fn take_back(file: &Path, is_new: bool, length: u64) {
    let _ = if is_new {
        fs::remove_file(file)
    } else {
        OpenOptions::new().write(true).open(file).and_then(|file| file.set_len(length))
    };
}

fn save_with(project: &Project, sealed: &mut SealedFile, id: &Slug, key: &LevelKey, file: &Path) -> Result {
    // The key before what it opens: a key without its file is not missed.
    let is_new = file.symlink_metadata().is_err();
    let text = Zeroizing::new(format!("# {id}\n{}\n", key.to_text().expose_secret()));
    let before = file.metadata().map_or(0, |metadata| metadata.len());
    let written = append(file, &text).map_err(|error| format!("cannot write {}: {error}", file.display()).into());
    if let Err(error) = written.and_then(|()| Ok(sealed.save()?)) {
        // It may have been saved all the same, and then the key is needed.
        if project.open().is_ok_and(|sealed| sealed.keys().iter().all(|key| key.id() != id)) {
            take_back(file, is_new, before);
        }
        return Err(error);
    }
    let file = file.display();
    terminal::note(if is_new {
        format!("the new key is in {file}, which is new: keep it out of git")
    } else {
        format!("the new key is the last line of {file}")
    });
    if std::env::var_os("IOENV_KEY").is_some_and(|keys| !keys.is_empty()) {
        terminal::warning(format!("IOENV_KEY is set, so {file} is not read: add the new line to IOENV_KEY too"));
    }
    Ok(())
}

/// A passphrase that a key file can hold as a line of its own.
pub(super) fn passphrase_of(text: &str) -> Result<KeyString> {
    let text = text.trim();
    let is_a_line = KeyRing::parse(text).is_ok_and(|ring| ring.len() == 1);
    if !is_a_line || text.contains(['\n', '\r']) || text.starts_with(LevelKey::PREFIX) {
        return Err("a passphrase is one line, and begins neither with `# ` nor with `ioenv_key_`".into());
    }
    if text.chars().count() < 20 {
        terminal::warning("who has the file can try passphrases as fast as they like; take 20 characters or more");
    }
    Ok(KeyString::new(text)?)
}

fn append(path: &Path, text: &str) -> std::io::Result<()> {
    let mut file = match OpenOptions::new().read(true).append(true).open(path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => create_private(path)?,
        opened => {
            let mut file = opened?;
            let mut last = [b'\n'];
            if file.metadata()?.len() > 0 {
                file.seek(SeekFrom::End(-1))?;
                file.read_exact(&mut last)?;
            }
            if last != [b'\n'] {
                file.write_all(b"\n")?;
            }
            file
        }
    };
    file.write_all(text.as_bytes())?;
    file.sync_all()
}

pub(crate) fn use_for_level(project: &Project, id: &Slug) -> Result {
    let path = project.path()?;
    let mut sealed = project.edit()?;
    let Some(old) = sealed.key_of(&path) else {
        return Err(format!("there is no level {path}; `ioenv tree` shows what there is").into());
    };
    let keys = sealed.stretch(&[old, id], &project.keys()?)?;
    sealed.set_level_key(&path, id, &keys)?;
    Ok(sealed.save()?)
}

/// Seals the levels of a key with another one: the one that is named, or a new one. The old one stays in the file,
/// retired, so that levels which come in under it from other branches can be opened.
pub(crate) fn rotate(project: &Project, old: &Slug, new: Option<Slug>) -> Result {
    let mut sealed = project.edit()?;
    let ids: Vec<&Slug> = sealed.keys().iter().map(KeyDescriptor::id).collect();
    let mut keys = sealed.stretch(&ids, &project.keys()?)?;
    let is_retired = sealed.keys().iter().any(|key| key.id() == old && key.replaced_by().is_some());
    let moved = match new {
        Some(new) if has_key(&sealed, &new) => replace(&mut sealed, old, &new, &keys)?,
        None if is_retired => {
            let new = sealed.sealing_key(old, &keys)?.clone();
            replace(&mut sealed, old, &new, &keys)?
        }
        new => {
            let file = file_for_new_keys(project)?;
            let id = new.map_or_else(|| next_id(&sealed, old), Ok)?;
            let key = LevelKey::generate(&SystemRandom)?;
            sealed.add_key(id.clone(), &key)?;
            keys.extend(&key);
            let moved = sealed.replace_key(old, &id, &keys)?;
            save_with(project, &mut sealed, &id, &key, &file)?;
            note_moved(&moved, &id);
            moved
        }
    };
    if !moved.is_empty() {
        terminal::note(format!(
            "who has the key {old} still opens what git's history holds: change those values if that matters. {old} stays in \
             the file for levels that merges bring in; `ioenv key remove {old}` removes it"
        ));
    }
    let left: Vec<&str> =
        sealed.paths().filter(|path| !retired(&sealed, path).is_empty()).map(LevelPath::as_str).collect();
    if !left.is_empty() {
        terminal::warning(format!(
            "still under retired keys, which are not at hand or were replaced by another key: {}; see `ioenv key`",
            left.join(", ")
        ));
    }
    Ok(())
}

fn replace(sealed: &mut SealedFile, old: &Slug, new: &Slug, keys: &KeyRing) -> Result<Vec<LevelPath>> {
    let moved = sealed.replace_key(old, new, keys)?;
    sealed.save()?;
    note_moved(&moved, new);
    Ok(moved)
}

fn note_moved(moved: &[LevelPath], new: &Slug) {
    let paths: Vec<&str> = moved.iter().map(LevelPath::as_str).collect();
    terminal::note(match paths.as_slice() {
        [] => "no level was under the key".to_owned(),
        paths => format!("sealed with the key {new}: {}", paths.join(", ")),
    });
}

/// `main-2` for `main`, `main-3` for that.
fn next_id(sealed: &SealedFile, old: &Slug) -> Result<Slug> {
    let name = match old.as_str().rsplit_once('-') {
        Some((name, number)) if !name.is_empty() && number.parse::<u32>().is_ok() => name,
        _ => old.as_str(),
    };
    let is_taken = |id: &Slug| has_key(sealed, id) || levels_of(sealed, id).next().is_some();
    let mut ids = (2..).map(|number| format!("{name}-{number}").parse::<Slug>());
    let free = ids.find(|id| id.as_ref().map_or(true, |id| !is_taken(id)));
    Ok(free.expect("invariant: the numbers have no end")?)
}

pub(crate) fn remove(project: &Project, id: &Slug) -> Result {
    let mut sealed = project.edit()?;
    if !sealed.remove_key(id)? {
        return Err(format!("there is no key `{id}`").into());
    }
    Ok(sealed.save()?)
}
