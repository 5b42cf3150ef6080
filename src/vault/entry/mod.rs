//! Levels entry by entry: what a vault can do that holds the key.

#[cfg(feature = "sealed")]
mod compare;
mod create;
mod delete;
mod list;
mod metadata;
mod precondition;
mod search;
mod set;
mod update;

use std::fmt;

pub use self::create::CreatedEntries;
pub use self::delete::DeletedEntries;
pub use self::list::{Entries, EntryScope, StoredEntry};
pub use self::metadata::EntryMetadata;
pub use self::precondition::EntryPrecondition;
pub use self::search::{FoundEntry, Search};
pub use self::set::{SetEntries, SetEntry};
pub use self::update::{EntryUpdate, UpdatedEntries};
use crate::core::document::{Document, Dollars, Entry, Kind};
use crate::core::name::VarName;
use crate::core::secret::SecretString;
use crate::error::{Error, ErrorKind, Result};
use crate::vault::setters::{Patch, setters};

/// An entry to create or to set.
#[derive(Clone)]
pub struct NewEntry {
    pub(crate) name: VarName,
    pub(crate) value: SecretString,
    /// Which `$` are literal; `None`, where the value says nothing about it.
    pub(crate) dollars: Option<Dollars>,
    pub(crate) kind: Option<Kind>,
    pub(crate) comment: Patch<String>,
}

/// Without the value, and without the comment, which may say what the value was.
impl fmt::Debug for NewEntry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NewEntry").field("name", &self.name).field("kind", &self.kind).finish_non_exhaustive()
    }
}

impl NewEntry {
    /// Creates the input for an entry of that name and value. An existing entry keeps its kind and its comment.
    ///
    /// Each `$` of a new value may begin a reference. If an existing entry has this value already, each `$` keeps its
    /// meaning.
    pub fn new(name: VarName, value: impl Into<SecretString>) -> Self {
        Self { name, value: value.into(), dollars: None, kind: None, comment: Patch::Keep }
    }

    /// Makes each `$` of the value stand for itself, whether or not references are replaced.
    #[must_use]
    pub fn literal(mut self) -> Self {
        self.dollars = Some(Dollars::all_literal(self.value.expose_secret()));
        self
    }

    setters! {
        /// Sets the kind. By default an existing entry keeps its kind; a new one takes that of the nearest level above,
        /// and is a secret if there is none.
        kind: Option<Kind>;
        /// Sets the comment. An empty one is none.
        comment: Patch<impl Into<String>>;
        /// Removes the comment of an existing entry.
        clear_comment clears comment;
    }

    /// Whether what is said of a new entry depends on the levels above.
    fn inherits(&self) -> bool {
        self.kind.is_none() || (self.dollars.is_none() && self.value.expose_secret().contains('$'))
    }

    /// Sets the entry. A new one takes what is not said from `above`, the documents of the levels above, the nearest
    /// first: the kind, and the meaning of each `$` if the value is the same. Otherwise it is of the kind `otherwise`.
    fn apply(&self, document: &mut Document, above: &[Document], otherwise: Option<Kind>) -> Result<()> {
        let is_new = document.get(self.name.as_str()).is_none();
        let inherited = above.iter().find_map(|document| document.get(self.name.as_str())).filter(|_| is_new);
        let same = inherited.filter(|entry| entry.value().is_same(&self.value)).map(Entry::dollars);
        set_value(document, &self.name, &self.value, self.dollars.as_ref().or(same))?;
        let otherwise = || inherited.map(Entry::kind).or(otherwise).filter(|_| is_new);
        let kind = self.kind.or_else(otherwise);
        if let Some(kind) = kind {
            document.set_kind(self.name.as_str(), kind);
        }
        if let Some(comment) = self.comment.text() {
            document.set_comment(self.name.as_str(), Some(comment))?;
        }
        Ok(())
    }
}

/// Takes the name and the value of an entry of a document. Each `$` has the meaning that it has there.
///
/// ```
/// # fn main() -> ioenv::Result<()> {
/// # use ioenv::vault::{Actor, At, NewOrganization, NewProject, RootKey, Vault};
/// # use ioenv::{SystemRandom, store::Memory};
/// use ioenv::Document;
/// use ioenv::vault::{LevelScope, NewEntry};
///
/// # let vault = Vault::create(Memory::new(), &RootKey::generate(&SystemRandom)?)?;
/// # let session = vault.session(Actor::system("setup"));
/// # let acme = session.create_organization(&NewOrganization::new("Acme"))?.id;
/// # session.create_project(acme, &NewProject::new("store"))?;
/// # let store = "store".parse()?;
/// let document = Document::parse("PASSWORD='p${A}w'\n")?;
/// session.set_entries(At::Path(acme, &store), &[NewEntry::from(&document.entries()[0])])?;
/// let stored = session.read_level(At::Path(acme, &store), LevelScope::Own)?.into_document();
/// assert!(stored.is_some_and(|stored| stored.entries()[0].is_literal()));
/// # Ok(())
/// # }
/// ```
impl From<&Entry> for NewEntry {
    fn from(entry: &Entry) -> Self {
        Self { dollars: Some(entry.dollars().clone()), ..Self::new(entry.name().clone(), entry.value().clone()) }
    }
}

/// Takes the name and the value of a stored entry. Each `$` has the meaning that it has there.
impl From<&StoredEntry> for NewEntry {
    fn from(stored: &StoredEntry) -> Self {
        let name = stored.metadata.name.clone();
        Self { dollars: Some(stored.dollars.clone()), ..Self::new(name, stored.value.clone()) }
    }
}

/// Sets a value; without `dollars`, each `$` keeps its meaning if the entry has this value already.
fn set_value(document: &mut Document, name: &VarName, value: &SecretString, dollars: Option<&Dollars>) -> Result<()> {
    match dollars {
        Some(dollars) => document.set_with(name.clone(), value.clone(), dollars.clone()),
        None => document.set(name.clone(), value.clone()),
    }
}

/// Refuses a request that names nothing, or one name twice.
fn check_names<'a, I: IntoIterator<Item = &'a VarName>>(names: I) -> Result<()> {
    let mut names: Vec<&VarName> = names.into_iter().collect();
    if names.is_empty() {
        return Err(Error::new(ErrorKind::InvalidValue, "no entry is given"));
    }
    names.sort_unstable();
    if let Some(pair) = names.windows(2).find(|pair| pair[0] == pair[1]) {
        let message = format!("{} is given twice", pair[0]);
        return Err(Error::new(ErrorKind::InvalidName, message).with_names([pair[0].clone()]));
    }
    Ok(())
}
