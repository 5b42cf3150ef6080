//! The replacement of references such as `${NAME}` in values: one scanner for the notation of each service, and what
//! each service makes of what it finds.

mod graph;
mod in_order;
mod outcome;
mod scan;
#[cfg(feature = "server")]
mod stored;

use std::fmt;
use std::iter;

pub use self::outcome::Unresolved;
use self::outcome::{Process, Replacement};
use self::scan::{Scanner, Syntax, What};
#[cfg(feature = "server")]
pub(crate) use self::stored::References;
use crate::core::document::Entry;
use crate::core::merge::Resolved;
use crate::core::secret::SecretString;
use crate::error::Result;

/// A notation of references in values, and the rules for their replacement.
///
/// In each of them a `$` that a document holds in single quotes or as `"\$"` is no reference.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Dialect {
    /// Ours: `${NAME}`, and `$$` for one `$`.
    ///
    /// Everything else stays, such as `$NAME` and `${NAME:-word}`, and so does a reference to a name that no level
    /// sets. The environment of the process does not count. A cycle of references is an error.
    #[default]
    Ioenv,
    /// That of dotenv.cloud: `$NAME`, `${NAME}`, `${NAME:-default}`, `${NAME:+alternative}`, `${NAME:?message}`, and
    /// `\$` for one `$`.
    ///
    /// An empty value counts as none. A name that has no value in the chain is looked up in the environment of the
    /// process; one without a value there stays as it was written. Defaults and alternatives can hold references.
    /// What is inserted is not searched again. A cycle of references is an error.
    DotenvCloud,
    /// That of Stashbase: `$NAME`, `${NAME}`, `${NAME:-default}`, `${NAME-default}`, `${NAME:+alternative}`,
    /// `${NAME+alternative}`, and `\$` for one `$`.
    ///
    /// Values are expanded in the order of the document, so that a reference finds what stands above it. The
    /// environment of the process takes precedence, for the variable itself and for what it refers to. A name without
    /// a value becomes an empty text. What is inserted is searched again.
    Stashbase,
}

/// The expansion of references in the notation of one service.
///
/// ```
/// # fn main() -> Result<(), ioenv::Error> {
/// use ioenv::{Dialect, Document, Expansion, Layer, merge};
///
/// let document = Document::parse("HOST=db.internal\nURL=\"postgres://$HOST:${PORT:-5432}\"\n")?;
/// let layer = Layer::new("acme-store".parse()?, document);
///
/// let mut resolved = merge(vec![layer.clone()]);
/// Expansion::new(Dialect::DotenvCloud).apply(&mut resolved)?;
/// assert_eq!(resolved.get("URL").unwrap().value().expose_secret(), "postgres://db.internal:5432");
///
/// let mut resolved = merge(vec![layer]);
/// let process = |name: &str| (name == "HOST").then(|| "localhost".into());
/// Expansion::new(Dialect::Stashbase).process(&process).apply(&mut resolved)?;
/// assert_eq!(resolved.get("URL").unwrap().value().expose_secret(), "postgres://localhost:5432");
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Copy)]
pub struct Expansion<'a> {
    dialect: Dialect,
    process: Option<Process<'a>>,
}

impl<'a> Expansion<'a> {
    /// Creates the expansion in a notation, without the environment of the process.
    pub fn new(dialect: Dialect) -> Self {
        Self { dialect, process: None }
    }

    /// Looks names up in the environment of the process too, as the notation has it. [`Dialect::Ioenv`] does not.
    pub fn process(self, lookup: &'a dyn Fn(&str) -> Option<SecretString>) -> Self {
        Self { process: Some(lookup), ..self }
    }

    /// Replaces the references in all values of a resolved chain, and returns those that have no value, by name.
    ///
    /// A value becomes a secret if a part of it is one. What comes from the process, and from no level, is one.
    ///
    /// # Errors
    /// `InvalidValue`, with the names of a cycle; `NotFound`, where a name has no value that `${NAME:?message}`
    /// requires; `Limit`, for a value that grows beyond what a value may have, or that refers to others too often or
    /// too deeply. Nothing is replaced then.
    pub fn apply(&self, resolved: &mut Resolved) -> Result<Vec<Unresolved>> {
        let process = |name: &str| self.process.and_then(|lookup| lookup(name));
        let (values, unresolved) = match self.dialect {
            Dialect::Ioenv => graph::expand(resolved, self.dialect.syntax(), &|_| None)?,
            Dialect::DotenvCloud => graph::expand(resolved, self.dialect.syntax(), &process)?,
            Dialect::Stashbase => in_order::expand(resolved, &process)?,
        };
        for Replacement { number, value, kind } in values {
            match kind {
                Some(kind) => resolved.replace_by_expansion(number, value, kind),
                None => resolved.replace_by_process(number, value),
            }
        }
        Ok(unresolved.into_iter().collect())
    }
}

