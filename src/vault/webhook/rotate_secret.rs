use super::super::key_cache::Row;
use super::super::session::Session;
use super::super::use_case::UseCase;
use super::details;
use crate::Result;
use crate::core::{Action, Id, LevelPath, Resource, SecretString, new_signing_secret};

impl Session<'_> {
    /// Gives a webhook another signing secret. From now on requests are signed with it, also those that wait.
    ///
    /// # Errors
    /// `NotFound`.
    pub fn rotate_signing_secret(&self, organization: Id, path: &LevelPath, id: Id) -> Result<SecretString> {
        self.write(UseCase::RotateSigningSecret, |operation| {
            let (place, mut record) = operation.webhook(organization, path, id)?;
            let secret = new_signing_secret(&*operation.vault.random)?;
            let project = &place.project;
            record.secret = operation.seal_row(project, Row::SigningSecret(id), secret.expose_secret().as_bytes())?;
            record.dek_version = project.dek_version;
            operation.put_webhook(&place, &mut record)?;
            let details = details(&record).with("op", "rotate-signing-secret");
            operation.record(Action::Update, Resource::webhook(&place, id)?, details)?;
            Ok(secret)
        })
    }
}
