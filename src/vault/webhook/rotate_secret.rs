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
        self.write(UseCase::RotateSigningSecret, |call| {
            let (place, mut record) = call.webhook(organization, path, id)?;
            let secret = new_signing_secret(&*call.vault.random)?;
            let project = &place.project;
            record.secret = call.seal_row(project, Row::SigningSecret(id), secret.expose_secret().as_bytes())?;
            record.dek_version = project.dek_version;
            call.put_webhook(&place, &mut record)?;
            let details = details(&record).with("op", "rotate-signing-secret");
            call.record(Action::Update, Resource::webhook(&place, id)?, details)?;
            Ok(secret)
        })
    }
}
