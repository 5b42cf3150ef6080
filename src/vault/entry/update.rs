use std::fmt;

use crate::core::document::{Dollars, Kind};
use crate::core::name::VarName;
use crate::core::secret::SecretString;
use crate::error::{Error, ErrorKind, Result};
use crate::vault::entry::{check_names, set_value};
use crate::vault::place::At;
use crate::vault::session::Session;
use crate::vault::setters::{Patch, setters};
use crate::vault::use_case::UseCase;

/// The fields of an entry to change.
#[derive(Clone)]
pub struct EntryUpdate {
    pub(crate) name: VarName,
    pub(crate) new_name: Option<VarName>,
    pub(crate) value: Option<SecretString>,
    /// Which `$` of the value are literal; `None`, where the value says nothing about it.
    pub(crate) dollars: Option<Dollars>,
    pub(crate) kind: Option<Kind>,
    pub(crate) comment: Patch<String>,
}

/// Without the value, and without the comment, which may say what the value was.
impl fmt::Debug for EntryUpdate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EntryUpdate")
            .field("name", &self.name)
            .field("new_name", &self.new_name)
            .field("kind", &self.kind)
            .finish_non_exhaustive()
    }
}

impl EntryUpdate {
    /// Creates an update of the entry of that name that changes nothing yet.
    pub fn new(name: VarName) -> Self {
        Self { name, new_name: None, value: None, dollars: None, kind: None, comment: Patch::Keep }
    }

    setters! {
        /// Renames the entry.
        new_name: Option<VarName>;
        /// Sets the value. Each `$` of a new value may begin a reference; if the entry has this value already, each `$`
        /// keeps its meaning.
        value: Option<impl Into<SecretString>>;
        /// Sets the kind.
        kind: Option<Kind>;
        /// Sets the comment. An empty one is none.
        comment: Patch<impl Into<String>>;
        /// Removes the comment.
        clear_comment clears comment;
    }
}

/// What became of entries that were to change.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct UpdatedEntries {
    /// Those that were there, by the name they had.
    pub updated: Vec<VarName>,
    /// Those that were not there.
    pub not_found: Vec<VarName>,
}

impl Session<'_> {
    /// Changes entries that are there, all at the same time, so that two can swap their names.
    ///
    /// # Errors
    /// `NotFound`; `ClientManaged`; `InvalidValue`, for no entry or for nothing to change about one; `InvalidName`, for a
    /// name that is given twice; `Conflict`, for a new name that another entry has and keeps; `Denied`, also for a secret
    /// that is to be a variable, or whose name a variable is to get, if the caller may not read and decrypt it.
    pub fn update_entries(&self, at: At<'_>, updates: &[EntryUpdate]) -> Result<UpdatedEntries> {
        self.write(UseCase::UpdateEntries, |operation| {
            let change = operation.change(at)?;
            check_names(updates.iter().map(|update| &update.name))?;
            let new_names = || updates.iter().filter_map(|update| update.new_name.as_ref());
            if new_names().next().is_some() {
                check_names(new_names())?;
            }
            let mut document = change.opened.document.clone();
            let mut result = UpdatedEntries { updated: Vec::new(), not_found: Vec::new() };
            let mut renames = Vec::new();
            let mut asked = Vec::new();
            for update in updates {
                check_update(update)?;
                let name = update.name.as_str();
                if document.get(name).is_none() {
                    result.not_found.push(update.name.clone());
                    continue;
                }
                if let Some(value) = &update.value {
                    set_value(&mut document, &update.name, value, update.dollars.as_ref())?;
                }
                if let Some(kind) = update.kind {
                    document.set_kind(name, kind);
                }
                if let Some(comment) = update.comment.text() {
                    document.set_comment(name, Some(comment))?;
                }
                if let Some(new_name) = &update.new_name {
                    renames.push((update.name.clone(), new_name.clone()));
                }
                asked.push(update.new_name.as_ref().unwrap_or(&update.name).clone());
                result.updated.push(update.name.clone());
            }
            document.rename(&renames)?;
            operation.finish_change(change, &document, &renames, &asked)?;
            Ok(result)
        })
    }
}

fn check_update(update: &EntryUpdate) -> Result<()> {
    let is_same_name = update.new_name.as_ref() == Some(&update.name);
    let is_empty =
        update.new_name.is_none() && update.value.is_none() && update.kind.is_none() && update.comment.is_keep();
    if !is_same_name && !is_empty {
        return Ok(());
    }
    let message = if is_same_name { "the new name is the one it has" } else { "nothing is given that is to change" };
    let message = format!("{}: {message}", update.name);
    Err(Error::new(ErrorKind::InvalidValue, message).with_names([update.name.clone()]))
}
