//! The resolved snapshot of an environment.

pub(crate) mod deserialize;

use std::collections::BTreeSet;
use std::fmt;
use std::process::Command;
use std::sync::Arc;

use crate::core::document::Document;
use crate::core::dotenv::expand::Unresolved;
use crate::core::merge::{Origin, Resolved, Variable};
use crate::core::name::VarName;
use crate::core::path::LevelPath;
use crate::core::secret::SecretString;
use crate::core::source::Freshness;
use crate::error::{Error, ErrorKind, Result};

/// What an environment resolved to: names, values, and which level decided each.
///
/// It is a snapshot, cheap to clone and the same in every clone. `Debug` shows names and origins, never values.
///
/// ```
/// # use ioenv::source::{Reading, Request, Source};
/// # use ioenv::{Document, Layer, Result};
/// # #[derive(Debug)]
/// # struct Fixed;
/// # impl Source for Fixed {
/// #     fn read(&self, request: &Request<'_>) -> Result<Reading> {
/// #         let document = Document::parse("PORT=8080\nTLS=on\n")?;
/// #         Ok(Reading::new("fixed", vec![Layer::new(request.path().clone(), document)]))
/// #     }
/// # }
/// # fn main() -> Result<()> {
/// use ioenv::Loader;
///
/// let env = Loader::new().source(Fixed).path("acme-store".parse()?).resolve()?;
/// assert_eq!(env.var("PORT")?.expose_secret(), "8080");
/// assert_eq!(env.origin("PORT").unwrap().to_string(), "acme-store");
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Env {
    snapshot: Arc<Snapshot>,
}

pub(crate) struct Snapshot {
    pub(crate) path: LevelPath,
    /// What the source calls itself.
    pub(crate) source: String,
    pub(crate) freshness: Freshness,
    pub(crate) resolved: Resolved,
    pub(crate) unresolved: Vec<Unresolved>,
    pub(crate) withheld: Vec<VarName>,
    pub(crate) selection: Selection,
}

/// Which names of a level were taken, and whose values.
#[derive(Clone, Debug)]
pub(crate) struct Selection {
    /// None, if all names were taken but those that are withheld.
    pub(crate) only: Option<BTreeSet<VarName>>,
    pub(crate) process_wins: bool,
    pub(crate) is_expanded: bool,
}

impl Env {
    pub(crate) fn new(snapshot: Snapshot) -> Self {
        Self { snapshot: Arc::new(snapshot) }
    }

    /// The value of a variable.
    ///
    /// # Errors
    /// `NotFound`, naming the variable.
    pub fn var(&self, name: &str) -> Result<&SecretString> {
        match self.get(name) {
            Some(variable) => Ok(variable.value()),
            None => Err(self.not_found(name)),
        }
    }

    /// Which level decided the value of a variable, and which levels it overrode.
    pub fn origin(&self, name: &str) -> Option<Origin> {
        self.get(name).map(|variable| variable.origin())
    }

    /// The variable of that name, with its kind and origin.
    pub fn get(&self, name: &str) -> Option<Variable<'_>> {
        self.snapshot.resolved.get(name)
    }

    /// The level that was asked for.
    pub fn path(&self) -> &LevelPath {
        &self.snapshot.path
    }

    /// Returns what the source that the levels were read from calls itself, such as "the sealed file ./ioenv.sealed".
    pub fn source(&self) -> &str {
        &self.snapshot.source
    }

    /// Returns how current the levels are.
    pub fn freshness(&self) -> Freshness {
        self.snapshot.freshness
    }

    /// The names, ascending.
    pub fn names(&self) -> impl Iterator<Item = &VarName> {
        self.iter().map(|variable| variable.name())
    }

    /// The variables, ascending by name.
    pub fn iter(&self) -> impl Iterator<Item = Variable<'_>> {
        self.snapshot.resolved.iter()
    }

    /// References that stayed as they were written, because no level sets what they name. Empty without expansion.
    pub fn unresolved(&self) -> &[Unresolved] {
        &self.snapshot.unresolved
    }

    pub(crate) fn selection(&self) -> &Selection {
        &self.snapshot.selection
    }

    /// Names that levels set but that were withheld, because they change how programs are loaded.
    pub fn withheld(&self) -> &[VarName] {
        &self.snapshot.withheld
    }

    /// Gives the variables to a child process. Safe at any time, with any number of threads.
    ///
    /// # Security
    /// `{:?}` of a `Command` prints the values of its environment: never log a command after this.
    pub fn apply_to(&self, command: &mut Command) {
        for variable in self.iter() {
            command.env(variable.name().as_str(), variable.value().expose_secret());
        }
    }

    #[cold]
    fn not_found(&self, name: &str) -> Error {
        let path = self.path();
        match VarName::new(name) {
            Ok(name) => {
                let message = format!("no level sets {name}: add it with `ioenv set {name} --path {path}`");
                Error::new(ErrorKind::NotFound, message).with_names([name]).with_path(path)
            }
            Err(error) => error,
        }
    }

    /// One document with the values that count, ascending by name.
    pub fn to_document(&self) -> Document {
        self.snapshot.resolved.to_document()
    }
}

impl fmt::Debug for Env {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Env")
            .field("path", &self.snapshot.path)
            .field("variables", &self.snapshot.resolved)
            .finish_non_exhaustive()
    }
}
