use std::fmt::Write as _;
use std::fs;
use std::io::Write as _;
use std::path::Path;

use ioenv::{DataKey, Document, KeyRing, SealedFile, Slug, SystemRandom};

use super::create_private;
use crate::project::Project;
use crate::{Result, terminal};

/// What git is to leave alone: the key, and the files that stand beside the sealed one while it is changed.
const IGNORED: [&str; 2] = ["ioenv.key", ".ioenv.sealed.*"];

pub(crate) fn run(project: &Project, name: &Slug) -> Result {
    let directory = project.directory.as_path();
    let [configuration, sealed_file, key_file] =
        ["ioenv.toml", "ioenv.sealed", "ioenv.key"].map(|name| directory.join(name));
    for file in [&configuration, &sealed_file, &key_file] {
        if file.symlink_metadata().is_ok() {
            return Err(format!("{} is there already; nothing was changed", file.display()).into());
        }
    }

    let key = DataKey::generate(&SystemRandom)?;
    let mut sealed = SealedFile::create(&sealed_file, name.clone())?;
    sealed.add_key("main".parse()?, &key)?;
    sealed.set_level(&name.into(), &Document::new(), &KeyRing::from(&key))?;

    // The key first: a sealed file without its key would be lost, a key without its file is not missed.
    let io = |path: &Path, error| format!("cannot write {}: {error}", path.display());
    ignore(directory).map_err(|error| io(&directory.join(".gitignore"), error))?;
    create_private(&key_file)
        .and_then(|mut file| {
            writeln!(file, "{}", key.to_text().expose_secret())?;
            file.sync_all()
        })
        .map_err(|error| io(&key_file, error))?;
    sealed.save()?;
    fs::write(&configuration, configuration_text(name)).map_err(|error| io(&configuration, error))?;

    terminal::note(format!(
        "made ioenv.toml and ioenv.sealed, to be committed, and ioenv.key, to be kept: without it nothing can be read\n\
         next: ioenv import .env --path {name}"
    ));
    Ok(())
}

fn configuration_text(project: &Slug) -> String {
    format!(
        "# What `ioenv` and `ioenv::load()` load in this directory. The key is not here but in ioenv.key.\n\
         path = \"{project}\"\n\
         # To choose the environment by IOENV_ENV: path = \"{project}/backend/{{env}}\"\n"
    )
}

fn ignore(directory: &Path) -> std::io::Result<()> {
    let file = directory.join(".gitignore");
    let mut text = match fs::read_to_string(&file) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => String::new(),
        read => read?,
    };
    let before = text.len();
    for pattern in IGNORED {
        if !text.lines().any(|line| line.trim().trim_start_matches('/') == pattern) {
            let line_end = if text.is_empty() || text.ends_with('\n') { "" } else { "\n" };
            let _ = writeln!(text, "{line_end}/{pattern}");
        }
    }
    if text.len() == before { Ok(()) } else { fs::write(file, text) }
}
