//! The levels that a command works on: those of the sealed file, or those of the vault.

use ioenv::{Layer, LevelPath, Resolved, SourceKind, merge};

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

/// What a chain resolves to.
pub(crate) struct Chain {
    pub(crate) resolved: Resolved,
    /// The levels of it that say something; none is known of values that were handed over.
    pub(crate) there: Vec<LevelPath>,
}

/// What the chain resolves to. Without a key or a token, a program that `ioenv run` has started has it from there.
pub(crate) fn chain(project: &Project) -> Result<Chain> {
    let path = project.path()?;
    let why = match handed_over(project, &path) {
        Ok(Some(resolved)) => return Ok(Chain { resolved, there: Vec::new() }),
        Ok(None) => None,
        Err(why) => Some(why),
    };
    match levels(project).and_then(|levels| levels.layers(&path)) {
        Ok(layers) => {
            let there = layers.iter().map(|layer| layer.path().clone()).collect();
            Ok(Chain { resolved: merge(layers), there })
        }
        Err(error) => Err(match why {
            Some(why) => format!("{error}; {why}").into(),
            None => error,
        }),
    }
}

/// What `ioenv run` has left for the command, unless keys are given.
pub(crate) fn handed_over(project: &Project, path: &LevelPath) -> Result<Option<Resolved>> {
    if project.has_own_keys()? { Ok(None) } else { Ok(project.configuration.handed_over(path)?) }
}

/// The resolved values of the chain.
pub(crate) fn resolved(project: &Project) -> Result<Resolved> {
    Ok(chain(project)?.resolved)
}

/// The same, or only the level itself.
pub(crate) fn own_or_all(project: &Project, own: bool) -> Result<Resolved> {
    if !own {
        return resolved(project);
    }
    let path = project.path()?;
    let level = levels(project)?.own(&path)?;
    Ok(merge(vec![Layer::new(path, level)]))
}
