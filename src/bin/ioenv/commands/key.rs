use std::fs::OpenOptions;
use std::io::{Read as _, Seek as _, SeekFrom, Write as _};
use std::path::Path;
use std::process::ExitCode;

use ioenv::{ErrorKind, KeyRing, KeyString, LevelKey, LevelPath, SealedFile, Slug, SystemRandom};
use zeroize::Zeroizing;

use super::create_private;
use crate::project::Project;
use crate::result::Result;
use crate::terminal;

pub(crate) fn list(project: &Project) -> Result {
    let sealed = project.open()?;
    let rows: Vec<[String; 4]> = sealed
        .keys()
        .iter()
        .map(|key| {
            let levels: Vec<&str> = levels_of(&sealed, key.id()).map(LevelPath::as_str).collect();
            let levels = if levels.is_empty() { "-".to_owned() } else { levels.join(", ") };
            [
                key.id().to_string(),
                key.scheme().to_owned(),
                humantime::format_rfc3339_seconds(key.created()).to_string(),
                levels,
            ]
        })
        .collect();
    terminal::table(["KEY", "SCHEME", "CREATED", "LEVELS"], &rows)
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
                1 => "opens, 1 entry".to_owned(),
                count => format!("opens, {count} entries"),
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
    let Some(file) = project.key_file()?.or_else(|| Some(project.configuration.file()?.with_file_name("ioenv.key")))
    else {
        return Err("there is no key file to put the new key into: name one with --key-file".into());
    };
    let mut sealed = project.edit()?;
    let key = LevelKey::generate(&SystemRandom)?;
    sealed.add_key(id.clone(), &key)?;
    // The key before what it opens: a key without its file is not missed.
    let is_new = file.symlink_metadata().is_err();
    let text = Zeroizing::new(format!("# {id}\n{}\n", key.to_text().expose_secret()));
    append(&file, &text).map_err(|error| format!("cannot write {}: {error}", file.display()))?;
    sealed.save()?;
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
fn passphrase_of(text: &str) -> Result<KeyString> {
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

pub(crate) fn remove(project: &Project, id: &Slug) -> Result {
    let mut sealed = project.edit()?;
    if !sealed.remove_key(id)? {
        return Err(format!("there is no key `{id}`").into());
    }
    Ok(sealed.save()?)
}
