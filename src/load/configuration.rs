use std::env::{self, VarError};
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use super::loader::Precedence;
use super::settings::Settings;
use super::source::{Source, SourceKind};
use super::{VaultLocation, discovery, vault};
use crate::core::key::LevelKey;
use crate::core::key_ring::KeyRing;
use crate::core::name::Slug;
use crate::core::path::LevelPath;
use crate::env::deserialize::parse_bool;
use crate::error::{Error, ErrorKind, Result};
use crate::files::read_text;

/// Largest key file that is read.
const MAX_KEY_FILE_BYTES: usize = 64 * 1024;

/// What is configured, before a program's own words: the `IOENV_*` variables, over the `ioenv.toml` that was found,
/// over what there is by default. `docs/configuration.md` has the table.
///
/// A [`Loader`](crate::Loader) reads it by itself. It is public for tools that work on the same file.
///
/// ```no_run
/// # fn main() -> Result<(), ioenv::Error> {
/// let configuration = ioenv::Configuration::discover()?;
/// println!("{} of {}", configuration.path()?, configuration.sealed_file()?.display());
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Configuration {
    /// What `IOENV_FILE`, `IOENV_VAULT` and other variables that name a file are relative to.
    pub(super) directory: PathBuf,
    /// The `ioenv.toml` that was found.
    file: Option<PathBuf>,
    settings: Settings,
}

impl Configuration {
    /// Finds the configuration that counts in the working directory.
    ///
    /// # Errors
    /// `Io`; `Config`, when `ioenv.toml` is not TOML or has a setting that there is not.
    pub fn discover() -> Result<Self> {
        let directory = env::current_dir().map_err(|error| Error::io("the working directory cannot be told", error))?;
        Self::discover_in(directory)
    }

    /// Finds the configuration that counts in another directory.
    ///
    /// # Errors
    /// As [`discover`](Self::discover).
    pub fn discover_in(directory: impl Into<PathBuf>) -> Result<Self> {
        let directory = directory.into();
        let (file, settings) = discovery::discover(&directory)?;
        Ok(Self { directory, file, settings })
    }

    /// The `ioenv.toml` that was found.
    pub fn file(&self) -> Option<&Path> {
        self.file.as_deref()
    }

    /// The level to load: `IOENV_PATH`, or `path`, with `{env}` filled by `IOENV_ENV`.
    ///
    /// # Errors
    /// `Config`, when nobody says it, when nothing fills `{env}`, or when `path` has none for `IOENV_ENV` to fill;
    /// `InvalidName`.
    pub fn path(&self) -> Result<LevelPath> {
        let chosen = variable("IOENV_PATH")?;
        let is_chosen = chosen.is_some();
        let (text, said_by) = match (chosen, &self.settings.path) {
            (Some(path), _) => (path, "IOENV_PATH".to_owned()),
            (None, Some(path)) => (path.clone(), format!("`path` in {}", self.file_name())),
            (None, None) => {
                let how = match &self.file {
                    Some(file) => format!("write `path = \"project/target/environment\"` into {}", file.display()),
                    None => format!("{}; make one with `ioenv init PROJECT`", self.no_file()),
                };
                return Err(config(format!(
                    "no path is given: {how}, set IOENV_PATH, or use `Loader::path` or `--path`"
                )));
            }
        };
        let text = match (text.contains("{env}"), variable("IOENV_ENV")?) {
            (false, None) => text,
            // A path that was chosen for this start counts as it is.
            (false, Some(_)) if is_chosen => text,
            (true, Some(env)) => {
                let env = Slug::new(&env).map_err(|error| {
                    Error::new(ErrorKind::InvalidName, format!("IOENV_ENV cannot fill {{env}}: {error}"))
                })?;
                text.replace("{env}", env.as_str())
            }
            (true, None) => {
                return Err(config(format!(
                    "{said_by} has `{{env}}`, and IOENV_ENV is not set: set it, as in IOENV_ENV=production"
                )));
            }
            // Whoever sets IOENV_ENV expects it to count.
            (false, Some(_)) => {
                return Err(config(format!(
                    "IOENV_ENV is set, and {said_by} has no `{{env}}` for it to fill: write one, or unset IOENV_ENV"
                )));
            }
        };
        LevelPath::new(&text).map_err(|error| Error::new(ErrorKind::InvalidName, format!("{said_by}: {error}")))
    }

