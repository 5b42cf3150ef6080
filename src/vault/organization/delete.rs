use super::super::deleted::all_projects;
use super::super::keys;
use super::super::records::require;
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
            for project in all_projects(call.tx, id)? {
                call.remove_project(&project)?;
            }
            call.remove_range(&keys::projects(id))?;
            call.remove_range(&keys::deleted_in(id))?;
            for record in call.tx.scan(&keys::token_ids(id), Order::Ascending, usize::MAX)? {
                let hash: String = require(call.tx, &record.key)?;
                call.tx.delete(&keys::token(&hash))?;
                call.tx.delete(&record.key)?;
            }
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
