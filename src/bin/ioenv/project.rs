//! The files and the level that a command works on.

use std::path::{Path, PathBuf};

use ioenv::{Configuration, KeyRing, LevelPath, SealedFile, SourceKind};

use crate::args::ProjectArgs;
use crate::git::{self, Tracked};
use crate::ignore::{Hidden, ignore};
use crate::made::Made;
use crate::result::Result;
use crate::terminal;

pub(crate) struct Project {
    pub(crate) configuration: Configuration,
    /// Where `init` makes its files.
    pub(crate) directory: PathBuf,
    /// `--path`, if it was given.
    pub(crate) chosen_path: Option<LevelPath>,
    /// `--key-file`, if it was given.
    pub(crate) chosen_key_file: Option<PathBuf>,
    /// `--organization`, if it was given.
    pub(crate) chosen_organization: Option<String>,
}

impl Project {
    pub(crate) fn new(args: ProjectArgs) -> Result<Self> {
        let named =
            args.dir.or_else(|| std::env::var_os("IOENV_DIR").filter(|name| !name.is_empty()).map(PathBuf::from));
        let is_named = named.is_some();
        let directory = match named {
            Some(directory) => directory
                .canonicalize()
                .map_err(|error| format!("cannot look into {}: {error}", directory.display()))?,
            None => {
                std::env::current_dir().map_err(|error| format!("the working directory cannot be told: {error}"))?
            }
        };
        let mut configuration =
            if is_named { Configuration::discover_in(&directory)? } else { Configuration::discover()? };
        if let Some(kind) = args.source {
            configuration = configuration.with_source_kind(kind);
        }
        if let Some(slug) = &args.organization {
            configuration = configuration.with_organization(slug);
        }
        Ok(Self {
            configuration,
            directory,
            chosen_path: args.path.map(|path| path.get()),
            chosen_key_file: args.key_file,
            chosen_organization: args.organization,
        })
    }

    /// The level: `--path`, or what is configured.
    pub(crate) fn path(&self) -> Result<LevelPath> {
        match &self.chosen_path {
            Some(path) => Ok(path.clone()),
            None => Ok(self.configuration.path()?),
        }
    }

    pub(crate) fn source_kind(&self) -> Result<SourceKind> {
        Ok(self.configuration.source_kind()?)
    }

    /// Whether keys are given that a program which `ioenv run` has started could not know of: the operator of a vault needs
    /// no token.
    pub(crate) fn has_own_keys(&self) -> Result<bool> {
        Ok(match self.source_kind()? {
            SourceKind::Vault => self.configuration.root_key()?.is_some(),
            _ => self.chosen_key_file.is_some(),
        })
    }

    pub(crate) fn open(&self) -> Result<SealedFile> {
        Ok(SealedFile::open(self.configuration.sealed_file()?)?)
    }

    pub(crate) fn edit(&self) -> Result<SealedFile> {
        let file = self.configuration.sealed_file()?;
        let sealed = SealedFile::edit(&file)?;
        self.hide_lock(&file);
        Ok(sealed)
    }

    /// Has git ignore what stands beside a sealed file that `init` knew nothing of, such as one that was moved.
    fn hide_lock(&self, file: &Path) {
        // Beside the file itself: a name of it may be a link.
        let Ok(file) = file.canonicalize() else {
            return;
        };
        let hidden = Hidden::beside_sealed(&file);
        if !hidden.is_seen() {
            return;
        }
        let mut made = Made::default();
        let directory = self.configuration.file().and_then(Path::parent).unwrap_or(&self.directory);
        match ignore(&mut made, directory, [&hidden]) {
            Ok(_) => made.keep(),
            Err(error) => terminal::warning(error),
        }
    }

    /// The keys: `--key-file`, or what is configured.
    pub(crate) fn keys(&self) -> Result<KeyRing> {
        if let Some(file) = self.key_file()? {
            warn_if_others_can_read(&file);
        }
        match &self.chosen_key_file {
            Some(file) => Ok(Configuration::keys_in(file)?),
            None => Ok(self.configuration.keys()?),
        }
    }

    /// The file that keys are read from, unless `IOENV_KEY` holds them. One that git tracks is refused.
    pub(crate) fn key_file(&self) -> Result<Option<PathBuf>> {
        let file = match &self.chosen_key_file {
            Some(file) => Some(file.clone()),
            None if std::env::var_os("IOENV_KEY").is_some_and(|keys| !keys.is_empty()) => None,
            None => self.configuration.key_file(),
        };
        file.as_deref().map_or(Ok(()), refuse_tracked)?;
        Ok(file)
    }
}

/// Refuses a key that is committed: everybody with the repository has it, or somebody else chose it.
pub(crate) fn refuse_tracked(file: &Path) -> Result {
    let (tracked, file) = (git::tracks(file), file.display());
    match tracked {
        Tracked::No => return Ok(()),
        Tracked::Yes => {}
        Tracked::Unknown => {
            return Err(format!(
                "git cannot read the repository around {file}, so it is not known whether the key in it is committed: see what \
                 `git status` says there, or use a key outside of the repository"
            )
            .into());
        }
    }
    Err(format!(
        "git tracks {file}, so everybody with the repository has the key in it, and a merge may have replaced it: take it \
         out with `git rm --cached '{file}'`, keep it out with .gitignore, and make another key"
    )
    .into())
}

/// A container may mount a key so, which is why nothing but a command complains.
#[cfg(unix)]
pub(crate) fn warn_if_others_can_read(file: &Path) {
    use std::os::unix::fs::PermissionsExt as _;

    // What a shell hands over as /dev/fd/63 is no file that somebody else could open.
    if let Ok(metadata) = std::fs::metadata(file).map_err(|_| ())
        && metadata.is_file()
        && metadata.permissions().mode() & 0o077 != 0
    {
        let mode = metadata.permissions().mode() & 0o777;
        let file = file.display();
        terminal::warning(format!("{file} can be read by others (mode {mode:04o}): run `chmod 600 '{file}'`"));
    }
}

#[cfg(not(unix))]
pub(crate) fn warn_if_others_can_read(_file: &Path) {}
