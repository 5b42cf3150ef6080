use super::super::records::put;
use super::super::session::Session;
use super::super::use_case::UseCase;
use super::issue::details;
use crate::Result;
use crate::core::{Action, Id, Resource};
use crate::store::Precondition;

impl Session<'_> {
    /// Revokes a token: from then on it no longer works. Its record stays, so that the audit log can be read.
    ///
    /// # Errors
    /// `NotFound`.
    pub fn revoke_token(&self, organization: Id, id: Id) -> Result<()> {
        self.write(UseCase::RevokeToken, |operation| {
            let (key, mut record) = operation.token(organization, id)?;
            record.revoked_at.get_or_insert(operation.now);
            record.updated_at = operation.now;
            put(operation.tx, &key, &record, Precondition::Present)?;
            let info = operation.token_info(&record)?;
            operation.record(Action::Delete, Resource::token(&record), details(&info))
        })
    }
}
