use super::super::keys;
use super::super::operation::no_such;
use super::super::records::{InvitationRecord, get, require};
use super::super::session::Session;
use super::super::use_case::UseCase;
use crate::Result;
use crate::core::{Action, Id};

impl Session<'_> {
    /// Withdraws an invitation: from then on it cannot be accepted.
    ///
    /// # Errors
    /// `NotFound`; `Denied`, for one to a role that holds more than the actor does.
    pub fn withdraw_invitation(&self, organization: Id, id: Id) -> Result<()> {
        self.write(UseCase::WithdrawInvitation, |operation| {
            operation.whole_organization(organization)?;
            let hash: String =
                get(operation.tx, &keys::invitation_id(organization, id))?.ok_or_else(|| no_such("invitation"))?;
            let record: InvitationRecord = require(operation.tx, &keys::invitation(&hash))?;
            operation.check_role(organization, record.role)?;
            operation.remove_invitation(organization, &record.email)?;
            operation.record_invitation(Action::Delete, &record)
        })
    }
}
