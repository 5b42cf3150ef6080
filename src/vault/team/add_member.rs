use super::super::grant::Grantee;
use super::super::keys;
use super::super::member::MARK;
use super::super::records::put;
use super::super::session::Session;
use super::super::use_case::UseCase;
use super::{member_details, resource};
use crate::core::{Action, Id};
use crate::store::When;
use crate::{Error, ErrorKind, Result};

impl Session<'_> {
    /// Puts a member of the organization into a team.
    ///
    /// # Errors
    /// `NotFound`, without the team or the member; `Denied`, when more was granted to the team than the actor holds;
    /// `Conflict`, for whoever is in it already.
    pub fn add_team_member(&self, organization: Id, team: Id, user: Id) -> Result<()> {
        self.write(UseCase::AddTeamMember, |call| {
            call.whole_organization(organization)?;
            let record = call.team(organization, team)?;
            let mut member = call.member(organization, user)?;
            call.check_grants_held(organization, Grantee::Team(team))?;
            if member.teams.contains(&team) {
                return Err(Error::new(ErrorKind::Conflict, "this member is in the team already"));
            }
            member.teams.push(team);
            member.updated_at = call.now;
            put(call.tx, &keys::member(organization, user), &member, When::Present)?;
            call.tx.put(&keys::team_member(organization, team, user), MARK, When::Absent)?;
            let user = call.user(user)?;
            call.record(Action::Update, resource(organization, &record), member_details("added", &user))
        })
    }
}
