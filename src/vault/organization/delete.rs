use super::super::keys;
use super::super::records::{ProjectRecord, decode};
use super::super::session::Session;
use super::super::use_case::UseCase;
use crate::Result;
use crate::core::{Action, Details, Id, Resource};
use crate::store::{KeyRange, Order};

impl Session<'_> {
    /// Removes an organization with everything in it, for good. Its audit log stays, until it is too old.
    ///
    /// # Errors
    /// `NotFound`; `Denied`, also for a token that is bound to a place.
    pub fn delete_organization(&self, id: Id) -> Result<()> {
        self.write(UseCase::DeleteOrganization, |call| {
            let organization = call.whole_organization(id)?;
            for record in call.tx.scan(&keys::projects(id), Order::Ascending, usize::MAX)? {
                let project: ProjectRecord = decode(&record.value)?;
                call.remove_project(&project)?;
            }
            let keys_of = [keys::token_ids, keys::organization_personal_keys, keys::organization_service_keys];
            for keys_of in keys_of {
                call.remove_tokens(&keys_of(id))?;
            }
            call.remove_range(&keys::service_accounts(id))?;
            call.remove_range(&KeyRange::prefix(format!("organization-key/{id}/")))?;
            call.tx.delete(&keys::organization_slug(&organization.slug))?;
            call.tx.delete(&keys::organization(id))?;
            call.record(
                Action::Delete,
                Resource::organization(id),
                Details::default().with("name", organization.name.as_str()),
            )
        })
    }
}
