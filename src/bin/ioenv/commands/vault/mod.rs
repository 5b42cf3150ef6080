//! `ioenv vault`: making a vault and looking after it.

mod apply;
mod audit;
mod backup;
mod check;
mod create;
mod history;
mod init;
mod rotate;
mod status;
mod token;

use std::process::ExitCode;
use std::time::{Duration, SystemTime};

use ioenv::vault::Timestamp;

use crate::args::{Typed, VaultCommand, usage};
use crate::levels::Access;
use crate::project::Project;
use crate::{Result, terminal};

pub(crate) fn run(project: &Project, command: VaultCommand) -> Result<ExitCode> {
    match command {
        VaultCommand::Init { location } => init::run(project, location)?,
        VaultCommand::Status => status::run(project)?,
        VaultCommand::Create(args) => create::run(project, &args)?,
        VaultCommand::Apply(args) => apply::run(project, &args)?,
        VaultCommand::Dump => apply::dump(project)?,
        VaultCommand::Audit(args) => audit::run(project, &args)?,
        VaultCommand::History { level, show, limit } => history::run(project, level.as_ref(), show, limit)?,
        VaultCommand::Restore { what } => history::restore(project, &what)?,
        VaultCommand::Token { command } => token::run(project, command)?,
        VaultCommand::Rotate { project: Some(name), history, storage } => {
            rotate::project(project, &name.get(), history, storage)?;
        }
        VaultCommand::Rotate { project: None, .. } => rotate::organization(project)?,
        VaultCommand::Sweep => {
            let access = Access::open(project)?;
            access.trusted_only()?;
            terminal::note(format!("removed {} audit records", access.vault.sweep()?));
        }
        VaultCommand::Backup { file } => backup::run(project, &file)?,
        VaultCommand::Check => return check::run(project),
    }
    Ok(ExitCode::SUCCESS)
}

/// A time as it is written, or as a number of days and hours from now.
fn moment(typed: &Typed, from_now: impl Fn(Timestamp, Duration) -> Option<Timestamp>) -> Timestamp {
    let now = Timestamp::from(SystemTime::now());
    let text = typed.text();
    if let Ok(duration) = humantime::parse_duration(text) {
        return from_now(now, duration).unwrap_or_else(|| usage("this is beyond the years that there are"));
    }
    text.parse().unwrap_or_else(|_| usage("this is no time: write it like 2031-02-03T04:05:06Z, or like 30d"))
}

/// To the second, in UTC.
fn shown(time: Timestamp) -> String {
    humantime::format_rfc3339_seconds(time.into()).to_string()
}
