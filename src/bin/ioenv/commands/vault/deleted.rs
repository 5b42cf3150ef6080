use ioenv::LevelPath;
use ioenv::vault::{At, Confirmation, Deleted, Id, LevelId, OrganizationId, ResourceKind, Session};

use super::audit;
use super::listing::print;
use super::time::shown;
use crate::args::DeletedCommand;
use crate::levels::access::Access;
use crate::levels::vault::hint;
use crate::project::Project;
use crate::result::Result;
use crate::terminal;

pub(crate) fn run(project: &Project, command: DeletedCommand) -> Result {
    let access = Access::open(project)?;
    let (session, organization) = (access.session(), access.organization()?);
    match command {
        DeletedCommand::List(listing) => {
            let rows: Vec<[String; 6]> = session
                .deleted(organization)?
                .into_iter()
                .map(|one| {
                    let kind = one.kind.to_string();
                    let [at, until] = [one.deleted_at, one.restorable_until].map(shown);
                    [one.id.to_string(), kind, one.path.to_string(), at, audit::actor(&one.deleted_by), until]
                })
                .collect();
            print(&listing, ["ID", "KIND", "PATH", "DELETED", "BY", "RESTORABLE UNTIL"], &rows)
        }
        DeletedCommand::Restore { id } => restore(&session, organization, id.id(), |_| true),
        DeletedCommand::Purge { id, .. } => {
            let one = one(&session, organization, id.id())?;
            match one.kind {
                ResourceKind::Project => session.purge_project(organization, Id::from(one.id).into())?,
                ResourceKind::Target => session.purge_target(organization, Id::from(one.id).into())?,
                _ => session.purge_environment(organization, Id::from(one.id).into())?,
            }
            terminal::note(format!("removed {} for good", one.path));
            Ok(())
        }
    }
}

/// Deletes what stands at a path.
pub(crate) fn delete(project: &Project, path: &LevelPath, force: bool) -> Result {
    let access = Access::open(project)?;
    let (session, organization) = (access.session(), access.organization()?);
    let deleted = if path.segments().count() == 1 {
        session.delete_project(At::Path(organization, &path.project().parse()?))
    } else if session.target(At::Path(organization, path)).is_ok() {
        session.delete_target(At::Path(organization, path))
    } else {
        session.delete_environment(At::Path(organization, path), Confirmation::from_flag(force))
    };
    deleted.map_err(|error| hint(path, error))?;
    terminal::note(format!("deleted {path}; `ioenv vault deleted list` shows what can be restored"));
    Ok(())
}

/// Restores what has that id, if it is what is meant.
pub(super) fn restore(
    session: &Session<'_>,
    organization: OrganizationId,
    id: LevelId,
    is_meant: impl Fn(ResourceKind) -> bool,
) -> Result {
    let one = one(session, organization, id)?;
    if !is_meant(one.kind) {
        return Err(format!("this is a {}: `ioenv vault deleted restore` brings it back", one.kind).into());
    }
    let path = match one.kind {
        ResourceKind::Project => session.restore_project(organization, Id::from(one.id).into())?,
        ResourceKind::Target => session.restore_target(organization, Id::from(one.id).into())?,
        _ => session.restore_environment(organization, Id::from(one.id).into())?,
    };
    terminal::note(format!("restored {path}"));
    Ok(())
}

fn one(session: &Session<'_>, organization: OrganizationId, id: LevelId) -> Result<Deleted> {
    let found = session.deleted(organization)?.into_iter().find(|one| one.id == id);
    found.ok_or_else(|| "nothing of that id was deleted, or it cannot be restored any more: see `list`".into())
}
