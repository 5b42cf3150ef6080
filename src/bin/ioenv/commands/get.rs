use std::io::{IsTerminal as _, Write as _};

use ioenv::VarName;

use super::as_configured;
use crate::levels::chosen::resolved;
use crate::project::Project;
use crate::result::Result;

pub(crate) fn run(project: &Project, name: &VarName) -> Result {
    let resolved = as_configured(project, resolved(project)?)?;
    let Some(variable) = resolved.get(name.as_str()) else {
        return Err(format!("{} has no {name}; `ioenv list` shows what it has", project.path()?).into());
    };
    // As it is, for `$(ioenv get NAME)` and for pipes; a terminal wants its prompt on a line of its own.
    let mut out = std::io::stdout().lock();
    out.write_all(variable.value().expose_secret().as_bytes())?;
    if out.is_terminal() {
        out.write_all(b"\n")?;
    }
    Ok(out.flush()?)
}
