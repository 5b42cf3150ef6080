use super::super::keys;
use super::super::records::put;
use super::super::session::Session;
use super::super::use_case::UseCase;
use super::issue::details;
use super::{IssuedToken, check_not_revoked};
use crate::Result;
use crate::core::{Action, Id, Resource, Sha256Hasher, Token, TokenHasher as _};
use crate::store::Precondition;

impl Session<'_> {
    /// Issues a token anew, with the same id and rights; the old one no longer works from then on.
    ///
    /// # Errors
    /// `NotFound`; `Denied`, when the token holds what the actor does not; `Conflict`, for one that was revoked.
    pub fn rotate_token(&self, organization: Id, id: Id) -> Result<IssuedToken> {
        self.write(UseCase::RotateToken, |operation| {
            let (key, mut record) = operation.token(organization, id)?;
            // Whoever could would hold all that the token holds.
            operation.check_grant(record.permissions, record.expires_at)?;
            check_not_revoked(&record)?;
            let token = Token::mint(record.format, &*operation.vault.random)?;
            let hash = Sha256Hasher.hash(&token).to_string();
            record.hint = token.hint();
            record.updated_at = operation.now;
            record.last_used_at = None;
            operation.tx.delete(&key)?;
            put(operation.tx, &keys::token(&hash), &record, Precondition::Absent)?;
            put(operation.tx, &keys::token_id(organization, id), &hash, Precondition::Present)?;
            let info = operation.token_info(&record)?;
            let resource = Resource::token(&record);
            operation.record(Action::Update, resource, details(&info).with("op", "rotate"))?;
            Ok(IssuedToken { token, info })
        })
    }
}
