//! Levels entry by entry: what a vault can do that holds the key.

#[cfg(feature = "sealed")]
mod compare;
mod create;
mod delete;
mod list;
mod metadata;
mod search;
mod set;
mod update;

use std::fmt;

pub use self::create::CreatedEntries;
pub use self::delete::DeletedEntries;
pub use self::list::{Entries, EntryScope, StoredEntry};
pub use self::metadata::EntryMetadata;
pub use self::search::{FoundEntry, Search};
pub use self::set::{SetEntries, SetEntry};
pub use self::update::{EntryUpdate, UpdatedEntries};
use crate::core::{Document, Kind, SecretString, VarName};
use crate::error::{Error, ErrorKind, Result};

/// An entry that is to be made or set.
#[derive(Clone)]
#[non_exhaustive]
pub struct NewEntry {
    /// Its name.
    pub name: VarName,
    /// Its value.
    pub value: SecretString,
    /// Whether the value may be shown. Where nothing is given, as before; for a new entry, as the nearest level above
    /// has it; or else it is a secret.
    pub kind: Option<Kind>,
    /// A comment; an empty one removes it, and nothing leaves it as it is.
    pub comment: Option<String>,
}

/// Without the value, and without the comment, which may say what the value was.
impl fmt::Debug for NewEntry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NewEntry").field("name", &self.name).field("kind", &self.kind).finish_non_exhaustive()
    }
}

impl NewEntry {
    /// An entry without a comment, of the kind it was.
    pub fn new(name: VarName, value: impl Into<SecretString>) -> Self {
        Self { name, value: value.into(), kind: None, comment: None }
    }

    /// The same, of that kind.
    #[must_use]
    pub fn kind(mut self, kind: Kind) -> Self {
        self.kind = Some(kind);
        self
    }

    /// The same, with that comment.
    #[must_use]
    pub fn comment(mut self, comment: impl Into<String>) -> Self {
        self.comment = Some(comment.into());
        self
    }

    fn apply(&self, document: &mut Document, inherited: impl FnOnce(&VarName) -> Option<Kind>) -> Result<()> {
        let is_new = document.get(self.name.as_str()).is_none();
        document.set(self.name.clone(), self.value.clone())?;
        let kind = if is_new { self.kind.or_else(|| inherited(&self.name)) } else { self.kind };
        if let Some(kind) = kind {
            document.set_kind(self.name.as_str(), kind);
        }
        if let Some(comment) = &self.comment {
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
