use super::super::keys;
use super::super::records::{TeamRecord, decode};
use super::super::session::Session;
use super::super::use_case::UseCase;
use super::Team;
use crate::Result;
use crate::core::{Action, Details, Id, Resource, ResourceKind};
use crate::store::Order;

impl Session<'_> {
    /// The teams of an organization, in the order they were made.
    ///
    /// # Errors
    /// `NotFound`.
    pub fn teams(&self, organization: Id) -> Result<Vec<Team>> {
        self.read(UseCase::ListTeams, |operation| {
            operation.whole_organization(organization)?;
            let records = operation.tx.scan(&keys::teams(organization), Order::Ascending, usize::MAX)?;
            let teams = records.iter().map(|record| decode::<TeamRecord>(&record.value).map(Team::from));
            let teams: Vec<Team> = teams.collect::<Result<_>>()?;
            let details = Details::read("list", teams.iter().map(|team| team.name.as_str()));
            operation.record(Action::Read, Resource::new(ResourceKind::Team, organization), details)?;
            Ok(teams)
        })
    }
}
