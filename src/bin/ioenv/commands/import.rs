use std::path::Path;

use ioenv::{Document, Kind, VarName, is_withheld};

use crate::args::{ImportArgs, Typed};
use crate::levels::chosen::levels;
use crate::project::Project;
use crate::result::Result;
use crate::terminal;

pub(crate) fn run(project: &Project, args: &ImportArgs) -> Result {
    let file = if args.file == Path::new("-") { "stdin".into() } else { args.file.display().to_string() };
    let text = terminal::read_file(&args.file)?;
    let mut imported = Document::parse(text.expose_secret()).map_err(|error| format!("{file}: {error}"))?;
    for name in imported.duplicates() {
        terminal::warning(format!("{file}: {name} is set more than once; the last one counts"));
    }
    for name in args.variable.iter().map(Typed::get::<VarName>) {
        if !imported.set_kind(name.as_str(), Kind::Variable) {
            return Err(format!("{file} does not set {name}, which --variable names").into());
        }
    }
    for entry in imported.entries().iter().filter(|entry| is_withheld(entry.name())) {
        super::warn_of_withheld(entry.name());
    }
    let count = imported.len();
    let path = project.path()?;
    let done = levels(project)?.import(&path, imported, args.replace)?;
    if args.replace {
        terminal::note(format!("{path}: {count} entries, as in {file}"));
    } else {
        terminal::note(format!("{path}: {done}"));
    }
    Ok(())
}
