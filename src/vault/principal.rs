use super::grantee::Grantee;
use super::records::{HolderRecord, MemberRecord, ScopeRecord, TokenRecord, UserRecord};
use crate::core::audit::AuditActor;
use crate::core::id::Id;
use crate::core::id::LevelId;
use crate::core::id::OrganizationId;
use crate::core::id::ProjectId;
use crate::core::permission::PermissionSet;
use crate::core::token::TokenHash;

/// The identity behind a request, as the store has it at this moment.
pub(super) struct Principal {
    pub(super) actor: AuditActor,
    /// What it may do at most, wherever it is.
    pub(super) permissions: PermissionSet,
    /// The token that was shown.
    pub(super) token: Option<(TokenHash, TokenRecord)>,
    /// The person, if it is one.
    pub(super) user: Option<UserRecord>,
}

impl Principal {
    pub(super) fn is_system(&self) -> bool {
        self.token.is_none() && self.user.is_none()
    }

    pub(super) fn scope(&self) -> Option<&ScopeRecord> {
        self.token.as_ref().and_then(|(_, token)| token.scope.as_ref())
    }

    /// The user, if they are there themselves and not by a key, which is for one organization and perhaps for little.
    pub(super) fn person(&self) -> Option<&UserRecord> {
        self.user.as_ref().filter(|_| self.token.is_none())
    }

    /// The key that was shown, where the actor is not the key's own: a user or a service account may have several.
    pub(super) fn key(&self) -> Option<Id> {
        let (_, token) = self.token.as_ref()?;
        match token.holder {
            HolderRecord::Token | HolderRecord::Account => None,
            HolderRecord::User { .. } | HolderRecord::ServiceAccount { .. } => Some(token.id),
        }
    }
}

/// What a user is in an organization.
pub(super) struct Membership {
    pub(super) organization: OrganizationId,
    pub(super) record: MemberRecord,
    /// What the user's role allows in all of it.
    pub(super) permissions: PermissionSet,
    /// What was granted in the project that was looked at last.
    pub(super) granted: Option<Granted>,
}

/// What was granted to a user in one project.
pub(super) struct Granted {
    pub(super) project: ProjectId,
    /// To the user and to each team; with the node it is for, or none for all of the project.
    pub(super) roles: Vec<(Option<LevelId>, PermissionSet)>,
}

impl Membership {
    /// Whom something can be granted to so that this user has it.
    pub(super) fn grantees(&self) -> impl Iterator<Item = Grantee> + '_ {
        [Grantee::User(self.record.user)].into_iter().chain(self.record.teams.iter().copied().map(Grantee::Team))
    }
}
