use std::path::PathBuf;

use ioenv::vault::{At, IntegrationRun, IntegrationUpdate, Mapping, NewIntegration, Provider};
use ioenv::worker::EnvFiles;
use ioenv::{LevelPath, SecretString, Slug};

use super::listing::{NONE, print, text};
use super::time::shown;
use crate::args::{IntegrationCommand, ListingArgs, Typed, usage};
use crate::given::Given as _;
use crate::levels::access::Access;
use crate::levels::vault::hint;
use crate::project::Project;
use crate::result::Result;
use crate::terminal;

pub(crate) fn run(project: &Project, command: IntegrationCommand) -> Result {
    let mut access = Access::open(project)?;
    let path = project.path()?;
    let slug: Slug = path.project().parse()?;
    if let IntegrationCommand::Plan { directory, .. } | IntegrationCommand::Sync { directory, .. } = &command {
        access = with_files(access, directory.clone());
    }
    let (session, organization) = (access.session(), access.organization()?);
    match command {
        IntegrationCommand::List(listing) => {
            let all = session
                .integrations(At::Path(organization, &LevelPath::from(&slug)))
                .map_err(|error| hint(&path, error))?;
            let rows: Vec<[String; 5]> = all
                .into_iter()
                .map(|one| {
                    let state = match (one.enabled, one.paused) {
                        (true, _) => "enabled".to_owned(),
                        (false, None) => "disabled".to_owned(),
                        (false, Some(reason)) => format!("paused: {reason}"),
                    };
                    let map: Vec<String> =
                        one.environments.iter().map(|one| format!("{}={}", one.environment, one.target)).collect();
                    [one.id.to_string(), one.name, one.provider.to_string(), map.join(" "), state]
                })
                .collect();
            print(&listing, ["ID", "NAME", "PROVIDER", "MAP", "STATE"], &rows)
        }
        IntegrationCommand::Link { provider, name, settings, map, enable } => {
            let provider: Provider = provider.get();
            if matches!(provider, Provider::Other(_)) {
                usage("the command knows vercel, cloudflare-workers and file; others are for programs");
            }
            let credentials =
                if provider == Provider::File { SecretString::from("") } else { terminal::read_service_token()? };
            let mut new =
                NewIntegration::new(name.unwrap_or_else(|| provider.to_string()), provider.clone(), credentials);
            for setting in &settings {
                let Some((name, value)) = setting.text().split_once('=') else {
                    usage("write a setting as NAME=VALUE");
                };
                new = new.setting(name, value);
            }
            let new = mappings(&map, &provider).into_iter().fold(new, NewIntegration::environment).enabled(enable);
            let made = session.link_integration(At::Path(organization, &LevelPath::from(&slug)), &new)?;
            let next = if enable { "a worker copies what there is" } else { "see `plan`, then `update --enable`" };
            terminal::note(format!("linked {slug} to {provider} as {}; {next}", made.id));
            Ok(())
        }
        IntegrationCommand::Update { id, name, map, credentials: is_other, enable, disable } => {
            let id = id.id();
            let mut update = IntegrationUpdate::new()
                .given(name, IntegrationUpdate::name)
                .given((enable || disable).then_some(enable), IntegrationUpdate::enabled);
            if !map.is_empty() {
                let provider = session.integration(At::Path(organization, &LevelPath::from(&slug)), id)?.provider;
                update = update.environments(mappings(&map, &provider));
            }
            if is_other {
                update = update.credentials(terminal::read_service_token()?);
            }
            session.update_integration(At::Path(organization, &LevelPath::from(&slug)), id, &update)?;
            terminal::note("changed the integration");
            Ok(())
        }
        IntegrationCommand::Unlink { id } => {
            session.unlink_integration(At::Path(organization, &LevelPath::from(&slug)), id.id())?;
            terminal::note("unlinked; what was copied is still there");
            Ok(())
        }
        IntegrationCommand::Plan { id, listing, .. } => {
            let plans = session.plan_integration(At::Path(organization, &LevelPath::from(&slug)), id.id())?;
            let mut rows: Vec<[String; 4]> = Vec::new();
            for one in &plans {
                for change in &one.plan.changes {
                    let (action, name) = (change.action.to_string(), change.name.to_string());
                    rows.push([one.environment.to_string(), one.target.clone(), action, name]);
                }
            }
            print(&listing, ["ENVIRONMENT", "TARGET", "CHANGE", "NAME"], &rows)
        }
        IntegrationCommand::Sync { id, .. } => {
            let run = session.sync_integration(At::Path(organization, &LevelPath::from(&slug)), id.id())?;
            let done = format!(
                "{} created, {} updated, {} deleted, {} unchanged",
                run.created, run.updated, run.deleted, run.unchanged
            );
            match run.error {
                None => {
                    terminal::note(done);
                    Ok(())
                }
                Some(error) => Err(format!("{error} ({done})").into()),
            }
        }
        IntegrationCommand::Runs { id, listing } => {
            let runs = session.integration_runs(At::Path(organization, &LevelPath::from(&slug)), id.id())?;
            print_runs(&listing, &runs)
        }
    }
}

fn print_runs(listing: &ListingArgs, runs: &[IntegrationRun]) -> Result {
    let rows: Vec<[String; 7]> = runs
        .iter()
        .map(|run| {
            let attempt = run.attempt.map_or_else(|| NONE.to_owned(), |attempt| attempt.to_string());
            let counts = [run.created, run.updated, run.deleted, run.unchanged].map(|count| count.to_string());
            let [created, updated, deleted, unchanged] = counts;
            let time = shown(run.finished_at);
            [time, attempt, created, updated, deleted, unchanged, text(run.error.as_deref())]
        })
        .collect();
    print(listing, ["TIME", "ATTEMPT", "CREATED", "UPDATED", "DELETED", "UNCHANGED", "ERROR"], &rows)
}

/// The same, where integrations with files write to a directory.
pub(super) fn with_files(mut access: Access, directory: Option<PathBuf>) -> Access {
    if let Some(directory) = directory {
        access.vault = access.vault.with_sync_target(Provider::File, EnvFiles::in_directory(directory));
    }
    access
}

fn mappings(typed: &[Typed], provider: &Provider) -> Vec<Mapping> {
    let mapping = |typed: &Typed| {
        let (level, target) = match typed.text().split_once('=') {
            Some((level, target)) => (level, Some(target)),
            None => (typed.text(), None),
        };
        let level: LevelPath = Typed::from(level.to_owned()).get();
        match target {
            Some(target) => Mapping::new(level, target),
            None => Mapping::suggested(level, provider)
                .unwrap_or_else(|| usage("say what the service calls the environment: write LEVEL=TARGET")),
        }
    };
    typed.iter().map(mapping).collect()
}
