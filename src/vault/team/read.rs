use super::super::session::Session;
use super::super::use_case::UseCase;
use super::{Team, resource};
use crate::Result;
use crate::core::{Action, Details, Id};

impl Session<'_> {
    /// A team.
    ///
    /// # Errors
    /// `NotFound`.
    pub fn team(&self, organization: Id, id: Id) -> Result<Team> {
        self.read(UseCase::ReadTeam, |operation| {
            operation.whole_organization(organization)?;
            let team = operation.team(organization, id)?;
            operation.record(Action::Read, resource(organization, &team), Details::default())?;
            Ok(team.into())
        })
    }
}
