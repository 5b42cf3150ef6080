use ioenv::{Layer, LevelPath, Resolved, Variable, merge};

use crate::args::DiffArgs;
use crate::levels::Levels;
use crate::levels::chosen::levels;
use crate::project::Project;
use crate::result::Result;
use crate::terminal;

pub(crate) fn run(project: &Project, args: &DiffArgs) -> Result {
    let paths: [LevelPath; 2] = [args.from.get(), args.to.get()];
    let levels = levels(project)?;
    let [old, new] = [read(&*levels, &paths[0], args.own)?, read(&*levels, &paths[1], args.own)?];
    let shown = |variable: Option<Variable<'_>>| {
        variable.map_or_else(|| "-".to_owned(), |variable| terminal::shown(variable, args.show))
    };
    let mut names: Vec<_> = old.iter().chain(new.iter()).map(|variable| variable.name().clone()).collect();
    names.sort_unstable();
    names.dedup();
    let mut rows = Vec::new();
    for name in names {
        let (old, new) = (old.get(name.as_str()), new.get(name.as_str()));
        let what = match (old, new) {
            (None, _) => "added",
            (_, None) => "removed",
            (Some(old), Some(new)) if old.value().expose_secret() != new.value().expose_secret() => "changed",
            (Some(old), Some(new)) => match (old.kind() == new.kind(), old.has_same_value(&new), new.is_literal()) {
                (true, true, _) => continue,
                (false, true, _) => "another kind",
                // Only with references replaced are they different values.
                (true, false, true) => "now literal",
                (true, false, false) => "now refers",
                (false, false, true) => "another kind, now literal",
                (false, false, false) => "another kind, now refers",
            },
        };
        rows.push([what.to_owned(), name.to_string(), shown(old), shown(new)]);
    }
    if rows.is_empty() {
        terminal::note(format!("{} and {} say the same", paths[0], paths[1]));
        return Ok(());
    }
    terminal::table(["CHANGE", "NAME", paths[0].as_str(), paths[1].as_str()], &rows)
}

fn read(levels: &dyn Levels, path: &LevelPath, own: bool) -> Result<Resolved> {
    let layers = if own { vec![Layer::new(path.clone(), levels.own(path)?)] } else { levels.layers(path)? };
    Ok(merge(layers))
}
