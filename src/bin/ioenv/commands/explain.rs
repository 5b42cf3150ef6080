use std::io::Write as _;

use ioenv::{Precedence, SourceKind, VarName, is_withheld};

use crate::levels::chosen::{Chain, chain};
use crate::project::Project;
use crate::result::Result;
use crate::terminal;

pub(crate) fn run(project: &Project, name: &VarName) -> Result {
    let path = project.path()?;
    let Chain { resolved, there } = chain(project)?;
    let Some(variable) = resolved.get(name.as_str()) else {
        return Err(format!("no level of {path} sets {name}; add it with `ioenv set {name} --path {path}`").into());
    };
    let origin = variable.origin();
    let kind = variable.kind();

    let mut out = anstream::stdout().lock();
    writeln!(out, "{name} is a {kind}: {}", terminal::shown(variable, false))?;
    if origin.is_process() {
        writeln!(out, "  the process has it from `ioenv run`; without a key nobody here can tell which level decides")?;
        return Ok(());
    }
    let mut chain: Vec<_> = path.chain().collect();
    chain.reverse();
    for level in chain {
        let what = if origin.level() == Some(&level) {
            "decides"
        } else if origin.overrode().contains(&level) {
            "is overridden"
        } else if !there.contains(&level) {
            match project.source_kind()? {
                SourceKind::Vault => "says nothing",
                _ => "is not in the file",
            }
        } else {
            "does not set it"
        };
        writeln!(out, "  {level} {what}")?;
    }
    if is_withheld(name) {
        writeln!(out, "  withheld, because it changes how programs are loaded, unless `only` lists it")?;
    } else if std::env::var_os(name.as_str()).is_some() {
        match project.configuration.precedence()? {
            Precedence::VaultWins => writeln!(out, "  the process has its own, which `ioenv::load()` would replace")?,
            _ => writeln!(out, "  the process has its own, which would win in `ioenv::load()` and `ioenv run`")?,
        }
    }
    Ok(())
}
