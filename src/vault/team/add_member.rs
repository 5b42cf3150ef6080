use super::super::grant::Grantee;
use super::super::keys;
use super::super::member::MARK;
use super::super::records::put;
use super::super::session::Session;
use super::super::use_case::UseCase;
use super::{member_details, resource};
use crate::core::{Action, Id};
use crate::store::Precondition;
use crate::{Error, ErrorKind, Result};

impl Session<'_> {
    /// Puts a member of the organization into a team.
    ///
    /// # Errors
    /// `NotFound`, without the team or the member; `Denied`, when more was granted to the team than the actor holds;
    /// `Conflict`, for whoever is in it already.
    pub fn add_team_member(&self, organization: Id, team: Id, user: Id) -> Result<()> {
        self.write(UseCase::AddTeamMember, |operation| {
            operation.whole_organization(organization)?;
            let record = operation.team(organization, team)?;
            let mut member = operation.member(organization, user)?;
            operation.check_grants_held(organization, Grantee::Team(team))?;
            if member.teams.contains(&team) {
                return Err(Error::new(ErrorKind::Conflict, "this member is in the team already"));
            }
            member.teams.push(team);
            member.updated_at = operation.now;
            put(operation.tx, &keys::member(organization, user), &member, Precondition::Present)?;
            operation.tx.put(&keys::team_member(organization, team, user), MARK, Precondition::Absent)?;
            let user = operation.user(user)?;
            operation.record(Action::Update, resource(organization, &record), member_details("added", &user))
        })
    }
}
