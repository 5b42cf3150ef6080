use super::super::name::check_name;
use super::super::records::put;
use super::super::session::Session;
use super::super::use_case::UseCase;
use super::issue::{check_token, details};
use super::{TokenInfo, check_not_revoked};
use crate::Result;
use crate::core::{Action, Id, PermissionSet, Resource, Timestamp};
use crate::store::Precondition;

/// What is to change about a token.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct TokenUpdate {
    /// Another name.
    pub name: Option<String>,
    /// Other permissions.
    pub permissions: Option<PermissionSet>,
    /// Another end; `Some(None)` for none.
    pub expires_at: Option<Option<Timestamp>>,
}

impl Session<'_> {
    /// Changes a token.
    ///
    /// # Errors
    /// `NotFound`; `Denied`, when the token holds, or is to hold, what the actor does not; `InvalidName`;
    /// `InvalidValue`; `Conflict`, for one that was revoked.
    pub fn update_token(&self, organization: Id, id: Id, update: &TokenUpdate) -> Result<TokenInfo> {
        self.write(UseCase::UpdateToken, |operation| {
            let (key, mut record) = operation.token(organization, id)?;
            // What the token may do was not this actor's to give, nor is it to change.
            operation.check_grant(record.permissions, record.expires_at)?;
            check_not_revoked(&record)?;
            if let Some(permissions) = update.permissions {
                record.permissions = permissions;
            }
            if let Some(expires_at) = update.expires_at {
                record.expires_at = expires_at;
            }
            if update.permissions.is_some() || update.expires_at.is_some() {
                operation.check_grant(record.permissions, record.expires_at)?;
                check_token(record.permissions, update.expires_at.flatten(), operation.now)?;
            }
            if let Some(name) = &update.name {
                record.name = check_name(name)?;
            }
            record.updated_at = operation.now;
            put(operation.tx, &key, &record, Precondition::Present)?;
            let info = operation.token_info(&record)?;
            operation.record(Action::Update, Resource::token(&record), details(&info))?;
            Ok(info)
        })
    }
}