    /// The sealed file: `IOENV_FILE`, or `file`, or `ioenv.sealed` beside `ioenv.toml`.
    ///
    /// # Errors
    /// `Config`, when nobody says it and there is no `ioenv.toml`.
    pub fn sealed_file(&self) -> Result<PathBuf> {
        if let Some(file) = variable_os("IOENV_FILE") {
            return Ok(self.directory.join(file));
        }
        self.beside_file(self.settings.file.as_deref().unwrap_or("ioenv.sealed")).ok_or_else(|| {
            config(format!(
                "{}; make one with `ioenv init PROJECT`, or name a sealed file in IOENV_FILE",
                self.no_file()
            ))
        })
    }

    /// The file with the keys, as far as one is named or there is one: `IOENV_KEY_FILE`, or `key_file`, or
    /// `ioenv.key` beside `ioenv.toml`. What `IOENV_KEY` holds counts before any file.
    pub fn key_file(&self) -> Option<PathBuf> {
        if let Some(file) = variable_os("IOENV_KEY_FILE") {
            return Some(self.directory.join(file));
        }
        match &self.settings.key_file {
            Some(file) => self.beside_file(file),
            None => self.beside_file("ioenv.key").filter(|file| file.exists()),
        }
    }

    /// The keys: those in `IOENV_KEY`, or else those in the [`key_file`](Self::key_file), or none.
    ///
    /// # Errors
    /// `Io`, when a file that is named cannot be read; `InvalidValue`, with the line, for a key with a typo; `Limit`.
    pub fn keys(&self) -> Result<KeyRing> {
        if let Some(text) = variable("IOENV_KEY")? {
            let text = zeroize::Zeroizing::new(text);
            return KeyRing::parse(&text).map_err(|error| error.with_file(Path::new("IOENV_KEY")));
        }
        match self.key_file() {
            Some(file) => Self::keys_in(&file),
            None => Ok(KeyRing::new()),
        }
    }

    /// The keys in a file.
    ///
    /// # Errors
    /// As [`keys`](Self::keys).
    pub fn keys_in(file: &Path) -> Result<KeyRing> {
        // The likeliest mix-up of all, and the error of opening such a file would show the key.
        if file.iter().any(|part| part.to_string_lossy().contains(LevelKey::PREFIX)) {
            let message = "a key is given where the name of a key file belongs: put it in IOENV_KEY";
            return Err(Error::new(ErrorKind::InvalidValue, message));
        }
        let text = read_text(file, "key file", MAX_KEY_FILE_BYTES)?;
        KeyRing::parse(&text).map_err(|error| error.with_file(file))
    }

    /// Whether the process or the store wins: `IOENV_PRECEDENCE`, or `precedence`, or the process.
    ///
    /// # Errors
    /// `Config`, when it is neither `process` nor `vault`.
    pub fn precedence(&self) -> Result<Precedence> {
        let said = match variable("IOENV_PRECEDENCE")? {
            Some(said) => Some((said, "IOENV_PRECEDENCE".to_owned())),
            None => {
                self.settings.precedence.clone().map(|said| (said, format!("`precedence` in {}", self.file_name())))
            }
        };
        match said {
            None => Ok(Precedence::default()),
            Some((said, said_by)) => match said.as_str() {
                "process" => Ok(Precedence::ProcessWins),
                "vault" => Ok(Precedence::VaultWins),
                _ => Err(config(format!("{said_by} must be `process` or `vault`"))),
            },
        }
    }

    /// Whether `${NAME}` is expanded: `IOENV_EXPAND`, or `expand`, or not.
    ///
    /// # Errors
    /// `Config`, when `IOENV_EXPAND` is no boolean.
    pub fn expand(&self) -> Result<bool> {
        match variable("IOENV_EXPAND")? {
            Some(said) => parse_bool(&said)
                .ok_or_else(|| config("IOENV_EXPAND must be one of true, false, 1, 0, yes, no, on and off")),
            None => Ok(self.settings.expand.unwrap_or(false)),
        }
    }

