//! Credentials by who created them. Whoever created or rotated a token, an account or a key of a service account has seen it,
//! and it outlives their membership.

use std::collections::HashSet;

use super::audit::words;
use super::authenticated_record::forged;
use super::deleted::all_projects;
use super::keys;
use super::operation::OperationContext;
use super::records::{HolderRecord, TokenRecord};
use super::session::Session;
use super::use_case::UseCase;
use crate::core::audit::{Action, AuditActor, Details, Resource, ResourceKind};
use crate::core::id::{Id, OrganizationId};
use crate::core::permission::Permission;
use crate::error::Result;
use crate::store::Precondition;

impl Session<'_> {
    /// Returns how many credentials [`revoke_tokens_created_by`](Self::revoke_tokens_created_by) would revoke.
    ///
    /// # Errors
    /// `NotFound`; `Denied`, also for a token that is bound to a place.
    pub fn count_tokens_created_by(&self, organization: OrganizationId, creator: impl Into<Id>) -> Result<usize> {
        let creator = creator.into();
        self.read(UseCase::ListTokens, |operation| {
            operation.whole_organization(organization)?;
            let count = operation.created_by(organization, creator)?.len();
            let details = Details::default().with("op", "created-by").with("createdBy", creator.to_string());
            let details = details.with("count", count);
            operation.record(Action::Read, Resource::organization(organization), details)?;
            Ok(count)
        })
    }

    /// Revokes every credential of an organization that a user, a token or an account has seen, because it created or
    /// rotated it, and those that were created or rotated with one of these: tokens are revoked, accounts of environments
    /// and keys of service accounts are removed. Returns how many there were.
    ///
    /// Personal keys need no such call: they stop working when their user is no member any more.
    ///
    /// # Errors
    /// `NotFound`; `Denied`, also for a token that is bound to a place, without `account:delete` if there are accounts, and
    /// for a service account if there are keys of service accounts.
    pub fn revoke_tokens_created_by(&self, organization: OrganizationId, creator: impl Into<Id>) -> Result<usize> {
        let creator = creator.into();
        self.write(UseCase::RevokeToken, |operation| {
            operation.whole_organization(organization)?;
            let tokens = operation.created_by(organization, creator)?;
            for (key, token) in &tokens {
                operation.revoke_created(key, token, creator)?;
            }
            Ok(tokens.len())
        })
    }
}

impl OperationContext<'_, '_> {
    /// Finds the credentials that work or could work again, with the keys of their records.
    fn created_by(&mut self, organization: OrganizationId, creator: Id) -> Result<Vec<(String, TokenRecord)>> {
        let mut indexes = vec![keys::token_ids(organization), keys::organization_service_keys(organization)];
        let projects = all_projects(&self.vault.authenticator, self.tx, organization)?;
        indexes.extend(projects.iter().map(|project| keys::project_accounts(project.id)));
        let mut rest = Vec::new();
        for range in indexes {
            rest.extend(self.tokens_in(range)?);
        }
        let mut creators = HashSet::from([creator]);
        let mut found = Vec::new();
        loop {
            let is_theirs = |actor: &Option<AuditActor>| {
                actor.as_ref().and_then(|actor| actor.id).is_some_and(|id| creators.contains(&id))
            };
            let (theirs, others): (Vec<_>, Vec<_>) =
                rest.into_iter().partition(|(_, token)| is_theirs(&token.created_by) || is_theirs(&token.rotated_by));
            if theirs.is_empty() {
                break;
            }
            // A key of a service account acts in the name of the account, which others use, too.
            let acts_for_itself = |token: &TokenRecord| !matches!(token.holder, HolderRecord::ServiceAccount { .. });
            creators.extend(theirs.iter().filter(|(_, token)| acts_for_itself(token)).map(|(_, token)| token.id));
            found.extend(theirs);
            rest = others;
        }
        found.retain(|(_, token)| token.revoked_at.is_none());
        Ok(found)
    }

    fn revoke_created(&mut self, key: &str, token: &TokenRecord, creator: Id) -> Result<()> {
        let details = Details::default()
            .with("name", token.name.as_str())
            .with("permissions", words(token.permissions))
            .with("op", "revoke-created-by")
            .with("createdBy", creator.to_string());
        let mut resource = Resource::token(token);
        match token.holder {
            HolderRecord::Token => {
                let revoked = TokenRecord { revoked_at: Some(self.now), updated_at: self.now, ..token.clone() };
                self.put_authenticated(key, &revoked, Precondition::Present)?;
            }
            HolderRecord::Account => {
                self.allow(Permission::AccountDelete.into())?;
                self.remove_token(&token.index().ok_or_else(forged)?)?;
                resource = resource.kind(ResourceKind::Account);
            }
            HolderRecord::ServiceAccount { .. } | HolderRecord::User { .. } => {
                self.manage_service_accounts(token.organization)?;
                self.remove_token(&token.index().ok_or_else(forged)?)?;
            }
        }
        self.record(Action::Delete, resource, details)
    }
}
