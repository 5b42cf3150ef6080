use ioenv::VarName;

use super::change_level;
use crate::Result;
use crate::project::Project;

pub(crate) fn run(project: &Project, names: &[VarName]) -> Result {
    let path = project.path()?;
    change_level(project, |document, sealed| {
        if sealed.key_of(&path).is_none() {
            return Err(format!("there is no level {path}; nothing was changed").into());
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
