use std::collections::BTreeSet;
use std::sync::{Mutex, OnceLock, PoisonError};

use super::configuration::Configuration;
use super::default_source::default_source;
use super::handover::Handover;
use super::precedence::Precedence;
use super::variables::process_var;
use crate::core::dotenv::expand::expand;
use crate::core::key_ring::KeyRing;
use crate::core::merge::{Resolved, merge};
use crate::core::name::VarName;
use crate::core::path::LevelPath;
use crate::core::secret::SecretString;
use crate::core::source::{Freshness, Reading, Request, Source};
use crate::env::{Env, Selection, Snapshot};
use crate::error::{Error, ErrorKind, Result};
use crate::inject::Inject;
use crate::inject::process::write_process;
use crate::inject::withheld::is_withheld;

/// Loads the environment that `ioenv.toml` and the `IOENV_*` variables name, into the process.
///
/// Call it as the first statement of `main`: it writes only if no other thread is running. See [`Loader::load`].
///
/// # Errors
/// As [`Loader::load`].
///
/// ```no_run
/// fn main() -> Result<(), Box<dyn std::error::Error>> {
///     ioenv::load()?;
///     let url = std::env::var("DATABASE_URL")?;
/// #   drop(url);
///     Ok(())
/// }
/// ```
pub fn load() -> Result<Env> {
    Loader::new().load()
}

/// Resolves what [`load`] would load, and changes nothing.
///
/// # Errors
/// As [`Loader::resolve`].
///
/// ```no_run
/// # fn main() -> Result<(), ioenv::Error> {
/// let env = ioenv::resolve()?;
/// let url = env.var("DATABASE_URL")?;
/// # Ok(())
/// # }
/// ```
pub fn resolve() -> Result<Env> {
    Loader::new().resolve()
}

/// The value of a variable: of the environment that was loaded, or else of the process.
///
/// # Errors
/// `NotFound` or, for a value of the process that is not UTF-8, `InvalidValue`; both name the variable.
///
/// ```
/// # fn main() -> Result<(), ioenv::Error> {
/// let path = ioenv::var("PATH")?;
/// # Ok(())
/// # }
/// ```
pub fn var(name: &str) -> Result<SecretString> {
    if let Some(loaded) = LOADED.get()
        && let Ok(value) = loaded.env.var(name)
    {
        return Ok(value.clone());
    }
    // A name that breaks the rules would make std panic or, worse, find another variable.
    let name = VarName::new(name)?;
    match process_var(&name)? {
        Some(value) => Ok(value),
        None => {
            let message = format!("{name} is not set: add it with `ioenv set {name}`, or set it in the environment");
            Err(Error::new(ErrorKind::NotFound, message).with_names([name]))
        }
    }
}

/// Says which environment to load, and how. What is not said comes from the `IOENV_*` variables, then from
/// `ioenv.toml`, then from the defaults.
///
/// ```no_run
/// # fn main() -> Result<(), ioenv::Error> {
/// use ioenv::Loader;
///
/// let env = Loader::new()
///     .path("acme-store/backend/production".parse()?)
///     .only(["DATABASE_URL", "STRIPE_SECRET_KEY"])
///     .require(["DATABASE_URL"])
///     .load()?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Default)]
#[must_use = "nothing happens before `load` or `resolve`"]
pub struct Loader {
    configuration: Option<Configuration>,
    path: Option<LevelPath>,
    source: Option<Box<dyn Source>>,
    keys: Option<KeyRing>,
    only: Option<Vec<String>>,
    required: Vec<String>,
    precedence: Option<Precedence>,
    expand: Option<bool>,
    inject: Inject,
}

/// What was loaded, for the life of the process.
struct Loaded {
    env: Env,
    inject: Inject,
}

static LOADED: OnceLock<Loaded> = OnceLock::new();
/// Held while loading, so that two threads do not both.
static LOADING: Mutex<()> = Mutex::new(());

impl Loader {
    /// A loader that says nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// The configuration to start from, instead of the one that counts in the working directory.
    pub fn configuration(mut self, configuration: Configuration) -> Self {
        self.configuration = Some(configuration);
        self
    }

    /// The level to load, with all it inherits.
    pub fn path(mut self, path: LevelPath) -> Self {
        self.path = Some(path);
        self
    }

    /// Where levels come from, instead of the sealed file that is configured.
    pub fn source(mut self, source: impl Source + 'static) -> Self {
        self.source = Some(Box::new(source));
        self
    }

    /// The keys to open levels with, instead of those that are configured. Those are read only if the source asks for
    /// keys.
    pub fn key(mut self, keys: impl Into<KeyRing>) -> Self {
        self.keys = Some(keys.into());
        self
    }

    /// Takes these names and no others: the less enters a process, the less can leak from it.
    ///
    /// Names that are withheld otherwise, such as `PATH`, are taken when they are listed here.
    pub fn only<I: IntoIterator<Item: Into<String>>>(mut self, names: I) -> Self {
        self.only = Some(names.into_iter().map(Into::into).collect());
        self
    }

