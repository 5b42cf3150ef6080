use std::path::Path;

use ioenv::{Dialect, Document, Entry, Kind, VarName, is_withheld};

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
    tell_of_references(project, &file, &imported)?;
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

/// Names the values that refer to others, or have commands: another program may have replaced them.
fn tell_of_references(project: &Project, file: &str, imported: &Document) -> Result {
    let listed = |names: &[&VarName]| names.iter().map(|name| name.as_str()).collect::<Vec<_>>().join(", ");
    let named = |is: &dyn Fn(&Entry) -> bool| {
        let names: Vec<&VarName> = imported.entries().iter().filter(|entry| is(entry)).map(Entry::name).collect();
        listed(&names)
    };
    let known = named(&|entry| entry.references(Dialect::Ioenv) > 0);
    let others = named(&Entry::has_foreign_reference);
    let commands = listed(&imported.commands().iter().collect::<Vec<_>>());
    if !known.is_empty() && !project.configuration.expand()? {
        terminal::warning(format!(
            "{file}: these refer to others with ${{NAME}}, which is not replaced unless `expand = true` stands in \
             ioenv.toml: {known}"
        ));
    }
    if !others.is_empty() {
        terminal::warning(format!(
            "{file}: these have $NAME or ${{NAME:-...}}, which is never replaced: write ${{NAME}}, or put the value between \
             single quotes if it is meant so: {others}"
        ));
    }
    if !commands.is_empty() {
        terminal::warning(format!(
            "{file}: these have $(command) or `command`, which is never run: write what it prints, or put the value between \
             single quotes if it is meant so: {commands}"
        ));
    }
    Ok(())
}
