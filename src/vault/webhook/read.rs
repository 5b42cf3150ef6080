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
        self.read(UseCase::ReadWebhook, |call| {
            let (place, record) = call.webhook(organization, path, id)?;
            call.record(Action::Read, Resource::webhook(&place, id)?, details(&record))?;
            Ok(record.into())
        })
    }
}
