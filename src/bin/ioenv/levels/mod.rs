//! What commands do with levels, wherever those are.

mod sealed;
mod vault;

use ioenv::{Document, Kind, Layer, LevelPath, SecretString, SourceKind, VarName};

use self::sealed::SealedLevels;
pub(crate) use self::vault::{Access, VaultLevels, environment_hint, hint};
use crate::Result;
use crate::project::Project;

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

    /// Sets one entry; without a kind, its kind stays.
    fn set(&self, path: &LevelPath, name: &VarName, value: &SecretString, kind: Option<Kind>) -> Result;

    /// Removes all of these entries, or none if one is not there.
    fn unset(&self, path: &LevelPath, names: &[VarName]) -> Result;

    /// Removes all that a level says.
    fn remove(&self, path: &LevelPath) -> Result;

    /// What is said of a level of a chain that is not among its layers.
    fn absent(&self) -> &'static str;
}

/// The levels that are configured, or that `--source` asks for.
pub(crate) fn open(project: &Project) -> Result<Box<dyn Levels + '_>> {
    Ok(match project.source_kind()? {
        SourceKind::Vault => Box::new(VaultLevels::open(project)?),
        _ => Box::new(SealedLevels::new(project)),
    })
}

fn no_such_entry(path: &LevelPath, name: &VarName) -> String {
    format!("{path} does not set {name} itself, so nothing was changed; see `ioenv explain {name}`")
}
