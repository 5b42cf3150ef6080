//! One file a command.

pub(crate) mod diff;
pub(crate) mod explain;
pub(crate) mod export;
pub(crate) mod get;
pub(crate) mod import;
pub(crate) mod init;
pub(crate) mod key;
pub(crate) mod list;
pub(crate) mod run;
pub(crate) mod set;
pub(crate) mod transfer;
pub(crate) mod tree;
pub(crate) mod unset;
pub(crate) mod vault;

use ioenv::{Resolved, Unresolved, VarName, expand};

use crate::project::Project;
use crate::result::Result;
use crate::terminal;

/// With `${NAME}` replaced, if the configuration says so: what a program gets to see.
fn as_configured(project: &Project, mut resolved: Resolved) -> Result<Resolved> {
    if project.configuration.expand()? {
        warn_of_unresolved(&expand(&mut resolved)?);
    }
    Ok(resolved)
}

fn warn_of_unresolved(unresolved: &[Unresolved]) {
    for one in unresolved {
        terminal::warning(format!("{} refers to {}, which no level sets; left as written", one.name, one.reference));
    }
}

fn warn_of_withheld(name: &VarName) {
    terminal::warning(format!(
        "{name} changes how programs are loaded, or is ioenv's own, and is withheld; `--only` takes it by name"
    ));
}