    /// Fails unless the levels have all of these names. What only the process has does not count.
    pub fn require<I: IntoIterator<Item: Into<String>>>(mut self, names: I) -> Self {
        self.required.extend(names.into_iter().map(Into::into));
        self
    }

    /// Whose value counts when the process has a variable of the same name.
    pub fn precedence(mut self, precedence: Precedence) -> Self {
        self.precedence = Some(precedence);
        self
    }

    /// Whether `${NAME}` is replaced by the value that the levels give `NAME`.
    pub fn expand(mut self, expand: bool) -> Self {
        self.expand = Some(expand);
        self
    }

    /// What [`load`](Self::load) does with the result.
    pub fn inject(mut self, inject: Inject) -> Self {
        self.inject = inject;
        self
    }

    /// Resolves, and injects: all of it, or on any error nothing.
    ///
    /// The first success is kept: a second call returns it, whatever else it asks for.
    ///
    /// # Errors
    /// As [`resolve`](Self::resolve), and with [`Inject::Process`]: `MultiThreaded`, when another thread is running;
    /// `UnknownThreadCount`, where that cannot be told; `CrateFeature`, without the feature `inject`. `AlreadyLoaded`,
    /// when the first success was for another path or another way of injection.
    ///
    /// # Security
    /// Values in the process environment are copies that nobody wipes, children inherit them, and on Linux whoever may
    /// read this process's memory may read them. Names you do not need are best left out: see [`only`](Self::only).
    ///
    /// The count of threads does not see other processes that share this one's memory without being its threads (raw
    /// `CLONE_VM`), nor code that a debugger injects. Writing allocates memory: a global allocator that starts threads
    /// which read the environment, or a signal handler that reads it, is outside the promise too.
    ///
    /// The key stays where it was: an `IOENV_KEY` in the environment reaches children too. `ioenv run` takes it out.
    pub fn load(self) -> Result<Env> {
        let _loading = LOADING.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(loaded) = LOADED.get() {
            return self.already(loaded);
        }
        let inject = self.inject;
        let env = self.resolve()?;
        if inject == Inject::Process {
            write_process(&env)?;
        }
        Ok(LOADED.get_or_init(|| Loaded { env, inject }).env.clone())
    }

    /// What a second load gets.
    fn already(&self, loaded: &Loaded) -> Result<Env> {
        let first = loaded.env.path();
        if self.path.as_ref().is_some_and(|path| path != first) {
            let message = "another environment was loaded before: a process has one; use `resolve` for more";
            return Err(Error::new(ErrorKind::AlreadyLoaded, message).with_path(first));
        }
        if self.inject != loaded.inject {
            let message = "the environment was loaded before with another `Inject`: load it once";
            return Err(Error::new(ErrorKind::AlreadyLoaded, message).with_path(first));
        }
        check_required(first, &self.required, loaded.env.withheld(), |name| loaded.env.get(name).is_some())?;
        Ok(loaded.env.clone())
    }

    /// Resolves, and changes nothing: reads the chain, merges it, expands if asked to, takes the names that count,
    /// and lets the process's own values win if they are to.
    ///
    /// If no source and no key is set here, and no key or token is found, a program that `ioenv run` has started takes the
    /// values that it was given: if they are those of the same level, at the same place and for the same names, and all of them
    /// are there. They are secrets, and their origin is the process. See [`Configuration::hand_over`].
    ///
    /// # Errors
    /// `Config`, when no path, no file or no key is given; those of the [`Source`]; `NotFound`, with all names of
    /// [`require`](Self::require) that no level has; `InvalidName`, for a required name that is withheld;
    /// `InvalidValue`, for a value of the process that is not UTF-8, and for references that go round in a circle.
    pub fn resolve(mut self) -> Result<Env> {
        let configuration = match self.configuration.take() {
            Some(configuration) => configuration,
            None => Configuration::discover()?,
        };
        let is_configured = self.source.is_none() && self.keys.is_none();
        let handover = if is_configured { configuration.handover() } else { Ok(None) };
        let taken = match handover {
            Ok(Some(handover)) => self.take(&configuration, &handover),
            Ok(None) => Ok(None),
            Err(why) => Err(why),
        };
        match taken {
            Ok(None) => self.read(&configuration),
            Ok(Some(snapshot)) => {
                let is_there = |name: &str| snapshot.resolved.get(name).is_some();
                check_required(&snapshot.path, &self.required, &snapshot.withheld, is_there)?;
                Ok(Env::new(snapshot))
            }
            Err(why) => self.read(&configuration).map_err(|error| error.with_note(why)),
        }
    }

