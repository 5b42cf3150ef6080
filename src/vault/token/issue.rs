use super::super::keys;
use super::super::name::check_name;
use super::super::records::{TokenRecord, put};
use super::super::session::Session;
use super::super::use_case::UseCase;
use super::TokenInfo;
use crate::core::{
    Action, Details, Id, LevelPath, PermissionSet, Resource, Sha256Hasher, Timestamp, Token, TokenFormat,
    TokenHasher as _,
};
use crate::store::When;
use crate::{Error, ErrorKind, Result};

/// A token that is to be issued.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct NewToken {
    /// Its name.
    pub name: String,
    /// How it is spelled: as ioenv's, unless said otherwise.
    pub format: TokenFormat,
    /// What it may do: at least one thing.
    pub permissions: PermissionSet,
    /// The project, target or environment it is bound to; all of the organization, where none is given.
    pub scope: Option<LevelPath>,
    /// From when on it no longer works; never, where nothing is given.
    pub expires_at: Option<Timestamp>,
}

impl NewToken {
    /// A token of that name with those permissions.
    pub fn new(name: impl Into<String>, permissions: PermissionSet) -> Self {
        Self { name: name.into(), format: TokenFormat::Ioenv, permissions, scope: None, expires_at: None }
    }

    /// The same, bound to a place.
    #[must_use]
    pub fn scope(mut self, path: LevelPath) -> Self {
        self.scope = Some(path);
        self
    }

    /// The same, until then.
    #[must_use]
    pub fn expires_at(mut self, end: Timestamp) -> Self {
        self.expires_at = Some(end);
        self
    }
}

/// A token that was just issued.
#[derive(Debug)]
#[non_exhaustive]
pub struct IssuedToken {
    /// The token. It is told once: nothing can get it from the vault again.
    pub token: Token,
    /// What is known of it.
    pub info: TokenInfo,
}

impl Session<'_> {
    /// Issues a token.
    ///
    /// # Errors
    /// `NotFound`, without the place it is bound to; `Denied`, for a permission, a place or a time that the actor does
    /// not have; `InvalidName`; `InvalidValue`, without a permission, or with an end that is past.
    pub fn issue_token(&self, organization: Id, new: &NewToken) -> Result<IssuedToken> {
        self.write(UseCase::IssueToken, |call| {
            call.organization(organization)?;
            let scope = call.scope_of(organization, new.scope.as_ref())?;
            call.check_grant(new.permissions, new.expires_at)?;
            let name = check_name(&new.name)?;
            check_token(new.permissions, new.expires_at, call.now)?;
            if matches!(new.format, TokenFormat::DotenvCloud { organization: spelled } if spelled != organization) {
                let message = "the token would be spelled with the id of another organization";
                return Err(Error::new(ErrorKind::InvalidValue, message));
            }
            let token = Token::mint(new.format, &*call.vault.random)?;
            let hash = Sha256Hasher.hash(&token).to_string();
            let record = TokenRecord {
                id: call.new_id()?,
                organization,
                name,
                format: new.format,
                hint: token.hint(),
                permissions: new.permissions,
                scope,
                created_at: call.now,
                updated_at: call.now,
                expires_at: new.expires_at,
                revoked_at: None,
                last_used_at: None,
                deleted_with: None,
            };
            put(call.tx, &keys::token(&hash), &record, When::Absent)?;
            put(call.tx, &keys::token_id(organization, record.id), &hash, When::Absent)?;
            let info = call.token_info(&record)?;
            call.record(Action::Create, Resource::token(&record), details(&info))?;
            Ok(IssuedToken { token, info })
        })
    }
}

/// What is recorded of a token that is issued, changed or revoked.
pub(super) fn details(token: &TokenInfo) -> Details {
    let permissions: Vec<String> = token.permissions.iter().map(|permission| permission.to_string()).collect();
    Details::default()
        .with("name", token.name.as_str())
        .with("permissions", permissions)
        .with("expiresAt", token.expires_at.map(|end| end.to_string()))
        .with("scope", token.scope.as_ref().map(LevelPath::as_str))
}

pub(super) fn check_token(permissions: PermissionSet, expires_at: Option<Timestamp>, now: Timestamp) -> Result<()> {
    if permissions.is_empty() {
        return Err(Error::new(ErrorKind::InvalidValue, "a token needs at least one permission"));
    }
    if expires_at.is_some_and(|end| end <= now) {
        return Err(Error::new(ErrorKind::InvalidValue, "the time at which the token is to expire is past"));
    }
    Ok(())
}
