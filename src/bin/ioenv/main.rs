//! The `ioenv` command: parses its arguments, calls the library, prints.
//!
//! Results go to stdout and everything else to stderr. The exit code is 0, or 1 when something failed, or 2 for a
//! usage error; `ioenv run` becomes its child on Unix, so the child's is its own.

mod args;
mod commands;
mod core_dumps;
mod git;
mod given;
mod ignore;
mod levels;
mod made;
mod project;
#[cfg_attr(not(unix), path = "prompt_plain.rs")]
mod prompt;
mod result;
mod terminal;

use std::error::Error;
use std::process::ExitCode;

use self::args::{Args, Command, KeyCommand};
use self::project::Project;
use self::result::Result;

fn main() -> ExitCode {
    match run(args::parse()) {
        Ok(code) => code,
        // Whoever reads our output has seen enough, as in `ioenv list | head`.
        Err(error) if is_broken_pipe(&*error) => ExitCode::SUCCESS,
        Err(error) => {
            terminal::error(&*error);
            ExitCode::FAILURE
        }
    }
}

fn run(args: Args) -> Result<ExitCode> {
    let project = Project::new(args.project)?;
    match args.command {
        Command::Init { name } => commands::init::run(&project, &name.get())?,
        Command::Import(import) => commands::import::run(&project, &import)?,
        Command::Set(set) => commands::set::run(&project, set)?,
        Command::Unset { all: true, force, .. } => commands::unset::remove_level(&project, force)?,
        Command::Unset { names, .. } => {
            commands::unset::run(&project, &names.iter().map(args::Typed::get).collect::<Vec<_>>())?;
        }
        Command::Get { name } => commands::get::run(&project, &name.get())?,
        Command::List(list) => commands::list::run(&project, &list)?,
        Command::Explain { name } => commands::explain::run(&project, &name.get())?,
        Command::Diff(diff) => commands::diff::run(&project, &diff)?,
        Command::Push(args) => commands::transfer::push(&project, &args)?,
        Command::Pull(args) => commands::transfer::pull(&project, &args)?,
        Command::Vault { command } => return commands::vault::run(&project, command),
        Command::Tree => commands::tree::run(&project)?,
        Command::Export(export) => commands::export::run(&project, export)?,
        Command::Run(run) => return commands::run::run(&project, run),
        Command::Key { command } => match command {
            None => commands::key::list(&project)?,
            Some(KeyCommand::Check) => return commands::key::check(&project),
            Some(KeyCommand::New { id, passphrase }) => commands::key::new(&project, &id.get(), passphrase)?,
            Some(KeyCommand::Use { id }) => commands::key::use_for_level(&project, &id.get())?,
            Some(KeyCommand::Rotate { id, new }) => {
                commands::key::rotate(&project, &id.get(), new.as_ref().map(args::Typed::get))?;
            }
            Some(KeyCommand::Remove { id }) => commands::key::remove(&project, &id.get())?,
        },
    }
    Ok(ExitCode::SUCCESS)
}

fn is_broken_pipe(error: &(dyn Error + 'static)) -> bool {
    error.downcast_ref::<std::io::Error>().is_some_and(|error| error.kind() == std::io::ErrorKind::BrokenPipe)
}
