use super::super::keys;
use super::super::operation::OperationContext;
use super::super::records::{InvitationRecord, decode, require};
use super::super::session::Session;
use super::super::use_case::UseCase;
use super::Invitation;
use crate::Result;
use crate::core::{Action, Details, Id, Resource, ResourceKind};
use crate::store::Order;

impl Session<'_> {
    /// The invitations to an organization that were neither accepted nor withdrawn, in the order they were made; also
    /// those that have expired.
    ///
    /// # Errors
    /// `NotFound`.
    pub fn invitations(&self, organization: Id) -> Result<Vec<Invitation>> {
        self.read(UseCase::ListInvitations, |operation| {
            operation.whole_organization(organization)?;
            let records = operation.invitation_records(organization)?;
            let details = Details::default().with("op", "invitations").with("count", records.len());
            operation.record(Action::Read, Resource::new(ResourceKind::Invitation, organization), details)?;
            Ok(records.into_iter().map(Invitation::from).collect())
        })
    }
}

impl OperationContext<'_, '_> {
    pub(in super::super) fn invitation_records(&mut self, organization: Id) -> Result<Vec<InvitationRecord>> {
        let indices = self.tx.scan(&keys::invitation_ids(organization), Order::Ascending, usize::MAX)?;
        let keys: Vec<String> = indices
            .iter()
            .map(|index| decode::<String>(&index.value).map(|hash| keys::invitation(&hash)))
            .collect::<Result<_>>()?;
        self.tx.prefetch(&keys)?;
        keys.iter().map(|key| require(self.tx, key)).collect()
    }
}
