use super::super::session::Session;
use super::super::use_case::UseCase;
use super::details;
use crate::Result;
use crate::core::{Action, Id, LevelPath, Resource, SecretString};

impl Session<'_> {
    /// What the requests of a webhook are signed with.
    ///
    /// # Errors
    /// `NotFound`.
    pub fn signing_secret(&self, organization: Id, path: &LevelPath, id: Id) -> Result<SecretString> {
        self.read(UseCase::ReadSigningSecret, |operation| {
            let (place, record) = operation.webhook(organization, path, id)?;
            let secret = operation.signing_secret(&place.project, &record)?;
            let details = details(&record).with("op", "signing-secret");
            operation.record(Action::Read, Resource::webhook(&place, id)?, details)?;
            Ok(secret)
        })
    }
}
