//! What git says of a file, where git is installed.

use std::path::Path;
use std::process::{Command, ExitStatus, Stdio};

/// Returns whether git tracks the file, or what a link in its place leads to.
///
/// A file that is only ignored is not safe from git: a merge overwrites it with a tracked one of the same name.
pub(crate) fn tracks(file: &Path) -> bool {
    is_tracked(file) || file.canonicalize().is_ok_and(|real| real != file && is_tracked(&real))
}

/// Returns whether git ignores a file, which need not be there; `None`, where there is no git, or no repository.
pub(crate) fn ignores(file: &Path) -> Option<bool> {
    match run(file, &["check-ignore", "--quiet", "--"])?.code() {
        Some(0) => Some(true),
        Some(1) => Some(false),
        _ => None,
    }
}

fn is_tracked(file: &Path) -> bool {
    run(file, &["--literal-pathspecs", "ls-files", "--error-unmatch", "--"]).is_some_and(|status| status.success())
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
