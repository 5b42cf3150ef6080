use std::fs::{self, DirBuilder};
use std::io;
use std::path::{Path, PathBuf};

use crate::core::document::Kind;
use crate::core::dotenv::lines::Lines;
use crate::core::limits::MAX_FILE_BYTES;
use crate::core::secret::SecretString;
use crate::error::{Error, ErrorKind, Result};
use crate::files::read::read_text;
use crate::files::replace::{Readers, replace, sync_directory};
use crate::vault::provider::{FILE_NAME_RULE, is_identifier};
use crate::vault::sync_target::{Applied, Desired, SyncAction, SyncPlace, SyncPlan, SyncTarget};

/// Dotenv files in one directory, for programs that read nothing else.
///
/// The files of each organization are in a directory of its own below it, which is named by the organization's id.
///
/// A file is replaced as a whole, and only its owner can read it (mode 0600, where there are modes). Lines that the
/// integration did not put there stay as they are, and values are written so that a shell that sources the file runs
/// nothing. A link in the place of the file is refused.
///
/// ```no_run
/// # fn main() -> ioenv::Result<()> {
/// use ioenv::vault::{Provider, RootKey, Vault};
/// use ioenv::worker::EnvFiles;
/// use ioenv::{SystemRandom, store::Memory};
///
/// let vault = Vault::create(Memory::new(), &RootKey::generate(&SystemRandom)?)?
///     .with_sync_target(Provider::File, EnvFiles::in_directory("/srv/shop"));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct EnvFiles {
    directory: PathBuf,
}

impl EnvFiles {
    /// Creates a target for files below this directory, which must be there and writable for nobody else.
    pub fn in_directory(directory: impl Into<PathBuf>) -> Self {
        Self { directory: directory.into() }
    }

    /// Returns the file of a place.
    fn path(&self, place: &SyncPlace<'_>) -> Result<PathBuf> {
        if !is_identifier(place.target) {
            return Err(Error::new(ErrorKind::InvalidValue, FILE_NAME_RULE));
        }
        let Some(organization) = place.organization() else {
            return Ok(self.directory.join(place.target));
        };
        let directory = self.directory.join(organization.to_string());
        match fs::symlink_metadata(&directory) {
            Ok(metadata) if !metadata.is_dir() => {
                let message = "there is a link or a file where the organization's directory should be: remove it";
                Err(Error::new(ErrorKind::Io, message).with_file(&directory))
            }
            _ => Ok(directory.join(place.target)),
        }
    }
}

impl SyncTarget for EnvFiles {
    fn plan(&self, place: &SyncPlace<'_>, desired: &Desired) -> Result<SyncPlan> {
        let lines = read(&self.path(place)?)?;
        let mut plan = SyncPlan::new();
        for entry in &desired.entries {
            let action = if !lines.has(&entry.name) {
                Some(SyncAction::Create)
            } else if lines.is_set(&entry.name, &entry.value) {
                None
            } else {
                Some(SyncAction::Update)
            };
            plan.add(&entry.name, entry.kind, action, None);
        }
        for name in &desired.removable {
            if lines.has(name) {
                plan.add(name, Kind::Secret, Some(SyncAction::Delete), None);
            }
        }
        Ok(plan)
    }

    fn apply(&self, place: &SyncPlace<'_>, plan: &SyncPlan, desired: &Desired) -> Applied {
        if plan.is_empty() {
            return Applied::all(plan);
        }
        let written = self.path(place).and_then(|path| {
            let mut lines = read(&path)?;
            for change in &plan.changes {
                match change.action {
                    SyncAction::Create | SyncAction::Update => {
                        let Some(entry) = desired.get(change.name.as_str()) else {
                            continue;
                        };
                        lines.set(&change.name, &entry.value);
                    }
                    SyncAction::Delete => lines.remove(&change.name),
                }
            }
            if place.organization().is_some() {
                create_directory(&path)?;
            }
            write(&path, &lines.to_text())
        });
        match written {
            Ok(()) => Applied::all(plan),
            Err(error) => Applied::stopped(0, error),
        }
    }
}

/// What is in a file; nothing, where there is none.
fn read(path: &Path) -> Result<Lines> {
    match fs::symlink_metadata(path) {
        Ok(metadata) if metadata.is_file() => Lines::parse(&read_text(path, "env file", MAX_FILE_BYTES)?),
        Ok(_) => {
            Err(Error::new(ErrorKind::Io, "there is a link or a directory where the env file should be: remove it")
                .with_file(path))
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => Lines::parse(""),
        Err(error) => Err(Error::io(format!("cannot read the env file {}", path.display()), error)),
    }
}

/// Creates the directory of an organization's files, for the owner alone. That above it is the operator's to make.
fn create_directory(file: &Path) -> Result<()> {
    let Some(directory) = file.parent() else {
        return Ok(());
    };
    let mut builder = DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    match builder.create(directory) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => {
            Err(Error::io(format!("cannot create the directory {}", directory.display()), error))
        }
        _ => Ok(()),
    }
}

/// The rename does not follow a link in the place of the file. An integration has one worker at a time, so there is no
/// other writer.
fn write(path: &Path, text: &SecretString) -> Result<()> {
    let written = replace(path, ".tmp", text.expose_secret(), Readers::Owner).and_then(|()| sync_directory(path));
    written.map_err(|error| Error::io(format!("cannot write the env file {}", path.display()), error))
}
