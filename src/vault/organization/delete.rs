use super::super::audit::id_in;
use super::super::deleted::all_projects;
use super::super::keys;
use super::super::operation::OperationContext;
use super::super::records::OrganizationRecord;
use super::super::session::Session;
use super::super::use_case::UseCase;
use crate::Result;
use crate::core::{Action, Details, Id, Resource};
use crate::store::{KeyRange, Order};

impl Session<'_> {
    /// Removes an organization with everything in it, for good; also the users who were in no other one. Its audit log
    /// stays, until it is too old.
    ///
    /// # Errors
    /// `NotFound`; `Denied`, also for a token that is bound to a place.
    pub fn delete_organization(&self, id: Id) -> Result<()> {
        self.write(UseCase::DeleteOrganization, |operation| {
            let organization = operation.whole_organization(id)?;
            operation.remove_organization(&organization)
        })
    }
}

impl OperationContext<'_, '_> {
    /// Removes an organization with everything in it, and records it.
    pub(in super::super) fn remove_organization(&mut self, organization: &OrganizationRecord) -> Result<()> {
        let id = organization.id;
        for project in all_projects(self.tx, id)? {
            self.remove_project(&project)?;
        }
        self.remove_range(&keys::projects(id))?;
        self.remove_range(&keys::deleted_in(id))?;
        self.remove_tokens(&keys::token_ids(id))?;
        self.remove_tokens(&keys::organization_service_keys(id))?;
        for invitation in self.invitation_records(id)? {
            self.remove_invitation(id, &invitation.email)?;
        }
        let mut removed_users = 0;
        for record in self.tx.scan(&keys::members(id), Order::Ascending, usize::MAX)? {
            let user = id_in(&record.key)?;
            self.forget_member(id, user)?;
            let user = self.user(user)?;
            if user.organizations.is_empty() {
                self.remove_user(&user)?;
                removed_users += 1;
            }
        }
        for kind in ["organization-kek", "service-account", "team", "team-name", "role", "role-name"] {
            self.remove_range(&KeyRange::prefix(format!("{kind}/{id}/")))?;
        }
        self.tx.delete(&keys::organization_slug(&organization.slug))?;
        self.tx.delete(&keys::organization(id))?;
        let details = Details::default().with("name", organization.name.as_str()).with("removedUsers", removed_users);
        self.record(Action::Delete, Resource::organization(id), details)
    }
}
