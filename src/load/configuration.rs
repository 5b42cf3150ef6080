use std::env;
use std::path::{Path, PathBuf};

use super::discovery::{self, Start};
use super::location::VaultLocation;
use super::precedence::Precedence;
use super::settings::Settings;
use super::variables::{variable, variable_os};
use crate::core::name::Slug;
use crate::core::path::LevelPath;
use crate::core::words::words;
use crate::env::deserialize::parse_bool;
use crate::error::{Error, ErrorKind, Result};

words! {
    /// Where a [`Configuration`] says that levels come from.
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
    #[non_exhaustive]
    pub enum SourceKind: "the source" {
        /// The sealed file.
        #[default]
        Sealed = "sealed",
        /// A vault.
        Vault = "vault",
    }
}

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
#[derive(Clone, Debug)]
pub struct Configuration {
    /// What `IOENV_FILE`, `IOENV_VAULT` and other variables that name a file are relative to.
    pub(super) directory: PathBuf,
    /// The `ioenv.toml` that was found.
    file: Option<PathBuf>,
    pub(super) settings: Settings,
    source_kind: Option<SourceKind>,
    /// The organization of the vault, where one is chosen.
    pub(super) organization: Option<String>,
}

impl Configuration {
    /// Finds the configuration that counts in the directory that `IOENV_DIR` names, or else in the working directory. An
    /// `ioenv.toml` there must belong to the user who runs the program, or to root.
    ///
    /// # Errors
    /// `Io`; `Config`, when `ioenv.toml` belongs to another user, is not TOML or has a setting that there is not.
    pub fn discover() -> Result<Self> {
        let working = || env::current_dir().map_err(|error| Error::io("the working directory cannot be told", error));
        match variable_os("IOENV_DIR") {
            Some(directory) => Self::discover_from(working()?.join(directory), Start::Named),
            None => Self::discover_from(working()?, Start::Working),
        }
    }

    /// Finds the configuration that counts in a directory that is trusted, no matter who owns it.
    ///
    /// # Errors
    /// `Io`; `Config`, when `ioenv.toml` is not TOML or has a setting that there is not.
    pub fn discover_in(directory: impl Into<PathBuf>) -> Result<Self> {
        Self::discover_from(directory.into(), Start::Named)
    }

    fn discover_from(directory: PathBuf, start: Start) -> Result<Self> {
        let (file, settings) = discovery::discover(&directory, start)?;
        Ok(Self { directory, file, settings, source_kind: None, organization: None })
    }

    /// Sets where levels come from, over what is configured.
    #[must_use]
    pub fn with_source_kind(self, kind: SourceKind) -> Self {
        Self { source_kind: Some(kind), ..self }
    }

    /// Sets the organization of the vault that a tool works on, by its slug. It tells one
    /// [handover](Self::hand_over) from another; a [`Loader`](crate::Loader) reads what its token is for.
    #[must_use]
    pub fn with_organization(self, slug: impl Into<String>) -> Self {
        Self { organization: Some(slug.into()), ..self }
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
                return Err(Error::config(format!(
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
                return Err(Error::config(format!(
                    "{said_by} has `{{env}}`, and IOENV_ENV is not set: set it, as in IOENV_ENV=production"
                )));
            }
            // Whoever sets IOENV_ENV expects it to count.
            (false, Some(_)) => {
                return Err(Error::config(format!(
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
            Error::config(format!(
                "{}; make one with `ioenv init PROJECT`, or name a sealed file in IOENV_FILE",
                self.no_file()
            ))
        })
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
                _ => Err(Error::config(format!("{said_by} must be `process` or `vault`"))),
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
                .ok_or_else(|| Error::config("IOENV_EXPAND must be one of true, false, 1, 0, yes, no, on and off")),
            None => Ok(self.settings.expand.unwrap_or(false)),
        }
    }

    /// Where levels come from: what was [set](Self::with_source_kind), or `IOENV_SOURCE`, or `source`, or the sealed file.
    ///
    /// # Errors
    /// `Config`, when it is neither `sealed` nor `vault`.
    pub fn source_kind(&self) -> Result<SourceKind> {
        if let Some(kind) = self.source_kind {
            return Ok(kind);
        }
        let said = variable("IOENV_SOURCE")?.or_else(|| self.settings.source.clone());
        said.map_or_else(|| Ok(SourceKind::default()), |said| said.parse())
            .map_err(|error| Error::config(format!("{error}: look at IOENV_SOURCE and `source` in ioenv.toml")))
    }

    /// The vault: `IOENV_VAULT`, or `vault`, or `ioenv.vault` beside `ioenv.toml`.
    ///
    /// # Errors
    /// `Config`, when nobody says it and there is no `ioenv.toml`, and when that holds the password of a database.
    pub fn vault_location(&self) -> Result<VaultLocation> {
        if let Some(said) = variable("IOENV_VAULT")? {
            return Ok(match VaultLocation::from(said) {
                VaultLocation::File(file) => VaultLocation::File(self.directory.join(file)),
                url @ VaultLocation::Postgres(_) => url,
            });
        }
        match VaultLocation::from(self.settings.vault.clone().unwrap_or_else(|| "ioenv.vault".to_owned())) {
            VaultLocation::File(file) => self.beside_file(&file).map(VaultLocation::File).ok_or_else(|| {
                Error::config(format!(
                    "{}; make a vault with `ioenv vault init`, or name one in IOENV_VAULT",
                    self.no_file()
                ))
            }),
            url @ VaultLocation::Postgres(_) if url.has_password() => Err(Error::config(format!(
                "`vault` in {} holds the password of a database, and is committed: put the URL into IOENV_VAULT, and \
                 change the password",
                self.file_name()
            ))),
            url @ VaultLocation::Postgres(_) => Ok(url),
        }
    }

    fn no_file(&self) -> String {
        let directory = self.directory.display();
        format!("there is no ioenv.toml in {directory}, nor one of the same owner above it in its git repository")
    }

    /// A file that `ioenv.toml` names, relative to where it lies.
    pub(super) fn beside_file(&self, name: impl AsRef<Path>) -> Option<PathBuf> {
        Some(self.file.as_ref()?.parent()?.join(name))
    }

    pub(super) fn file_name(&self) -> String {
        self.file.as_ref().map_or_else(|| "ioenv.toml".to_owned(), |file| file.display().to_string())
    }
}
