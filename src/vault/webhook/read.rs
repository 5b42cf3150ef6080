use super::super::session::Session;
use super::super::use_case::UseCase;
use super::{Webhook, details};
use crate::Result;
use crate::core::{Action, Id, LevelPath, Resource};

impl Session<'_> {
    /// A webhook of an environment.
    ///
    /// # Errors
    /// `NotFound`.
    pub fn webhook(&self, organization: Id, path: &LevelPath, id: Id) -> Result<Webhook> {
        self.read(UseCase::ReadWebhook, |operation| {
            let (place, record) = operation.webhook(organization, path, id)?;
            operation.record(Action::Read, Resource::webhook(&place, id)?, details(&record))?;
            Ok(record.into())
        })
    }
}
