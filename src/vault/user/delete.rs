use super::super::keys;
use super::super::operation::OperationContext;
use super::super::records::{OrganizationRecord, UserRecord, require};
use super::super::session::Session;
use super::super::use_case::UseCase;
use super::email_key;
use crate::Result;
use crate::core::{Action, Details, Id, Resource};
use crate::store::Order;

impl Session<'_> {
    /// Removes a user from all organizations, with what was granted to them. Organizations in which nobody else is and
    /// nothing, such as the user's own, go with them. Only trusted programs can.
    ///
    /// # Errors
    /// `NotFound`; `Conflict`, for the last owner of an organization in which there is somebody or something.
    pub fn delete_user(&self, id: Id) -> Result<()> {
        self.write(UseCase::DeleteUser, |operation| {
            operation.system_only()?;
            let user = operation.user(id)?;
            for organization in user.organizations.clone() {
                if operation.is_of_one_and_empty(organization)? {
                    let organization: OrganizationRecord = require(operation.tx, &keys::organization(organization))?;
                    operation.remove_organization(&organization)?;
                    continue;
                }
                operation.keep_an_owner(organization, id)?;
                operation.forget_member(organization, id)?;
                let details = Details::default().with("email", user.email.as_str());
                operation.record(Action::Delete, Resource::member(organization, &user), details)?;
            }
            operation.remove_user(&user)
        })
    }
}

impl OperationContext<'_, '_> {
    /// Removes a user who is in no organization any more.
    pub(in super::super) fn remove_user(&mut self, user: &UserRecord) -> Result<()> {
        self.tx.delete(&keys::user_email(&email_key(&user.email)))?;
        self.tx.delete(&keys::user(user.id))?;
        Ok(())
    }

    fn is_of_one_and_empty(&mut self, organization: Id) -> Result<bool> {
        Ok(self.tx.scan(&keys::members(organization), Order::Ascending, 2)?.len() == 1
            && self.tx.scan(&keys::projects(organization), Order::Ascending, 1)?.is_empty()
            && self.tx.scan(&keys::deleted_in(organization), Order::Ascending, 1)?.is_empty())
    }
}
