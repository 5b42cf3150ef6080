use super::super::records::put;
use super::super::session::Session;
use super::super::use_case::UseCase;
use super::issue::details;
use crate::Result;
use crate::core::{Action, Id, Resource};
use crate::store::When;

impl Session<'_> {
    /// Revokes a token: from then on it no longer works. Its record stays, so that the audit log can be read.
    ///
    /// # Errors
    /// `NotFound`.
    pub fn revoke_token(&self, organization: Id, id: Id) -> Result<()> {
        self.write(UseCase::RevokeToken, |call| {
            let (key, mut record) = call.token(organization, id)?;
            record.revoked_at.get_or_insert(call.now);
            record.updated_at = call.now;
            put(call.tx, &key, &record, When::Present)?;
            let info = call.token_info(&record)?;
            call.record(Action::Delete, Resource::token(&record), details(&info))
        })
    }
}
