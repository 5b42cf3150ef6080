use super::super::keys;
use super::super::operation::OperationContext;
use super::super::session::Session;
use super::super::use_case::UseCase;
use super::PersonalKey;
use crate::Result;
use crate::core::{Action, Id};

impl Session<'_> {
    /// Removes a key of one's own. It no longer works from then on.
    ///
    /// # Errors
    /// `NotFound`; `Denied`, for everybody who is not a user in person.
    pub fn delete_personal_key(&self, organization: Id, id: Id) -> Result<()> {
        self.write(UseCase::DeletePersonalKey, |operation| {
            let user = operation.in_person(organization)?;
            operation.delete_key_of(organization, user, id)
        })
    }

    /// Removes a key of a member, for whoever looks after the members.
    ///
    /// # Errors
    /// `NotFound`, without such a member or key; `Denied`, for a member whose role holds what the actor does not.
    pub fn delete_member_key(&self, organization: Id, user: Id, id: Id) -> Result<()> {
        self.write(UseCase::DeleteMemberKey, |operation| {
            operation.look_after(organization, user)?;
            operation.delete_key_of(organization, user, id)
        })
    }
}

impl OperationContext<'_, '_> {
    fn delete_key_of(&mut self, organization: Id, user: Id, id: Id) -> Result<()> {
        let index = keys::personal_key(organization, user, id);
        let key = PersonalKey::new(self.token_under(&index, "key")?)?;
        self.remove_token(&index)?;
        self.record(Action::Delete, key.resource(), key.details())
    }
}
