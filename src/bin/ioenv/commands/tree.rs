use std::collections::BTreeMap;
use std::io::Write as _;

use ioenv::LevelPath;

use crate::Result;
use crate::project::Project;

pub(crate) fn run(project: &Project) -> Result {
    let sealed = project.open()?;
    let root = project.chosen_path.clone().unwrap_or_else(|| sealed.project().into());
    // Levels of which only those below exist are drawn too, for what they hold.
    let mut paths: Vec<LevelPath> =
        sealed.paths().flat_map(LevelPath::chain).filter(|path| is_below(path, &root)).collect();
    paths.sort_by(|a, b| a.segments().cmp(b.segments()));
    paths.dedup();
    if paths.is_empty() {
        return Err(format!("there is no level at {root} or below it").into());
    }
    // Ascending, so the last child that is put in stays.
    let last_children: BTreeMap<LevelPath, &LevelPath> =
        paths.iter().filter_map(|path| Some((path.parent()?, path))).collect();
    let mut out = std::io::stdout().lock();
    for path in &paths {
        let key = match sealed.key_of(path) {
            Some(key) => format!("(key {key})"),
            None => "(no level of its own)".to_owned(),
        };
        let name = if *path == root { path.as_str() } else { path.segments().last().unwrap_or_default() };
        writeln!(out, "{}{name}  {key}", branch(path, &root, &last_children))?;
    }
    Ok(())
}

fn is_below(path: &LevelPath, root: &LevelPath) -> bool {
    path == root || path.parent().is_some_and(|parent| is_below(&parent, root))
}

/// The lines that lead from the root to a path.
fn branch(path: &LevelPath, root: &LevelPath, last_children: &BTreeMap<LevelPath, &LevelPath>) -> String {
    let mut parts = Vec::new();
    let mut at = path.clone();
    while let Some(parent) = at.parent().filter(|_| at != *root) {
        let is_last = last_children.get(&parent) == Some(&&at);
        parts.push(match (at == *path, is_last) {
            (true, true) => "└── ",
            (true, false) => "├── ",
            (false, true) => "    ",
            (false, false) => "│   ",
        });
        at = parent;
    }
    parts.into_iter().rev().collect()
}
