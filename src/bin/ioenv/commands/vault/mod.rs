//! `ioenv vault`: making a vault and looking after it.

mod account;
mod apply;
mod audit;
mod backup;
mod check;
mod create;
mod deleted;
mod environment;
mod grant;
mod history;
mod init;
mod integration;
mod listing;
mod member;
mod personal_key;
mod role;
mod rotate;
#[cfg_attr(not(feature = "server"), path = "serve_disabled.rs")]
mod serve;
mod service;
mod status;
mod team;
mod time;
mod token;
mod webhook;

use std::process::ExitCode;

use crate::args::VaultCommand;
use crate::levels::access::Access;
use crate::project::Project;
use crate::result::Result;
use crate::terminal;

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
        VaultCommand::Member { command } => member::run(project, command)?,
        VaultCommand::Team { command } => team::run(project, command)?,
        VaultCommand::Role { command } => role::run(project, command)?,
        VaultCommand::Grant { command } => grant::run(project, command)?,
        VaultCommand::Account { command } => account::run(project, command)?,
        VaultCommand::Service { command } => service::run(project, command)?,
        VaultCommand::Webhook { outbound, command } => webhook::run(project, &outbound, command)?,
        VaultCommand::Integration { command } => integration::run(project, command)?,
        VaultCommand::PersonalKey { command } => personal_key::run(project, command)?,
        VaultCommand::Env { command } => environment::run(project, command)?,
        VaultCommand::Delete { level, force } => deleted::delete(project, &level.get(), force)?,
        VaultCommand::Deleted { command } => deleted::run(project, command)?,
        VaultCommand::Rotate { project: Some(name), history, storage } => {
            rotate::project(project, &name.get(), history, storage)?;
        }
        VaultCommand::Rotate { project: None, .. } => rotate::organization(project)?,
        VaultCommand::Serve(args) => serve::run(project, &args)?,
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
