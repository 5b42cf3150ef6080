use ioenv::LevelPath;
use ioenv::vault::EnvironmentUpdate;

use super::listing::print;
use crate::args::{EnvCommand, Typed};
use crate::levels::{Access, environment_hint, hint};
use crate::project::Project;
use crate::{Result, terminal};

pub(crate) fn run(project: &Project, command: EnvCommand) -> Result {
    let access = Access::open(project)?;
    let (session, organization) = (access.session(), access.organization()?);
    match command {
        EnvCommand::List { level, listing } => {
            let path: LevelPath = level.as_ref().map(Typed::get).map_or_else(|| project.path(), Ok)?;
            let environments = session.environments(organization, &path).map_err(|error| hint(&path, error))?;
            let rows: Vec<[String; 5]> = environments
                .into_iter()
                .map(|one| {
                    let production = if one.is_production { "yes" } else { "no" };
                    let path = format!("{path}/{}", one.slug);
                    [one.id.to_string(), path, one.name, one.status, production.to_owned()]
                })
                .collect();
            print(&listing, ["ID", "PATH", "NAME", "STATUS", "PRODUCTION"], &rows)
        }
        EnvCommand::Update { level, name, slug, description, status, production } => {
            let path: LevelPath = level.get();
            let mut update = EnvironmentUpdate::default();
            (update.name, update.description, update.status) = (name, description, status);
            update.slug = slug.as_ref().map(Typed::get);
            update.is_production = production;
            session.update_environment(organization, &path, &update).map_err(|error| environment_hint(&path, error))?;
            terminal::note(format!("changed {path}"));
            Ok(())
        }
        EnvCommand::Delete { level, force } => {
            let path: LevelPath = level.get();
            session.delete_environment(organization, &path, force).map_err(|error| environment_hint(&path, error))?;
            terminal::note(format!("deleted {path}; `ioenv vault deleted list` shows what can be restored"));
            Ok(())
        }
    }
}
