use ioenv::vault::{
    Member, MemberRole, MemberUpdate, NewInvitation, NewMember, OrganizationId, Page, Role, Session, Team, TeamId,
};

use super::listing::{find, print};
use super::time::{end, shown};
use crate::args::{ListingArgs, MemberCommand};
use crate::given::Given as _;
use crate::levels::access::Access;
use crate::project::Project;
use crate::result::Result;
use crate::terminal;

pub(crate) fn run(project: &Project, command: MemberCommand) -> Result {
    let access = Access::open(project)?;
    let (session, organization) = (access.session(), access.organization()?);
    match command {
        MemberCommand::List(listing) => list(&session, organization, &all(&session, organization)?, &listing),
        MemberCommand::Add { email, name, role } => {
            let name = name.as_deref().or_else(|| email.split('@').next()).unwrap_or_default();
            let new = NewMember::new(email.as_str(), name, role_of(&session, organization, &role.role)?)
                .teams(teams_of(&session, organization, &role.team)?);
            let member = session.add_member(organization, &new)?;
            terminal::note(format!("{} is a member ({})", terminal::printable(&member.email), member.user));
            Ok(())
        }
        MemberCommand::Invite { email, role, expires } => {
            let new = NewInvitation::new(email.as_str(), role_of(&session, organization, &role.role)?)
                .teams(teams_of(&session, organization, &role.team)?)
                .given(end(&expires), NewInvitation::expires_at);
            let issued = session.invite_member(organization, &new)?;
            let (email, until) = (terminal::printable(&issued.invitation.email), shown(issued.invitation.expires_at));
            terminal::note(format!("the code that makes {email} a member until {until}, shown this once:"));
            terminal::credential(issued.code.expose_secret())
        }
        MemberCommand::Invitations(listing) => {
            let roles = session.roles(organization)?;
            let rows: Vec<[String; 5]> = session
                .invitations(organization)?
                .into_iter()
                .map(|one| {
                    let (created, end) = (shown(one.created_at), shown(one.expires_at));
                    [one.id.to_string(), one.email, role_name(one.role, &roles), created, end]
                })
                .collect();
            print(&listing, ["ID", "EMAIL", "ROLE", "CREATED", "EXPIRES"], &rows)
        }
        MemberCommand::Accept { name } => {
            access.trusted_only()?;
            let code = terminal::read_invitation()?;
            let member = session.accept_invitation(&code, &name)?;
            terminal::note(format!("{} is a member ({})", terminal::printable(&member.email), member.user));
            Ok(())
        }
        MemberCommand::Withdraw { id } => {
            session.withdraw_invitation(organization, id.id())?;
            terminal::note("withdrew the invitation");
            Ok(())
        }
        MemberCommand::Update { member, role } => {
            let user = one(&session, organization, &member)?.user;
            let update = MemberUpdate::new().role(role_of(&session, organization, &role)?);
            session.update_member(organization, user, &update)?;
            terminal::note(format!("{} is {role}", terminal::printable(&member)));
            Ok(())
        }
        MemberCommand::Remove { member } => {
            let user = one(&session, organization, &member)?.user;
            // A hint: whoever may not list tokens is not told of them.
            let left = session.count_tokens_created_by(organization, user).unwrap_or_default();
            session.remove_member(organization, user)?;
            terminal::note(format!("removed {}", terminal::printable(&member)));
            if left > 0 {
                terminal::warning(format!(
                    "{left} tokens, accounts and service keys that they created still work; revoke them with `ioenv vault \
                     token revoke --created-by {user}`"
                ));
            }
            Ok(())
        }
    }
}

pub(super) fn list(
    session: &Session<'_>,
    organization: OrganizationId,
    members: &[Member],
    listing: &ListingArgs,
) -> Result {
    let (roles, teams) = (session.roles(organization)?, session.teams(organization)?);
    let rows: Vec<[String; 6]> = members
        .iter()
        .map(|member| {
            let in_teams: Vec<&str> =
                teams.iter().filter(|team| member.teams.contains(&team.id)).map(|team| team.name.as_str()).collect();
            let role = role_name(member.role, &roles);
            let since = shown(member.created_at);
            [member.user.to_string(), member.email.clone(), member.name.clone(), role, in_teams.join(", "), since]
        })
        .collect();
    print(listing, ["ID", "EMAIL", "NAME", "ROLE", "TEAMS", "SINCE"], &rows)
}

/// All members, a page after the other.
pub(super) fn all(session: &Session<'_>, organization: OrganizationId) -> Result<Vec<Member>> {
    Ok(Page::all(|paging| session.members(organization, paging))?)
}

pub(super) fn one(session: &Session<'_>, organization: OrganizationId, typed: &str) -> Result<Member> {
    find("member", &all(session, organization)?, typed, |one| one.user, |one| &one.email).cloned()
}

fn role_of(session: &Session<'_>, organization: OrganizationId, typed: &str) -> Result<MemberRole> {
    match typed.strip_prefix("custom:") {
        Some(name) => {
            let roles = session.roles(organization)?;
            Ok(MemberRole::Custom(find("role", &roles, name, |role| role.id, |role| &role.name)?.id))
        }
        None => Ok(typed.parse()?),
    }
}

fn role_name(role: MemberRole, roles: &[Role]) -> String {
    let named = roles.iter().find(|one| role == MemberRole::Custom(one.id));
    named.map_or_else(|| role.to_string(), |role| format!("custom:{}", role.name))
}

fn teams_of(session: &Session<'_>, organization: OrganizationId, typed: &[String]) -> Result<Vec<TeamId>> {
    if typed.is_empty() {
        return Ok(Vec::new());
    }
    let teams: Vec<Team> = session.teams(organization)?;
    typed.iter().map(|name| Ok(find("team", &teams, name, |team| team.id, |team| &team.name)?.id)).collect()
}
