//! What git says of a file, where git is installed.

use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};

/// What git says of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tracked {
    /// It does not track the file, or there is no git, or no repository.
    No,
    Yes,
    /// There is a repository, and git cannot read it.
    Unknown,
}

/// Returns whether git tracks the file, or what a link in its place leads to.
///
/// A file that is only ignored is not safe from git: a merge overwrites it with a tracked one of the same name.
pub(crate) fn tracks(file: &Path) -> Tracked {
    match (is_tracked(file), file.canonicalize()) {
        (Tracked::No, Ok(real)) if real != file => is_tracked(&real),
        (tracked, _) => tracked,
    }
}

/// Returns whether git ignores a file, which need not be there; `None`, where there is no git, or no repository.
pub(crate) fn ignores(file: &Path) -> Option<bool> {
    match run(file, &["check-ignore", "--quiet", "--"])?.code() {
        Some(0) => Some(true),
        Some(1) => Some(false),
        _ => None,
    }
}

fn is_tracked(file: &Path) -> Tracked {
    // A repository of another user, which root meets in a container, is asked too: the question runs nothing of it.
    let args = ["-c", "safe.directory=*", "--literal-pathspecs", "ls-files", "--error-unmatch", "--"];
    match run(file, &args).map(|status| status.code()) {
        None | Some(Some(1)) => Tracked::No,
        Some(Some(0)) => Tracked::Yes,
        Some(_) if is_in_repository(file) => Tracked::Unknown,
        Some(_) => Tracked::No,
    }
}

/// Returns whether there is a repository around a file, whatever state it is in. An empty `.git` tracks nothing.
fn is_in_repository(file: &Path) -> bool {
    let directory = file.parent().filter(|directory| !directory.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let is_repository = |git: PathBuf| match git.read_dir() {
        Ok(mut entries) => entries.next().is_some(),
        Err(_) => git.exists(),
    };
    directory.canonicalize().is_ok_and(|directory| directory.ancestors().any(|above| is_repository(above.join(".git"))))
}

/// Runs git in the directory of a file, with its name as the last argument.
fn run(file: &Path, args: &[&str]) -> Option<ExitStatus> {
    let (name, directory) = (file.file_name()?, file.parent()?);
    let directory = if directory.as_os_str().is_empty() { Path::new(".") } else { directory };
    let mut git = Command::new("git");
    // The repository around the file counts, not one that a hook runs for.
    for (variable, _) in std::env::vars_os() {
        if variable.to_string_lossy().starts_with("GIT_") {
            git.env_remove(variable);
        }
    }
    // A repository may name a program that watches it: none is started here.
    git.args(["-c", "core.fsmonitor=false"]).args(args).arg(name);
    git.current_dir(directory).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    git.status().ok()
}
