//! What commands do with levels, wherever those are.

pub(crate) mod access;
pub(crate) mod chosen;
mod sealed;
pub(crate) mod vault;

use ioenv::{Document, Kind, Layer, LevelPath, SecretString, VarName};

use crate::result::Result;

/// The levels of a sealed file or of a vault.
pub(crate) trait Levels {
    /// The levels of the chain that say something, broad to specific.
    fn layers(&self, path: &LevelPath) -> Result<Vec<Layer>>;

    /// What a level says itself.
    fn own(&self, path: &LevelPath) -> Result<Document>;

    /// All levels and what lies between them, each with a word about it.
    fn tree(&self) -> Result<Vec<(LevelPath, String)>>;

    /// Takes over all entries of a document, or with `replace` nothing but those; tells what became of them.
    fn import(&self, path: &LevelPath, imported: Document, replace: bool) -> Result<String>;

    /// Sets one entry.
    fn set(&self, path: &LevelPath, new: &NewValue) -> Result;

    /// Removes all of these entries, or none if one is not there.
    fn unset(&self, path: &LevelPath, names: &[VarName]) -> Result;

    /// Removes all that a level says.
    fn remove(&self, path: &LevelPath, force: bool) -> Result;
}

/// A value to set.
pub(crate) struct NewValue {
    pub(crate) name: VarName,
    pub(crate) value: SecretString,
    /// Without it, the kind of the entry stays.
    pub(crate) kind: Option<Kind>,
    /// Whether each `$` stands for itself.
    pub(crate) is_literal: bool,
}

impl NewValue {
    fn apply(&self, document: &mut Document) -> ioenv::Result<()> {
        if self.is_literal {
            document.set_literal(self.name.clone(), self.value.clone())?;
        } else {
            document.set(self.name.clone(), self.value.clone())?;
        }
        if let Some(kind) = self.kind {
            document.set_kind(self.name.as_str(), kind);
        }
        Ok(())
    }
}

/// Says that an entry that was to be removed is not there.
fn no_such_entry(path: &LevelPath, name: &VarName) -> String {
    format!("{path} does not set {name} itself, so nothing was changed; see `ioenv explain {name}`")
}
