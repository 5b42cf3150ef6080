use super::super::audit::words;
use super::super::keys;
use super::super::name::check_name;
use super::super::operation::{OperationContext, id_taken, no_such};
use super::super::records::{HolderRecord, OrganizationRecord, TokenRecord, decode, get, put, require};
use super::super::session::Session;
use super::super::use_case::UseCase;
use super::TokenInfo;
use crate::core::{
    Action, Details, Id, LevelPath, PermissionSet, Resource, Sha256Hasher, Timestamp, Token, TokenFormat,
    TokenHasher as _,
};
use crate::store::{KeyRange, Order, Precondition};
use crate::{Error, ErrorKind, Result};

/// A token that is to be issued.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct NewToken {
    /// Its id; a new one, where none is given. Only trusted programs can give one.
    pub id: Option<Id>,
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
        Self { id: None, name: name.into(), format: TokenFormat::Ioenv, permissions, scope: None, expires_at: None }
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
    /// not have; `InvalidName`, also for `_base` as a place; `InvalidValue`, without a permission, or with an end that is past; `Conflict`, for
    /// an id that is taken.
    pub fn issue_token(&self, organization: Id, new: &NewToken) -> Result<IssuedToken> {
        self.write(UseCase::IssueToken, |operation| {
            operation.organization(organization)?;
            let scope = operation.scope_of(organization, new.scope.as_ref())?;
            operation.check_grant(new.permissions, new.expires_at)?;
            let name = check_name(&new.name)?;
            check_token(new.permissions, new.expires_at, operation.now)?;
            if matches!(new.format, TokenFormat::DotenvCloud { organization: spelled } if spelled != organization) {
                let message = "the token would be spelled with the id of another organization";
                return Err(Error::new(ErrorKind::InvalidValue, message));
            }
            let id = operation.token_id(new.id)?;
            let mut record = operation.new_token(organization, id, name, new.format);
            record.permissions = new.permissions;
            record.scope = scope;
            record.expires_at = new.expires_at;
            let token = operation.put_token(&mut record, &keys::token_id(organization, id))?;
            let info = operation.token_info(&record)?;
            operation.record(Action::Create, Resource::token(&record), details(&info))?;
            Ok(IssuedToken { token, info })
        })
    }
}

impl OperationContext<'_, '_> {
    fn token_id(&mut self, given: Option<Id>) -> Result<Id> {
        let id = self.given_id(given)?;
        if given.is_some() {
            for organization in self.tx.scan(&keys::organizations(), Order::Ascending, usize::MAX)? {
                let organization: OrganizationRecord = decode(&organization.value)?;
                if self.tx.get(&keys::token_id(organization.id, id))?.is_some() {
                    return Err(id_taken());
                }
            }
        }
        Ok(id)
    }

    /// A token of the organization that may do nothing yet.
    pub(in super::super) fn new_token(
        &self,
        organization: Id,
        id: Id,
        name: String,
        format: TokenFormat,
    ) -> TokenRecord {
        TokenRecord {
            id,
            organization,
            name,
            format,
            hint: String::new(),
            permissions: PermissionSet::EMPTY,
            scope: None,
            created_at: self.now,
            updated_at: self.now,
            expires_at: None,
            revoked_at: None,
            last_used_at: None,
            deleted_with: None,
            holder: HolderRecord::Token,
            // What is issued with a key is used from where that is.
            allow_list: self.principal.token.as_ref().map(|(_, own)| own.allow_list.clone()).unwrap_or_default(),
            created_by: Some(self.principal.actor.clone()),
        }
    }

    /// Draws a token, and stores what is known of it under its hash, and that under `index`.
    pub(in super::super) fn put_token(&mut self, record: &mut TokenRecord, index: &str) -> Result<Token> {
        let token = Token::mint(record.format, &*self.vault.random)?;
        let hash = Sha256Hasher.hash(&token).to_string();
        record.hint = token.hint();
        put(self.tx, &keys::token(&hash), record, Precondition::Absent)?;
        put(self.tx, index, &hash, Precondition::Absent)?;
        Ok(token)
    }

    /// Removes the token whose hash lies under `index`, and that.
    pub(in super::super) fn remove_token(&mut self, index: &str) -> Result<()> {
        let hash: String = require(self.tx, index)?;
        self.tx.delete(&keys::token(&hash))?;
        self.tx.delete(index)?;
        Ok(())
    }

    /// Removes the tokens whose hashes lie in a range, and those, and tells how many there were.
    pub(in super::super) fn remove_tokens(&mut self, range: &KeyRange) -> Result<usize> {
        let indices = self.tx.scan(range, Order::Ascending, usize::MAX)?;
        for index in &indices {
            self.remove_token(&index.key)?;
        }
        Ok(indices.len())
    }

    /// The tokens whose hashes lie in a range, in the order they were made.
    pub(in super::super) fn tokens_in(&mut self, range: &KeyRange) -> Result<Vec<TokenRecord>> {
        let indices = self.tx.scan(range, Order::Ascending, usize::MAX)?;
        let keys: Vec<String> = indices
            .iter()
            .map(|index| decode::<String>(&index.value).map(|hash| keys::token(&hash)))
            .collect::<Result<_>>()?;
        self.tx.prefetch(&keys)?;
        keys.iter().map(|key| require(self.tx, key)).collect()
    }

    /// The token whose hash lies under `index`.
    pub(in super::super) fn token_under(&mut self, index: &str, what: &str) -> Result<TokenRecord> {
        let hash: String = get(self.tx, index)?.ok_or_else(|| no_such(what))?;
        require(self.tx, &keys::token(&hash))
    }
}

/// What is recorded of a token that is issued, changed or revoked.
pub(super) fn details(token: &TokenInfo) -> Details {
    Details::default()
        .with("name", token.name.as_str())
        .with("permissions", words(token.permissions))
        .with("expiresAt", token.expires_at.map(|end| end.to_string()))
        .with("scope", token.scope.as_ref().map(LevelPath::as_str))
}

pub(super) fn check_token(permissions: PermissionSet, expires_at: Option<Timestamp>, now: Timestamp) -> Result<()> {
    check_permissions(permissions)?;
    check_end(expires_at, now)
}

pub(in super::super) fn check_permissions(permissions: PermissionSet) -> Result<()> {
    if permissions.is_empty() {
        return Err(Error::new(ErrorKind::InvalidValue, "a token needs at least one permission"));
    }
    Ok(())
}

pub(in super::super) fn check_end(expires_at: Option<Timestamp>, now: Timestamp) -> Result<()> {
    if expires_at.is_some_and(|end| end <= now) {
        return Err(Error::new(ErrorKind::InvalidValue, "the time at which the token is to expire is past"));
    }
    Ok(())
}
