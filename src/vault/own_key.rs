//! Which key was shown: what whoever serves requests has to know before anything else.

use super::lookup::LocatedEnvironment;
use super::operation::OperationContext;
use super::place::At;
use super::place::Reach;
use super::records::{HolderRecord, NodeKind, TokenRecord};
use super::session::Session;
use super::use_case::UseCase;
use crate::core::id::Id;
use crate::core::id::OrganizationId;
use crate::core::id::ServiceAccountId;
use crate::core::id::UserId;
use crate::core::permission::PermissionSet;
use crate::error::Result;

/// The key that was shown, and what it is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct OwnKey {
    /// The id of the key itself.
    pub(crate) id: Id,
    /// The one organization it is for.
    pub(crate) organization: OrganizationId,
    /// Whose it is.
    pub(crate) owner: KeyOwner,
    /// The environment it is bound to, as that of an account always is.
    pub(crate) environment: Option<LocatedEnvironment>,
    /// What it allows at most, wherever it is used.
    pub(crate) permissions: PermissionSet,
}

/// Whose key it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum KeyOwner {
    /// Nobody's: it is an API token.
    Token,
    /// An environment account's.
    Account,
    /// The user's of that id.
    User(UserId),
    /// The service account's of that id.
    ServiceAccount(ServiceAccountId),
}

impl Session<'_> {
    /// The key this session is by; none, for a trusted program and for a user in person. It takes no permission and is
    /// not recorded: it is the first half of another call. [`whoami`](Self::whoami) tells more.
    ///
    /// # Errors
    /// See [`Session`].
    pub(crate) fn own_key(&self) -> Result<Option<OwnKey>> {
        self.read(UseCase::WhoAmI, |operation| match operation.principal.token.clone() {
            Some((_, token)) => operation.own_key(&token).map(Some),
            None => Ok(None),
        })
    }
}

impl OperationContext<'_, '_> {
    fn own_key(&mut self, token: &TokenRecord) -> Result<OwnKey> {
        let organization = token.organization;
        self.organization(organization)?;
        let owner = match token.holder {
            HolderRecord::Token => KeyOwner::Token,
            HolderRecord::Account => KeyOwner::Account,
            HolderRecord::User { user, .. } => KeyOwner::User(user),
            HolderRecord::ServiceAccount { account } => KeyOwner::ServiceAccount(account),
        };
        let mut environment = None;
        if let Some(bound) = token.scope.as_ref().and_then(|scope| scope.node) {
            let (_, path) = self.path_of(bound)?;
            let place = self.place(At::Path(organization, &path), Reach::Inside)?;
            if let Some(node) = place.nodes.last().filter(|node| node.kind == NodeKind::Environment) {
                environment = Some(self.located(&place, node)?);
            }
        }
        Ok(OwnKey { id: token.id, organization, owner, environment, permissions: self.principal.permissions })
    }
}