    /// The process's own values, if they are those of this loader. None, if what it asks for is not clear, which reading
    /// tells.
    fn take(&self, configuration: &Configuration, handover: &Handover) -> Result<Option<Snapshot>> {
        let asked = || {
            let path = self.path.clone().map_or_else(|| configuration.path(), Ok)?;
            let precedence = self.precedence.map_or_else(|| configuration.precedence(), Ok)?;
            let selection = Selection {
                only: self.only.as_deref().map(names).transpose()?,
                process_wins: precedence == Precedence::ProcessWins,
                is_expanded: self.expand.map_or_else(|| configuration.expand(), Ok)?,
            };
            Ok::<_, Error>((path, selection))
        };
        let Ok((path, selection)) = asked() else {
            return Ok(None);
        };
        Ok(Some(Snapshot {
            resolved: handover.take(configuration, &path, &selection)?,
            path,
            source: "the process environment, as `ioenv run` left it".to_owned(),
            freshness: Freshness::Stale { since: handover.since },
            unresolved: Vec::new(),
            withheld: handover.withheld.clone(),
            selection,
        }))
    }

    /// Reads from the source.
    fn read(self, configuration: &Configuration) -> Result<Env> {
        // First the source: without the feature for it, that is the error to see.
        let source = match self.source {
            Some(source) => source,
            None => default_source(configuration)?,
        };
        let path = self.path.map_or_else(|| configuration.path(), Ok)?;
        let process_wins = self.precedence.map_or_else(|| configuration.precedence(), Ok)? == Precedence::ProcessWins;
        let is_expanded = self.expand.map_or_else(|| configuration.expand(), Ok)?;
        let reading = read(&*source, &path, self.keys, configuration)?;
        // Together with the threads that it may have started.
        drop(source);

        let (source, freshness) = (reading.origin().to_owned(), reading.freshness());
        let mut resolved = merge(reading.into_layers()?);
        let unresolved =
            if is_expanded { expand(&mut resolved).map_err(|error| error.with_path(&path))? } else { Vec::new() };
        let only = self.only.as_deref().map(names).transpose()?;
        let withheld = select(&mut resolved, only.as_ref());
        check_required(&path, &self.required, &withheld, |name| resolved.get(name).is_some())?;
        if process_wins {
            let own: Vec<Option<SecretString>> =
                resolved.iter().map(|variable| own_var(variable.name())).collect::<Result<_>>()?;
            for (number, value) in own.into_iter().enumerate() {
                if let Some(value) = value {
                    resolved.replace_by_process(number, value);
                }
            }
        }
        // What a program did not ask for does not stay in its memory either.
        resolved.forget_the_rest();
        let selection = Selection { only, process_wins, is_expanded };
        Ok(Env::new(Snapshot { path, source, freshness, resolved, unresolved, withheld, selection }))
    }
}

/// Reads the chain. The configured keys are read only if the source asks for keys.
fn read(
    source: &dyn Source,
    path: &LevelPath,
    keys: Option<KeyRing>,
    configuration: &Configuration,
) -> Result<Reading> {
    let request = Request::new(path);
    source.read(&match keys {
        Some(keys) => request.with_keys(keys),
        None => request.with_keys_from(|| configuration.keys()),
    })
}

/// Checks names that a program lists.
fn names(names: &[String]) -> Result<BTreeSet<VarName>> {
    names.iter().map(|name| VarName::new(name)).collect()
}

/// Keeps the names that were asked for, or all but those that are withheld; returns those.
fn select(resolved: &mut Resolved, only: Option<&BTreeSet<VarName>>) -> Vec<VarName> {
    let mut withheld = Vec::new();
    match only {
        Some(names) => resolved.retain(|name| names.contains(name)),
        None => resolved.retain(|name| {
            let is_withheld = is_withheld(name);
            if is_withheld {
                withheld.push(name.clone());
            }
            !is_withheld
        }),
    }
    withheld
}

/// All that are missing at once, and which of them are there but withheld.
fn check_required(
    path: &LevelPath,
    required: &[String],
    withheld: &[VarName],
    is_there: impl Fn(&str) -> bool,
) -> Result<()> {
    let required = names(required)?;
    let missing: Vec<VarName> = required.into_iter().filter(|name| !is_there(name.as_str())).collect();
    if missing.is_empty() {
        return Ok(());
    }
    let list = |is_withheld: bool| {
        let names = missing.iter().filter(|name| withheld.contains(name) == is_withheld);
        names.map(VarName::as_str).collect::<Vec<_>>().join(", ")
    };
    let (absent, withheld) = (list(false), list(true));
    let mut message = Vec::new();
    if !absent.is_empty() {
        message.push(format!("required and set by no level: {absent}; add each with `ioenv set NAME --path {path}`"));
    }
    if !withheld.is_empty() {
        message.push(format!(
            "required and withheld, because it changes how programs are loaded: {withheld}; list it in `only`"
        ));
    }
    let kind = if absent.is_empty() { ErrorKind::InvalidName } else { ErrorKind::NotFound };
    Err(Error::new(kind, message.join("; ")).with_names(missing).with_path(path))
}

/// What the process has itself, rather than from an earlier [`Loader::load`].
fn own_var(name: &VarName) -> Result<Option<SecretString>> {
    let value = process_var(name)?;
    Ok(value.filter(|value| {
        let loaded = LOADED.get().filter(|loaded| loaded.inject == Inject::Process);
        let ours = loaded.and_then(|loaded| loaded.env.get(name.as_str()));
        ours.is_none_or(|ours| ours.is_process() || ours.value().expose_secret() != value.expose_secret())
    }))
}
