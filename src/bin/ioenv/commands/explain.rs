use std::io::Write as _;

use ioenv::{Kind, Precedence, VarName, is_withheld, merge};

use crate::project::Project;
use crate::{Result, terminal};

pub(crate) fn run(project: &Project, name: &VarName) -> Result {
    let path = project.path()?;
    let sealed = project.open()?;
    let resolved = merge(sealed.layers(&path, &project.keys()?)?);
    let Some(variable) = resolved.get(name.as_str()) else {
        return Err(format!("no level of {path} sets {name}; add it with `ioenv set {name} --path {path}`").into());
    };
    let origin = variable.origin();
    let kind = if variable.kind() == Kind::Variable { "variable" } else { "secret" };

    let mut out = anstream::stdout().lock();
    writeln!(out, "{name} is a {kind}: {}", terminal::shown(variable, false))?;
    let mut levels: Vec<_> = path.chain().collect();
    levels.reverse();
    for level in levels {
        let what = if origin.level() == Some(&level) {
            "decides"
        } else if origin.overrode().contains(&level) {
            "is overridden"
        } else if sealed.key_of(&level).is_none() {
            "is not in the file"
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
