use ioenv::vault::{At, GrantRole, Grantee, OrganizationId, Session};

use super::listing::print;
use super::time::shown;
use super::{audit, member, team};
use crate::args::{GrantCommand, GranteeArgs};
use crate::levels::access::Access;
use crate::levels::vault::hint;
use crate::project::Project;
use crate::result::Result;
use crate::terminal;

pub(crate) fn run(project: &Project, command: GrantCommand) -> Result {
    let access = Access::open(project)?;
    let (session, organization) = (access.session(), access.organization()?);
    let path = project.path()?;
    match command {
        GrantCommand::List(listing) => {
            let grants = session.grants(At::Path(organization, &path)).map_err(|error| hint(&path, error))?;
            let (members, teams) = (member::all(&session, organization)?, session.teams(organization)?);
            let name = |grantee: Grantee| match grantee {
                Grantee::User(id) => members.iter().find(|one| one.user == id).map(|one| one.email.clone()),
                Grantee::Team(id) => teams.iter().find(|one| one.id == id).map(|one| format!("team {}", one.name)),
            };
            let rows: Vec<[String; 4]> = grants
                .iter()
                .map(|grant| {
                    let who = name(grant.grantee).unwrap_or_else(|| "somebody who is gone".to_owned());
                    [who, grant.role.to_string(), shown(grant.created_at), audit::actor(&grant.created_by)]
                })
                .collect();
            print(&listing, ["WHO", "ROLE", "SINCE", "BY"], &rows)
        }
        GrantCommand::Give { role, to } => {
            let role: GrantRole = role.parse()?;
            let grantee = grantee(&session, organization, &to)?;
            session.grant(At::Path(organization, &path), grantee, role).map_err(|error| hint(&path, error))?;
            terminal::note(format!("granted {role} in {path}"));
            Ok(())
        }
        GrantCommand::Revoke { from } => {
            let grantee = grantee(&session, organization, &from)?;
            session.revoke_grant(At::Path(organization, &path), grantee)?;
            terminal::note(format!("revoked what was granted in {path}"));
            Ok(())
        }
    }
}

fn grantee(session: &Session<'_>, organization: OrganizationId, args: &GranteeArgs) -> Result<Grantee> {
    match (&args.user, &args.team) {
        (Some(email), _) => Ok(Grantee::User(member::one(session, organization, email)?.user)),
        (None, Some(name)) => Ok(Grantee::Team(team::one(session, organization, name)?.id)),
        (None, None) => Err("say to whom, with --user or --team".into()),
    }
}
