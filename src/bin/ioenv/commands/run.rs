use std::error::Error;
use std::io::ErrorKind;
use std::process::{Command, ExitCode};

use ioenv::source::{Reading, Request, Source};
use ioenv::{Layer, Loader, Precedence, VarName, VaultLocation};

use super::{warn_of_unresolved, warn_of_withheld};
use crate::args::{RunArgs, Typed};
use crate::levels::chosen::{handed_over, levels};
use crate::project::Project;
use crate::result::Result;
use crate::terminal;

/// Levels that were read.
#[derive(Debug)]
struct Read(Vec<Layer>);

impl Source for Read {
    fn read(&self, _request: &Request<'_>) -> ioenv::Result<Reading> {
        Ok(Reading::new("the levels that the command has read", self.0.clone()))
    }
}

/// The keys of a sealed file, which `--keep-key` leaves to the program.
const KEY: &str = "IOENV_KEY";
/// What opens the store, and is no business of the program that runs.
const CREDENTIALS: [&str; 4] = [KEY, "IOENV_TOKEN", "IOENV_API_TOKEN", "IOENV_ROOT_KEY"];

pub(crate) fn run(project: &Project, args: RunArgs) -> Result<ExitCode> {
    let path = project.path()?;
    let mut loader = Loader::new().path(path.clone());
    // Without keys, the loader may have it from the `ioenv run` that has started this one.
    if handed_over(project, &path).is_ok_and(|taken| taken.is_none()) {
        loader = loader.source(Read(levels(project)?.layers(&path)?));
    }
    if args.override_process {
        loader = loader.precedence(Precedence::VaultWins);
    }
    if args.expand {
        loader = loader.expand(true);
    }
    let only: Vec<VarName> = args.only.iter().map(Typed::get).collect();
    if !only.is_empty() {
        loader = loader.only(only.iter().map(ToString::to_string));
    }
    let env = loader.configuration(project.configuration.clone()).resolve()?;
    warn_of_unresolved(env.unresolved());
    for name in env.withheld() {
        warn_of_withheld(name);
    }
    for name in only.iter().filter(|name| env.get(name.as_str()).is_none()) {
        terminal::warning(format!("no level sets {name}, which --only lists"));
    }

    let mut words = args.command.into_iter();
    let program = words.next().unwrap_or_default();
    let mut command = Command::new(&program);
    command.args(words);
    project.configuration.hand_over(&env, &mut command);
    let credentials: Vec<&str> =
        CREDENTIALS.into_iter().filter(|credential| !(args.keep_key && *credential == KEY)).collect();
    for (name, _) in std::env::vars_os() {
        if name.to_str().is_some_and(|name| credentials.iter().any(|one| name.starts_with(one))) {
            command.env_remove(name);
        }
    }
    if std::env::var("IOENV_VAULT").is_ok_and(|vault| VaultLocation::from(vault).has_password()) {
        command.env_remove("IOENV_VAULT");
    }
    // The child has its copy; ours are wiped before it is there.
    drop(env);
    start(command).or_else(|error| {
        let hint = match error.kind() {
            ErrorKind::ArgumentListTooLong => "; the environment is too large: give less of it with --only",
            _ => "",
        };
        let message: Box<dyn Error> = format!("cannot run {}: {error}{hint}", program.display()).into();
        terminal::error(&*message);
        // As shells have it (POSIX, Shell Command Language, 2.8.2).
        Ok(ExitCode::from(if error.kind() == ErrorKind::NotFound { 127 } else { 126 }))
    })
}

/// Becomes the child, so that signals and the exit code are the child's own.
#[cfg(unix)]
fn start(mut command: Command) -> std::io::Result<ExitCode> {
    Err(std::os::unix::process::CommandExt::exec(&mut command))
}

#[cfg(not(unix))]
fn start(mut command: Command) -> std::io::Result<ExitCode> {
    let status = command.status()?;
    std::process::exit(status.code().unwrap_or(1))
}
