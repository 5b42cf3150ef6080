use super::super::keys;
use super::super::records::{IntegrationRecord, decode};
use super::super::session::Session;
use super::super::use_case::UseCase;
use super::Integration;
use crate::Result;
use crate::core::{Action, Details, Id, Resource, Slug};
use crate::store::Order;

impl Session<'_> {
    /// The integrations of a project that the actor may see, in the order they were linked.
    ///
    /// # Errors
    /// `NotFound`.
    pub fn integrations(&self, organization: Id, project: &Slug) -> Result<Vec<Integration>> {
        self.read(UseCase::ListIntegrations, |operation| {
            let place = operation.integrations_of(organization, project)?;
            let mut integrations = Vec::new();
            for stored in operation.tx.scan(&keys::integrations(place.project.id), Order::Ascending, usize::MAX)? {
                let record: IntegrationRecord = decode(&stored.value)?;
                let rights = operation.integration_rights(&place, &record)?;
                if rights.is_some_and(|rights| rights.contains_all(operation.needed)) {
                    integrations.push(operation.integration_info(&place.project, &record)?);
                }
            }
            let details = Details::default().with("op", "integrations").with("count", integrations.len());
            operation.record(Action::Read, Resource::of(&place)?, details)?;
            Ok(integrations)
        })
    }
}
