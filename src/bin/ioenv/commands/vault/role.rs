use ioenv::vault::{NewRole, OrganizationId, Role, RoleUpdate, Session};

use super::listing::{find, print, text};
use super::token::{permissions, words};
use crate::args::RoleCommand;
use crate::given::Given as _;
use crate::levels::access::Access;
use crate::project::Project;
use crate::result::Result;
use crate::terminal;

pub(crate) fn run(project: &Project, command: RoleCommand) -> Result {
    let access = Access::open(project)?;
    let (session, organization) = (access.session(), access.organization()?);
    let note = |what: &str, role: &str| terminal::note(format!("{what} the role {}", terminal::printable(role)));
    match command {
        RoleCommand::List(listing) => {
            let rows: Vec<[String; 4]> = session
                .roles(organization)?
                .into_iter()
                .map(|one| [one.id.to_string(), one.name, words(one.permissions), text(one.description.as_deref())])
                .collect();
            print(&listing, ["ID", "NAME", "PERMISSIONS", "DESCRIPTION"], &rows)
        }
        RoleCommand::Create { name, description, permission } => {
            let new = NewRole::new(name, permissions(&permission)?).given(description, NewRole::description);
            note("made", &session.create_role(organization, &new)?.name);
            Ok(())
        }
        RoleCommand::Update { role, name, description, permission } => {
            let permissions = if permission.is_empty() { None } else { Some(permissions(&permission)?) };
            let update = RoleUpdate::new()
                .given(name, RoleUpdate::name)
                .given(description, RoleUpdate::description)
                .given(permissions, RoleUpdate::permissions);
            note("changed", &session.update_role(organization, one(&session, organization, &role)?.id, &update)?.name);
            Ok(())
        }
        RoleCommand::Delete { role } => {
            let role = one(&session, organization, &role)?;
            session.delete_role(organization, role.id)?;
            note("deleted", &role.name);
            Ok(())
        }
    }
}

fn one(session: &Session<'_>, organization: OrganizationId, typed: &str) -> Result<Role> {
    find("role", &session.roles(organization)?, typed, |role| role.id, |role| &role.name).cloned()
}
