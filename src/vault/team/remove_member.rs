use super::super::keys;
use super::super::operation::no_such;
use super::super::records::put;
use super::super::session::Session;
use super::super::use_case::UseCase;
use super::{member_details, resource};
use crate::Result;
use crate::core::{Action, Id};
use crate::store::Precondition;

impl Session<'_> {
    /// Takes a member out of a team.
    ///
    /// # Errors
    /// `NotFound`, without the team, and for whoever is not in it.
    pub fn remove_team_member(&self, organization: Id, team: Id, user: Id) -> Result<()> {
        self.write(UseCase::RemoveTeamMember, |operation| {
            operation.whole_organization(organization)?;
            let record = operation.team(organization, team)?;
            let mut member = operation.member(organization, user)?;
            if !member.teams.contains(&team) {
                return Err(no_such("member of the team"));
            }
            member.teams.retain(|id| *id != team);
            member.updated_at = operation.now;
            put(operation.tx, &keys::member(organization, user), &member, Precondition::Present)?;
            operation.tx.delete(&keys::team_member(organization, team, user))?;
            let user = operation.user(user)?;
            operation.record(Action::Update, resource(organization, &record), member_details("removed", &user))
        })
    }
}
