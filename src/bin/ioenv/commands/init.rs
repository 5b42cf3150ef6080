use std::ffi::OsString;
use std::fmt::Write as _;
use std::path::{Path, PathBuf, absolute};

use ioenv::{Document, KeyRing, LevelKey, LevelPath, SealedFile, Slug, SystemRandom};
use zeroize::Zeroizing;

use super::key::passphrase_of;
use crate::ignore::{Hidden, ignore};
use crate::made::Made;
use crate::project::Project;
use crate::result::Result;
use crate::terminal;

/// Where the key of a new project is.
enum NewKey {
    /// It is made, and kept in this file.
    InFile(PathBuf),
    /// `IOENV_KEY` holds it.
    Given(Zeroizing<String>),
}

pub(crate) fn run(project: &Project, name: &Slug) -> Result {
    let directory = project.directory.as_path();
    let configuration = directory.join("ioenv.toml");
    let sealed_file = directory.join(variable("IOENV_FILE").unwrap_or_else(|| "ioenv.sealed".into()));
    let key = new_key(project, directory)?;
    let key_file = match &key {
        NewKey::InFile(file) => Some(file),
        NewKey::Given(_) => None,
    };
    for file in [&configuration, &sealed_file].into_iter().chain(key_file) {
        if file.symlink_metadata().is_ok() {
            return Err(format!("{} is there already; nothing was changed", file.display()).into());
        }
    }
    let path = project.chosen_path.clone().unwrap_or_else(|| name.into());
    let setting = |file: &PathBuf| file.strip_prefix(directory).unwrap_or(file).to_owned();
    let key_setting = key_file.map(setting);
    let settings = configuration_text(name, &path, key_setting.as_deref(), &setting(&sealed_file))?;

    let mut sealed = SealedFile::create(&sealed_file, name.clone())?;
    let (id, made_key) = ("main".parse()?, LevelKey::generate(&SystemRandom)?);
    let keys = match &key {
        NewKey::InFile(_) => KeyRing::from(&made_key),
        NewKey::Given(text) => given(text)?,
    };
    match (&key, keys.find(None, |_| true)?) {
        (_, Some(key)) => sealed.add_key(id, &key)?,
        (NewKey::Given(text), None) => sealed.add_passphrase(id, &passphrase_of(text)?)?,
        (NewKey::InFile(_), None) => unreachable!("a key that was made is a level key"),
    }
    let keys = sealed.stretch(&[sealed.keys()[0].id()], &keys)?;
    sealed.set_level(&name.into(), &Document::new(), &keys)?;
    sealed.set_level(&path, &Document::new(), &keys)?;

    let mut made = Made::default();
    let hidden: Vec<Hidden> =
        key_file.map(Hidden::file).into_iter().chain([Hidden::beside_sealed(&sealed_file)]).collect();
    let unknown = ignore(&mut made, directory, &hidden).map_err(|error| format!("{error}; nothing was made"))?;
    // The key first: a sealed file without its key would be lost, a key without its file is not missed.
    if let Some(file) = key_file {
        made.key(file, &made_key.to_text())?;
    }
    made.expect(&sealed_file);
    made.expect(lock_of(&sealed_file));
    sealed.save()?;
    made.file(&configuration, &settings)?;
    made.keep();

    let kept = match &key_setting {
        Some(file) => format!(", and {}, to be kept: without it nothing can be read", file.display()),
        None => "; the key is the one in IOENV_KEY: without it nothing can be read".to_owned(),
    };
    let outside = if key_setting.as_ref().is_some_and(|file| file.is_relative()) {
        format!(
            "to keep the key out of the work tree, where no merge reaches it: --key-file ~/.config/ioenv/{name}.key\n"
        )
    } else {
        String::new()
    };
    terminal::note(format!(
        "made ioenv.toml and {}, to be committed{kept}\n{outside}next: ioenv import .env --path {path}",
        setting(&sealed_file).display()
    ));
    note_unknown(unknown);
    Ok(())
}

/// Says what git could not be asked.
pub(super) fn note_unknown(unknown: Option<PathBuf>) {
    if let Some(file) = unknown {
        let name = file.file_name().unwrap_or_default().display().to_string();
        terminal::note(format!(
            "git could not be asked whether it ignores {name}: in a repository, `git check-ignore {name}` tells"
        ));
    }
}

fn variable(name: &str) -> Option<OsString> {
    std::env::var_os(name).filter(|value| !value.is_empty())
}

/// As commands look for it, so that the next one finds it: `--key-file`, `IOENV_KEY`, `IOENV_KEY_FILE`, `ioenv.key`.
fn new_key(project: &Project, directory: &Path) -> Result<NewKey> {
    let given = variable("IOENV_KEY");
    match (&project.chosen_key_file, given) {
        (Some(_), Some(_)) => {
            Err("IOENV_KEY is set, so that commands would not read the key from the file that --key-file \
             names: unset IOENV_KEY, or leave --key-file out"
                .into())
        }
        (Some(file), None) => Ok(NewKey::InFile(absolute(file)?)),
        (None, Some(key)) => {
            let text = key.into_string().map_err(|_| "IOENV_KEY is not UTF-8 text")?;
            Ok(NewKey::Given(Zeroizing::new(text)))
        }
        (None, None) => {
            let file = variable("IOENV_KEY_FILE").unwrap_or_else(|| "ioenv.key".into());
            Ok(NewKey::InFile(directory.join(file)))
        }
    }
}

/// The one key that `IOENV_KEY` holds.
fn given(text: &str) -> Result<KeyRing> {
    let keys = KeyRing::parse(text).map_err(|error| format!("IOENV_KEY: {error}"))?;
    if keys.len() != 1 {
        return Err("IOENV_KEY must hold one key for a new project: unset it, and a key is made".into());
    }
    Ok(keys)
}

/// The lock that stays beside a sealed file.
fn lock_of(sealed_file: &Path) -> PathBuf {
    let mut name = OsString::from(".");
    name.push(sealed_file.file_name().unwrap_or_default());
    name.push(".lock");
    sealed_file.with_file_name(name)
}

/// The settings of files are left out where they say what holds anyway.
fn configuration_text(project: &Slug, path: &LevelPath, key_file: Option<&Path>, sealed: &Path) -> Result<String> {
    let mut text = format!(
        "# What `ioenv` and `ioenv::load()` load in this directory. The key is not here but in a file of its own.\n\
         path = \"{path}\"\n\
         # To choose the environment by IOENV_ENV: path = \"{project}/backend/{{env}}\"\n"
    );
    let named = [(key_file, "key_file", "ioenv.key"), (Some(sealed), "file", "ioenv.sealed")];
    for (file, setting, default) in named {
        let Some(file) = file.filter(|file| *file != Path::new(default)) else {
            continue;
        };
        // Between single quotes TOML takes everything as it is, but for these.
        match file.to_str() {
            Some(name) if !name.contains(|c: char| c == '\'' || c.is_control()) => {
                let _ = writeln!(text, "{setting} = '{name}'");
            }
            _ => return Err("ioenv.toml cannot hold the name of that file: choose a plainer one".into()),
        }
    }
    Ok(text)
}
