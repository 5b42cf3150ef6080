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
use crate::core::document::{Document, Kind};
use crate::core::name::VarName;
use crate::core::secret::SecretString;
use crate::error::{Error, ErrorKind, Result};
use crate::vault::setters::{Patch, setters};

/// An entry to create or to set.
#[derive(Clone)]
pub struct NewEntry {
    pub(crate) name: VarName,
    pub(crate) value: SecretString,
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
    pub fn new(name: VarName, value: impl Into<SecretString>) -> Self {
        Self { name, value: value.into(), kind: None, comment: Patch::Keep }
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

    fn apply(&self, document: &mut Document, inherited: impl FnOnce(&VarName) -> Option<Kind>) -> Result<()> {
        let is_new = document.get(self.name.as_str()).is_none();
        document.set(self.name.clone(), self.value.clone())?;
        let kind = if is_new { self.kind.or_else(|| inherited(&self.name)) } else { self.kind };
        if let Some(kind) = kind {
            document.set_kind(self.name.as_str(), kind);
        }
        if let Some(comment) = self.comment.text() {
            document.set_comment(self.name.as_str(), Some(comment))?;
        }
        Ok(())
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
