use std::collections::BTreeMap;
use std::io::Write as _;

use ioenv::LevelPath;

use crate::levels::chosen::levels;
use crate::project::Project;
use crate::result::Result;

pub(crate) fn run(project: &Project) -> Result {
    let tree: BTreeMap<LevelPath, String> = levels(project)?.tree()?.into_iter().collect();
    let roots: Vec<LevelPath> = match &project.chosen_path {
        Some(path) => vec![path.clone()],
        None => tree.keys().filter(|path| path.parent().is_none()).cloned().collect(),
    };
    let mut out = std::io::stdout().lock();
    let mut is_empty = true;
    for root in &roots {
        let mut paths: Vec<&LevelPath> = tree.keys().filter(|path| is_below(path, root)).collect();
        paths.sort_by(|a, b| a.segments().cmp(b.segments()));
        is_empty &= paths.is_empty();
        // Ascending, so the last child that is put in stays.
        let last_children: BTreeMap<LevelPath, &LevelPath> =
            paths.iter().filter_map(|path| Some((path.parent()?, *path))).collect();
        for path in paths {
            let name = if path == root { path.as_str() } else { path.segments().last().unwrap_or_default() };
            writeln!(out, "{}{name}  {}", branch(path, root, &last_children), tree[path])?;
        }
    }
    match project.chosen_path.as_ref().filter(|_| is_empty) {
        Some(root) => Err(format!("there is no level at {root} or below it").into()),
        None if is_empty => Err("there is no level yet".into()),
        None => Ok(()),
    }
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
