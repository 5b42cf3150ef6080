use std::fs::OpenOptions;
use std::io::{Read as _, Write as _};
use std::path::Path;
use std::process::ExitCode;

use ioenv::{DataKey, ErrorKind, KeyString, LevelPath, SealedFile, Slug, SystemRandom};

use super::create_private;
use crate::project::Project;
use crate::{Result, terminal};

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
    let keys = project.keys()?;
    let sealed = project.open()?;
    let paths: Vec<LevelPath> = match &project.chosen_path {
        Some(path) => path.chain().filter(|path| sealed.key_of(path).is_some()).collect(),
        None => sealed.paths().cloned().collect(),
    };
    if paths.is_empty() {
        return Err("there is no such level in the file".into());
    }
    let mut failed = false;
    let mut rows = Vec::new();
    for path in paths {
        let what = match sealed.level(&path, &keys) {
            Ok(level) => format!("opens, {} entries", level.map_or(0, |level| level.len())),
            Err(error) => {
                failed = true;
                match error.kind() {
                    ErrorKind::DecryptionFailed | ErrorKind::NotFound => "the key is missing".to_owned(),
                    ErrorKind::Config => "no key is given".to_owned(),
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

pub(crate) fn new(project: &Project, id: Slug, passphrase: bool) -> Result {
    if passphrase {
        let passphrase = KeyString::new(terminal::read_passphrase()?.expose_secret())?;
        let mut sealed = project.edit()?;
        sealed.add_passphrase(id, &passphrase)?;
        return Ok(sealed.save()?);
    }
    let Some(file) = project.key_file().or_else(|| Some(project.configuration.file()?.with_file_name("ioenv.key")))
    else {
        return Err("there is no key file to put the new key into: name one with --key-file".into());
    };
    let mut sealed = project.edit()?;
    let key = DataKey::generate(&SystemRandom)?;
    sealed.add_key(id.clone(), &key)?;
    // The key before what it opens: a key without its file is not missed.
    append(&file, &format!("# {id}\n{}\n", key.to_text().expose_secret()))
        .map_err(|error| format!("cannot write {}: {error}", file.display()))?;
    sealed.save()?;
    terminal::note(format!("the new key is the last line of {}", file.display()));
    Ok(())
}

fn append(path: &Path, text: &str) -> std::io::Result<()> {
    let mut file = match OpenOptions::new().read(true).append(true).open(path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => create_private(path)?,
        opened => {
            let mut file = opened?;
            let mut before = Vec::new();
            file.read_to_end(&mut before)?;
            if !before.is_empty() && !before.ends_with(b"\n") {
                file.write_all(b"\n")?;
            }
            file
        }
    };
    file.write_all(text.as_bytes())?;
    file.sync_all()
}

pub(crate) fn use_for_level(project: &Project, id: &Slug) -> Result {
    let keys = project.keys()?;
    let mut sealed = project.edit()?;
    sealed.set_level_key(&project.path()?, id, &keys)?;
    Ok(sealed.save()?)
}

pub(crate) fn remove(project: &Project, id: &Slug) -> Result {
    let mut sealed = project.edit()?;
    if !sealed.remove_key(id)? {
        return Err(format!("there is no key `{id}`").into());
    }
    Ok(sealed.save()?)
}