    /// Where levels come from: `IOENV_SOURCE`, or `source`, or the sealed file.
    ///
    /// # Errors
    /// `Config`, when it is neither `sealed` nor `vault`.
    pub fn source_kind(&self) -> Result<SourceKind> {
        let said = variable("IOENV_SOURCE")?.or_else(|| self.settings.source.clone());
        match said.as_deref() {
            None | Some("sealed") => Ok(SourceKind::Sealed),
            Some("vault") => Ok(SourceKind::Vault),
            Some(_) => {
                let message = "the source must be `sealed` or `vault`: look at IOENV_SOURCE and `source` in ioenv.toml";
                Err(config(message))
            }
        }
    }

    /// The vault: `IOENV_VAULT`, or `vault`, or `ioenv.vault` beside `ioenv.toml`.
    ///
    /// # Errors
    /// `Config`, when nobody says it and there is no `ioenv.toml`, and when that holds the password of a database.
    pub fn vault_location(&self) -> Result<VaultLocation> {
        if let Some(said) = variable("IOENV_VAULT")? {
            return Ok(match VaultLocation::parse(said) {
                VaultLocation::File(file) => VaultLocation::File(self.directory.join(file)),
                url @ VaultLocation::Postgres(_) => url,
            });
        }
        match VaultLocation::parse(self.settings.vault.clone().unwrap_or_else(|| "ioenv.vault".to_owned())) {
            VaultLocation::File(file) => self.beside_file(&file).map(VaultLocation::File).ok_or_else(|| {
                config(format!("{}; make a vault with `ioenv vault init`, or name one in IOENV_VAULT", self.no_file()))
            }),
            url @ VaultLocation::Postgres(_) if url.has_password() => Err(config(format!(
                "`vault` in {} holds the password of a database, and is committed: put the URL into IOENV_VAULT, and \
                 change the password",
                self.file_name()
            ))),
            url @ VaultLocation::Postgres(_) => Ok(url),
        }
    }

    /// The file with the root key of a vault, as far as one is named or there is one: `IOENV_ROOT_KEY_FILE`, or
    /// `ioenv.root` beside `ioenv.toml`. What `IOENV_ROOT_KEY` holds counts before any file.
    pub fn root_key_file(&self) -> Option<PathBuf> {
        match variable_os("IOENV_ROOT_KEY_FILE") {
            Some(file) => Some(self.directory.join(file)),
            None => self.beside_file("ioenv.root").filter(|file| file.exists()),
        }
    }

    /// The source that is asked for.
    pub(super) fn source(&self) -> Result<Box<dyn Source>> {
        match self.source_kind()? {
            SourceKind::Sealed => discovery::default_source(|| self.sealed_file()),
            SourceKind::Vault => vault::default_source(self),
        }
    }

    fn no_file(&self) -> String {
        let directory = self.directory.display();
        format!("there is no ioenv.toml in {directory}, nor one of the same owner above it in its git repository")
    }

    /// A file that `ioenv.toml` names, relative to where it lies.
    fn beside_file(&self, name: impl AsRef<Path>) -> Option<PathBuf> {
        Some(self.file.as_ref()?.parent()?.join(name))
    }

    fn file_name(&self) -> String {
        self.file.as_ref().map_or_else(|| "ioenv.toml".to_owned(), |file| file.display().to_string())
    }
}

#[cold]
pub(super) fn config(message: impl Into<String>) -> Error {
    Error::new(ErrorKind::Config, message)
}

/// An `IOENV_*` variable; an empty one counts as not set.
pub(super) fn variable(name: &str) -> Result<Option<String>> {
    match env::var(name) {
        Ok(value) => Ok(Some(value).filter(|value| !value.is_empty())),
        Err(VarError::NotPresent) => Ok(None),
        // Never wrapped: the error would show the value.
        Err(VarError::NotUnicode(_)) => Err(config(format!("{name} is not UTF-8 text"))),
    }
}

pub(super) fn variable_os(name: &str) -> Option<OsString> {
    env::var_os(name).filter(|value| !value.is_empty())
}
