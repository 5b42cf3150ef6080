use super::super::keys;
use super::super::records::{OrganizationRecord, decode};
use super::super::session::Session;
use super::super::use_case::UseCase;
use super::Organization;
use crate::core::{Action, Details, Resource};
use crate::store::Order;
use crate::{ErrorKind, Result};

impl Session<'_> {
    /// The organizations that the actor may know of, in the order they were made: for a token its own, for a user those
    /// they are a member of, as far as they are active. It takes no permission, because everybody may know where they
    /// belong.
    ///
    /// # Errors
    /// See [`Session`].
    pub fn organizations(&self) -> Result<Vec<Organization>> {
        self.read(UseCase::ListOrganizations, |operation| {
            let own = match (&operation.principal.token, &operation.principal.user) {
                (Some((_, token)), _) => Some(vec![token.organization]),
                (None, Some(user)) => Some(user.organizations.clone()),
                (None, None) => None,
            };
            let is_person = operation.principal.person().is_some();
            let organizations: Vec<Organization> = match &own {
                Some(ids) => {
                    let mut organizations = Vec::new();
                    for id in ids {
                        match operation.organization(*id) {
                            // One that is closed does not hide the others.
                            Err(error) if is_person && error.kind() == ErrorKind::Denied => {}
                            found => organizations.push(found?.into()),
                        }
                    }
                    organizations
                }
                None => {
                    let records = operation.tx.scan(&keys::organizations(), Order::Ascending, usize::MAX)?;
                    let organizations = records
                        .iter()
                        .map(|record| decode::<OrganizationRecord>(&record.value).map(Organization::from));
                    organizations.collect::<Result<_>>()?
                }
            };
            let details = Details::read("list", organizations.iter().map(|organization| organization.slug.as_str()));
            operation.record(
                Action::Read,
                Resource::organization(own.and_then(|ids| ids.first().copied()).unwrap_or(operation.vault.id)),
                details,
            )?;
            Ok(organizations)
        })
    }
}
