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
    let mut out = std::io::stdout().lock();
    for path in &paths {
        let key = match sealed.key_of(path) {
            Some(key) => format!("(key {key})"),
            None => "(no level of its own)".to_owned(),
        };
        writeln!(
            out,
            "{}{}  {key}",
            branch(path, &root, &paths),
            if *path == root { path.as_str() } else { last(path) }
        )?;
    }
    Ok(())
}

fn is_below(path: &LevelPath, root: &LevelPath) -> bool {
    path == root || path.parent().is_some_and(|parent| is_below(&parent, root))
}

fn last(path: &LevelPath) -> &str {
    path.segments().last().unwrap_or_default()
}

/// The lines that lead from the root to a path.
fn branch(path: &LevelPath, root: &LevelPath, all: &[LevelPath]) -> String {
    let mut parts = Vec::new();
    let mut at = path.clone();
    while let Some(parent) = at.parent().filter(|_| at != *root) {
        let is_last = !all.iter().any(|other| other.parent().as_ref() == Some(&parent) && last(other) > last(&at));
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
