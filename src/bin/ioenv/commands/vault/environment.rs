use ioenv::LevelPath;
use ioenv::vault::{At, Confirmation, EnvironmentUpdate, NewEnvironment, ResourceKind};

use super::deleted;
use super::listing::print;
use crate::args::{EnvCommand, Typed};
use crate::given::Given as _;
use crate::levels::access::Access;
use crate::levels::vault::{environment_hint, hint};
use crate::project::Project;
use crate::result::Result;
use crate::terminal;

pub(crate) fn run(project: &Project, command: EnvCommand) -> Result {
    let access = Access::open(project)?;
    let (session, organization) = (access.session(), access.organization()?);
    match command {
        EnvCommand::List { level, listing } => {
            let path: LevelPath = level.as_ref().map(Typed::get).map_or_else(|| project.path(), Ok)?;
            let environments =
                session.environments(At::Path(organization, &path)).map_err(|error| hint(&path, error))?;
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
        EnvCommand::Create { level, name, description, status, production } => {
            let path: LevelPath = level.get();
            let chain: Vec<LevelPath> = path.chain().collect();
            let [.., parent, _] = chain.as_slice() else {
                return Err("an environment stands below a project or a target: PROJECT/ENVIRONMENT".into());
            };
            let slug = path.segments().last().unwrap_or_default();
            let new = NewEnvironment::new(name.as_deref().unwrap_or(slug))
                .slug(slug.parse()?)
                .given(description, NewEnvironment::description)
                .given(status, NewEnvironment::status)
                .given(production, NewEnvironment::is_production);
            session.create_environment(At::Path(organization, parent), &new).map_err(|error| hint(parent, error))?;
            terminal::note(format!("made {path}"));
            Ok(())
        }
        EnvCommand::Update { level, name, slug, description, status, production } => {
            let path: LevelPath = level.get();
            let update = EnvironmentUpdate::new()
                .given(name, EnvironmentUpdate::name)
                .given(slug.as_ref().map(Typed::get), EnvironmentUpdate::slug)
                .given(description, EnvironmentUpdate::description)
                .given(status, EnvironmentUpdate::status)
                .given(production, EnvironmentUpdate::is_production);
            session
                .update_environment(At::Path(organization, &path), &update)
                .map_err(|error| environment_hint(&path, error))?;
            terminal::note(format!("changed {path}"));
            Ok(())
        }
        EnvCommand::Delete { level, force } => {
            let path: LevelPath = level.get();
            session
                .delete_environment(At::Path(organization, &path), Confirmation::from_flag(force))
                .map_err(|error| environment_hint(&path, error))?;
            terminal::note(format!("deleted {path}; `ioenv vault deleted list` shows what can be restored"));
            Ok(())
        }
        EnvCommand::Restore { id } => {
            deleted::restore(&session, organization, id.id(), |kind| kind == ResourceKind::Environment)
        }
    }
}
