use ioenv::{LevelPath, VarName};

use super::change_level;
use crate::project::Project;
use crate::{Result, terminal};

pub(crate) fn run(project: &Project, names: &[VarName]) -> Result {
    let path = project.path()?;
    change_level(project, |document, sealed| {
        if sealed.key_of(&path).is_none() {
            return Err(no_level(&path).into());
        }
        for name in names {
            if !document.remove(name.as_str()) {
                let message =
                    format!("{path} does not set {name} itself, so nothing was changed; see `ioenv explain {name}`");
                return Err(message.into());
            }
        }
        Ok(())
    })
}

/// Needs no key: what is sealed goes as it is.
pub(crate) fn remove_level(project: &Project) -> Result {
    let path = project.path()?;
    let mut sealed = project.edit()?;
    if !sealed.remove_level(&path) {
        return Err(no_level(&path).into());
    }
    sealed.save()?;
    terminal::note(format!("removed the level {path}"));
    Ok(())
}

fn no_level(path: &LevelPath) -> String {
    format!("there is no level {path}, so nothing was changed; `ioenv tree` shows what there is")
}
