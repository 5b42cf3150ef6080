use super::super::keys;
use super::super::session::Session;
use super::super::use_case::UseCase;
use super::ServiceKey;
use crate::Result;
use crate::core::{Action, Details, Id, Resource, ResourceKind};

impl Session<'_> {
    /// The keys of a service account, in the order they were made, those that have expired among them.
    ///
    /// # Errors
    /// `NotFound`; `Denied`, for whoever may not manage it.
    pub fn service_keys(&self, organization: Id, account: Id) -> Result<Vec<ServiceKey>> {
        self.read(UseCase::ListServiceKeys, |operation| {
            operation.managed_service_account(organization, account)?;
            let records = operation.tokens_in(&keys::service_keys(organization, account))?;
            let keys: Vec<ServiceKey> = records.into_iter().map(ServiceKey::new).collect::<Result<_>>()?;
            let mut resource = Resource::new(ResourceKind::ServiceAccount, organization);
            resource.id = Some(account);
            operation.record(
                Action::Read,
                resource,
                Details::read("keys", keys.iter().map(|key| key.name.as_str())),
            )?;
            Ok(keys)
        })
    }
}
