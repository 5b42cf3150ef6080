use super::super::audit::id_in;
use super::super::grant::Grantee;
use super::super::keys;
use super::super::name::fold;
use super::super::records::put;
use super::super::session::Session;
use super::super::use_case::UseCase;
use super::resource;
use crate::Result;
use crate::core::{Action, Details, Id};
use crate::store::{Order, Precondition};

impl Session<'_> {
    /// Removes a team, and what was granted to it. Its members stay members of the organization.
    ///
    /// # Errors
    /// `NotFound`.
    pub fn delete_team(&self, organization: Id, id: Id) -> Result<()> {
        self.write(UseCase::DeleteTeam, |operation| {
            operation.whole_organization(organization)?;
            let team = operation.team(organization, id)?;
            let marks = operation.tx.scan(&keys::team_members(organization, id), Order::Ascending, usize::MAX)?;
            let users = marks.iter().map(|mark| id_in(&mark.key)).collect::<Result<Vec<Id>>>()?;
            let members: Vec<String> = users.iter().map(|user| keys::member(organization, *user)).collect();
            operation.tx.prefetch(&members)?;
            for (mark, user) in marks.iter().zip(users) {
                let mut member = operation.member(organization, user)?;
                member.teams.retain(|team| *team != id);
                member.updated_at = operation.now;
                put(operation.tx, &keys::member(organization, member.user), &member, Precondition::Present)?;
                operation.tx.delete(&mark.key)?;
            }
            operation.remove_grants_of(organization, Grantee::Team(id))?;
            operation.tx.delete(&keys::team_name(organization, &fold(&team.name)))?;
            operation.tx.delete(&keys::team(organization, id))?;
            operation.record(Action::Delete, resource(organization, &team), Details::default())
        })
    }
}
