use ioenv::vault::{NewTeam, OrganizationId, Page, Session, Team, TeamUpdate};

use super::listing::{find, print, text};
use super::member;
use super::time::shown;
use crate::args::TeamCommand;
use crate::given::Given as _;
use crate::levels::access::Access;
use crate::project::Project;
use crate::result::Result;
use crate::terminal;

pub(crate) fn run(project: &Project, command: TeamCommand) -> Result {
    let access = Access::open(project)?;
    let (session, organization) = (access.session(), access.organization()?);
    let note = |what: &str, team: &str| terminal::note(format!("{what} the team {}", terminal::printable(team)));
    match command {
        TeamCommand::List(listing) => {
            let rows: Vec<[String; 4]> = session
                .teams(organization)?
                .into_iter()
                .map(|one| [one.id.to_string(), one.name, text(one.description.as_deref()), shown(one.created_at)])
                .collect();
            print(&listing, ["ID", "NAME", "DESCRIPTION", "CREATED"], &rows)
        }
        TeamCommand::Create { name, description } => {
            let new = NewTeam::new(name).given(description, NewTeam::description);
            let team = session.create_team(organization, &new)?;
            note("made", &team.name);
            Ok(())
        }
        TeamCommand::Update { team, name, description } => {
            let update = TeamUpdate::new().given(name, TeamUpdate::name).given(description, TeamUpdate::description);
            let team = session.update_team(organization, one(&session, organization, &team)?.id, &update)?;
            note("changed", &team.name);
            Ok(())
        }
        TeamCommand::Delete { team } => {
            let team = one(&session, organization, &team)?;
            session.delete_team(organization, team.id)?;
            note("deleted", &team.name);
            Ok(())
        }
        TeamCommand::Members { team, listing } => {
            let team = one(&session, organization, &team)?.id;
            let members = Page::all(|paging| session.team_members(organization, team, paging))?;
            member::list(&session, organization, &members, &listing)
        }
        TeamCommand::Add { team, member } => {
            let team = one(&session, organization, &team)?;
            session.add_team_member(organization, team.id, member::one(&session, organization, &member)?.user)?;
            terminal::note(format!("{} is in {}", terminal::printable(&member), terminal::printable(&team.name)));
            Ok(())
        }
        TeamCommand::Remove { team, member } => {
            let team = one(&session, organization, &team)?;
            session.remove_team_member(organization, team.id, member::one(&session, organization, &member)?.user)?;
            let [member, team] = [&member, &team.name].map(|text| terminal::printable(text));
            terminal::note(format!("{member} is no longer in {team}"));
            Ok(())
        }
    }
}

pub(super) fn one(session: &Session<'_>, organization: OrganizationId, typed: &str) -> Result<Team> {
    find("team", &session.teams(organization)?, typed, |team| team.id, |team| &team.name).cloned()
}