impl Dialect {
    fn syntax(self) -> &'static Syntax {
        match self {
            Self::Ioenv => &scan::IOENV,
            Self::DotenvCloud => &scan::DOTENV_CLOUD,
            Self::Stashbase => &scan::STASHBASE,
        }
    }
}

impl Entry {
    /// Returns how many references the value has in the notation of a dialect. Those inside of a default or of an
    /// alternative are not counted.
    ///
    /// ```
    /// # fn main() -> Result<(), ioenv::Error> {
    /// use ioenv::{Dialect, Document};
    ///
    /// let document = Document::parse("A=\"${B}\"\nC='${B}'\nD=\"$B ${B:-x}\"\n")?;
    /// let references = |dialect| document.entries().iter().map(move |entry| entry.references(dialect));
    /// assert!(references(Dialect::Ioenv).eq([1, 0, 0]));
    /// assert!(references(Dialect::DotenvCloud).eq([1, 0, 2]));
    /// # Ok(())
    /// # }
    /// ```
    pub fn references(&self, dialect: Dialect) -> usize {
        let text = self.value().expose_secret();
        let scanner = Scanner::new(dialect.syntax(), text, self.dollars());
        let found = iter::successors(scanner.next(0..text.len()), |last| scanner.next(last.range.end..text.len()));
        found.filter(|found| matches!(found.what, What::Reference(_))).count()
    }

    /// Returns whether the value has a reference that other programs replace and [`expand`] does not: `$NAME`, or
    /// `${NAME}` with an operator, such as `${NAME:-word}`.
    ///
    /// ```
    /// # fn main() -> Result<(), ioenv::Error> {
    /// use ioenv::Document;
    ///
    /// let document = Document::parse("A=\"${B}\"\nC='$B'\nD=$B\nE=\"${B:-x}\"\n")?;
    /// let foreign = document.entries().iter().filter(|entry| entry.has_foreign_reference());
    /// assert!(foreign.map(|entry| entry.name().as_str()).eq(["D", "E"]));
    /// # Ok(())
    /// # }
    /// ```
    pub fn has_foreign_reference(&self) -> bool {
        Scanner::new(&scan::IOENV, self.value().expose_secret(), self.dollars()).finds_foreign()
    }
}

impl fmt::Debug for Expansion<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Expansion").field("dialect", &self.dialect).finish_non_exhaustive()
    }
}

/// Replaces `${NAME}` by the value of `NAME` in every value of a resolved chain, and returns what has no value.
///
/// This is [`Expansion::apply`] in the notation [`Dialect::Ioenv`]: `$$` gives one `$`. Every other `$` stays: `$NAME`,
/// `${}`, `${NAME:-default}`, and all that was written `\$` or in single quotes. The process environment is not looked
/// at. A value becomes a secret if a part of it is one.
///
/// # Errors
/// `InvalidValue`, with the names of a cycle; `Limit`, for a chain of more than 64 references, a value beyond 64 KiB,
/// or more than 16 MiB in all. Nothing is replaced then.
///
/// ```
/// # fn main() -> Result<(), ioenv::Error> {
/// use ioenv::{Document, Layer, expand, merge};
///
/// let text = "HOST=db.internal\nURL=\"postgres://${HOST}/shop\"\nPRICE='${HOST}'\n";
/// let mut resolved = merge(vec![Layer::new("acme-store".parse()?, Document::parse(text)?)]);
/// let unresolved = expand(&mut resolved)?;
/// assert!(unresolved.is_empty());
/// assert_eq!(resolved.get("URL").unwrap().value().expose_secret(), "postgres://db.internal/shop");
/// assert_eq!(resolved.get("PRICE").unwrap().value().expose_secret(), "${HOST}");
/// # Ok(())
/// # }
/// ```
pub fn expand(resolved: &mut Resolved) -> Result<Vec<Unresolved>> {
    Expansion::new(Dialect::Ioenv).apply(resolved)
}
