use std::fmt::Write as _;
use std::fs;
use std::io::Write as _;
use std::path::{Path, absolute};

use ioenv::{Document, KeyRing, LevelKey, LevelPath, SealedFile, SecretString, Slug, SystemRandom};

use super::create_private;
use crate::project::Project;
use crate::result::Result;
use crate::terminal;

/// The files that stand beside the sealed one while it is changed, as git is to ignore them.
const BESIDE_SEALED: &str = ".ioenv.sealed.*";

pub(crate) fn run(project: &Project, name: &Slug) -> Result {
    let directory = project.directory.as_path();
    let [configuration, sealed_file] = ["ioenv.toml", "ioenv.sealed"].map(|name| directory.join(name));
    let key_file = match &project.chosen_key_file {
        Some(file) => absolute(file)?,
        None => directory.join("ioenv.key"),
    };
    for file in [&configuration, &sealed_file, &key_file] {
        if file.symlink_metadata().is_ok() {
            return Err(format!("{} is there already; nothing was changed", file.display()).into());
        }
    }
    let path = project.chosen_path.clone().unwrap_or_else(|| name.into());
    let key_setting = key_file.strip_prefix(directory).unwrap_or(&key_file);
    let settings = configuration_text(name, &path, key_setting)?;

    let key = LevelKey::generate(&SystemRandom)?;
    let keys = KeyRing::from(&key);
    let mut sealed = SealedFile::create(&sealed_file, name.clone())?;
    sealed.add_key("main".parse()?, &key)?;
    sealed.set_level(&name.into(), &Document::new(), &keys)?;
    sealed.set_level(&path, &Document::new(), &keys)?;

    // The key first: a sealed file without its key would be lost, a key without its file is not missed.
    // Where the key file lies elsewhere, git does not see it.
    let ignored = Some(key_setting).filter(|file| file.is_relative()).map(|file| file.display().to_string());
    ignore(directory, ignored.as_deref().into_iter().chain([BESIDE_SEALED]))?;
    write_key(&key_file, &key.to_text())?;
    sealed.save()?;
    fs::write(&configuration, settings)
        .map_err(|error| format!("cannot write {}: {error}", configuration.display()))?;

    let outside = if key_setting.is_relative() {
        format!(
            "to keep the key out of the work tree, where no merge reaches it: --key-file ~/.config/ioenv/{name}.key\n"
        )
    } else {
        String::new()
    };
    terminal::note(format!(
        "made ioenv.toml and ioenv.sealed, to be committed, and {}, to be kept: without it nothing can be read\n\
         {outside}next: ioenv import .env --path {path}",
        key_setting.display()
    ));
    Ok(())
}

/// The setting of the key file is left out where it says what holds anyway.
fn configuration_text(project: &Slug, path: &LevelPath, key_file: &Path) -> Result<String> {
    let mut text = format!(
        "# What `ioenv` and `ioenv::load()` load in this directory. The key is not here but in a file of its own.\n\
         path = \"{path}\"\n\
         # To choose the environment by IOENV_ENV: path = \"{project}/backend/{{env}}\"\n"
    );
    if key_file != Path::new("ioenv.key") {
        // Between single quotes TOML takes everything as it is, but for these.
        match key_file.to_str() {
            Some(name) if !name.contains(|c: char| c == '\'' || c.is_control()) => {
                let _ = writeln!(text, "key_file = '{name}'");
            }
            _ => return Err("ioenv.toml cannot hold the name of that key file: choose a plainer one".into()),
        }
    }
    Ok(text)
}

/// Adds what is not there yet to .gitignore.
pub(super) fn ignore(directory: &Path, patterns: impl IntoIterator<Item = impl AsRef<str>>) -> Result {
    let file = directory.join(".gitignore");
    let write = || {
        let mut text = match fs::read_to_string(&file) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => String::new(),
            read => read?,
        };
        let before = text.len();
        for pattern in patterns {
            let pattern = pattern.as_ref();
            if !text.lines().any(|line| line.trim().trim_start_matches('/') == pattern) {
                let line_end = if text.is_empty() || text.ends_with('\n') { "" } else { "\n" };
                let _ = writeln!(text, "{line_end}/{pattern}");
            }
        }
        if text.len() == before { Ok(()) } else { fs::write(&file, text) }
    };
    write().map_err(|error: std::io::Error| format!("cannot write {}: {error}", file.display()).into())
}

/// Writes a key into a new file that only its owner can read.
pub(super) fn write_key(file: &Path, key: &SecretString) -> Result {
    let written = create_private(file).and_then(|mut new| {
        writeln!(new, "{}", key.expose_secret())?;
        new.sync_all()
    });
    written.map_err(|error| format!("cannot write {}: {error}", file.display()).into())
}
