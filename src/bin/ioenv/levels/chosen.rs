//! The levels that a command works on: those of the sealed file, or those of the vault.

use ioenv::{Layer, SourceKind};

use super::Levels;
use super::sealed::SealedLevels;
use super::vault::VaultLevels;
use crate::project::Project;
use crate::result::Result;

/// The levels that are configured, or that `--source` asks for.
pub(crate) fn levels(project: &Project) -> Result<Box<dyn Levels + '_>> {
    Ok(match project.source_kind()? {
        SourceKind::Vault => Box::new(VaultLevels::open(project)?),
        _ => Box::new(SealedLevels::new(project)),
    })
}

/// The levels of the chain, broad to specific.
pub(crate) fn layers(project: &Project) -> Result<Vec<Layer>> {
    levels(project)?.layers(&project.path()?)
}

/// The chain, or only the level itself.
pub(crate) fn own_or_all_layers(project: &Project, own: bool) -> Result<Vec<Layer>> {
    if !own {
        return layers(project);
    }
    let path = project.path()?;
    let level = levels(project)?.own(&path)?;
    Ok(vec![Layer::new(path, level)])
}
