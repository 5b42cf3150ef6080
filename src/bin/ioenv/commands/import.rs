use ioenv::{Document, Kind};

use super::change_level;
use crate::args::{ImportArgs, Name};
use crate::project::Project;
use crate::{Result, terminal};

pub(crate) fn run(project: &Project, args: &ImportArgs) -> Result {
    let text = terminal::read_file(&args.file)?;
    let mut imported =
        Document::parse(text.expose_secret()).map_err(|error| format!("{}: {error}", args.file.display()))?;
    for name in imported.duplicates() {
        terminal::warning(format!("{}: {name} is set more than once; the last one counts", args.file.display()));
    }
    for name in args.variable.iter().map(Name::get) {
        if !imported.set_kind(name.as_str(), Kind::Variable) {
            return Err(format!("{} does not set {name}, which --variable names", args.file.display()).into());
        }
    }
    let count = imported.len();
    let changes = change_level(project, |document, _| {
        if args.replace {
            *document = Document::new();
        }
        Ok(document.update(imported))
    })?;
    let path = project.path()?;
    if args.replace {
        terminal::note(format!("{path}: {count} entries, as in {}", args.file.display()));
    } else {
        let same = count - changes.added - changes.changed;
        terminal::note(format!("{path}: {} added, {} changed, {same} as before", changes.added, changes.changed));
    }
    Ok(())
}
