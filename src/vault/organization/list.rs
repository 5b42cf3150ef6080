use super::super::keys;
use super::super::records::{OrganizationRecord, decode};
use super::super::session::Session;
use super::super::use_case::UseCase;
use super::Organization;
use crate::Result;
use crate::core::{Action, Details, Resource};
use crate::store::Order;

impl Session<'_> {
    /// The organizations that the actor may know of, in the order they were made: for a token its own.
    ///
    /// # Errors
    /// See [`Session`].
    pub fn organizations(&self) -> Result<Vec<Organization>> {
        self.read(UseCase::ListOrganizations, |call| {
            let own = call.who.token.as_ref().map(|(_, token)| token.organization);
            let organizations: Vec<Organization> = match own {
                Some(id) => vec![call.organization(id)?.into()],
                None => {
                    let records = call.tx.scan(&keys::organizations(), Order::Ascending, usize::MAX)?;
                    let organizations = records
                        .iter()
                        .map(|record| decode::<OrganizationRecord>(&record.value).map(Organization::from));
                    organizations.collect::<Result<_>>()?
                }
            };
            let details = Details::read("list", organizations.iter().map(|organization| organization.slug.as_str()));
            call.record(Action::Read, Resource::organization(own.unwrap_or(call.vault.id)), details)?;
            Ok(organizations)
        })
    }
}
