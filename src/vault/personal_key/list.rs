use super::super::keys;
use super::super::operation::OperationContext;
use super::super::session::Session;
use super::super::use_case::UseCase;
use super::PersonalKey;
use crate::Result;
use crate::core::{Action, Details, Id, Resource};

impl Session<'_> {
    /// One's own keys in an organization, in the order they were made, those that have expired among them.
    ///
    /// # Errors
    /// `NotFound`; `Denied`, for everybody who is not a user in person.
    pub fn personal_keys(&self, organization: Id) -> Result<Vec<PersonalKey>> {
        self.read(UseCase::ListPersonalKeys, |operation| {
            let user = operation.in_person(organization)?;
            operation.keys_of(organization, user)
        })
    }

    /// The keys of a member, for whoever looks after the members.
    ///
    /// # Errors
    /// `NotFound`, without such a member; `Denied`, for one whose role holds what the actor does not.
    pub fn member_keys(&self, organization: Id, user: Id) -> Result<Vec<PersonalKey>> {
        self.read(UseCase::ListMemberKeys, |operation| {
            operation.look_after(organization, user)?;
            operation.keys_of(organization, user)
        })
    }
}

impl OperationContext<'_, '_> {
    fn keys_of(&mut self, organization: Id, user: Id) -> Result<Vec<PersonalKey>> {
        let records = self.tokens_in(&keys::personal_keys(organization, user))?;
        let keys: Vec<PersonalKey> = records.into_iter().map(PersonalKey::new).collect::<Result<_>>()?;
        let details = Details::read("personal keys", keys.iter().map(|key| key.name.as_str()));
        let details = details.with("userId", user.to_string());
        self.record(Action::Read, Resource::organization(organization), details)?;
        Ok(keys)
    }
}
