//! Tokens: what programs show to be let in. Each is bound to an organization, perhaps to a place in it, and holds a set
//! of permissions. The vault keeps the hash of a token, never the token.

mod issue;
mod list;
mod read;
mod revoke;
mod rotate;
mod update;

pub use self::issue::{IssuedToken, NewToken};
pub(super) use self::issue::{check_end, check_permissions};
pub use self::update::TokenUpdate;
use super::keys;
use super::operation::{OperationContext, no_such};
use super::records::{ScopeRecord, TokenRecord, get, require};
use crate::core::{Id, IpRange, LevelPath, PermissionSet, Timestamp, TokenFormat};
use crate::{Error, ErrorKind, Result};

/// Most ranges of addresses that a key may be used from.
const MAX_ALLOW_LIST: usize = 100;

/// What is known of a token. The token itself is not.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct TokenInfo {
    /// Its id, which stays the same when it is rotated.
    pub id: Id,
    /// The organization it is bound to.
    pub organization: Id,
    /// Its name.
    pub name: String,
    /// How it is spelled.
    pub format: TokenFormat,
    /// Its first characters, to tell it from others.
    pub hint: String,
    /// What it may do.
    pub permissions: PermissionSet,
    /// The project, target or environment it is bound to; none, for all of the organization or for a place that is gone.
    pub scope: Option<LevelPath>,
    /// From where it may be used: from where the key may be that it was issued with. From everywhere, where there is none.
    pub allow_list: Vec<IpRange>,
    /// When it was issued.
    pub created_at: Timestamp,
    /// When one of these was changed last.
    pub updated_at: Timestamp,
    /// From when on it no longer works.
    pub expires_at: Option<Timestamp>,
    /// Since when it no longer works.
    pub revoked_at: Option<Timestamp>,
    /// The project, target or environment whose deletion it does not work after, until that is restored.
    pub deleted_with: Option<Id>,
    /// When it was last used, to the minute.
    pub last_used_at: Option<Timestamp>,
}

impl OperationContext<'_, '_> {
    /// What is told of a token.
    pub(super) fn token_info(&mut self, record: &TokenRecord) -> Result<TokenInfo> {
        let scope = match &record.scope {
            Some(scope) => match self.path_of(scope.node.unwrap_or(scope.project)) {
                Ok((_, path)) => Some(path),
                Err(error) if error.kind() == ErrorKind::NotFound => None,
                Err(error) => return Err(error),
            },
            None => None,
        };
        Ok(TokenInfo {
            id: record.id,
            organization: record.organization,
            name: record.name.clone(),
            format: record.format,
            hint: record.hint.clone(),
            permissions: record.permissions,
            scope,
            allow_list: record.allow_list.clone(),
            created_at: record.created_at,
            updated_at: record.updated_at,
            expires_at: record.expires_at,
            revoked_at: record.revoked_at,
            deleted_with: record.deleted_with,
            last_used_at: record.last_used_at,
        })
    }

    /// The token of that id with the key of its record, if the actor may know of it: its own place must be inside of the
    /// actor's.
    fn token(&mut self, organization: Id, id: Id) -> Result<(String, TokenRecord)> {
        self.organization(organization)?;
        let hash: String = get(self.tx, &keys::token_id(organization, id))?.ok_or_else(|| no_such("token"))?;
        let key = keys::token(&hash);
        let record: TokenRecord = require(self.tx, &key)?;
        if !self.enter_scope(record.scope.as_ref())? {
            return Err(no_such("token"));
        }
        self.require()?;
        Ok((key, record))
    }

    /// Whether the actor may list a token: it is bound to nothing beyond what the actor may see tokens of.
    fn is_token_listed(&mut self, token: &TokenRecord) -> Result<bool> {
        Ok(self.enter_scope(token.scope.as_ref())? && self.rights.contains_all(self.needed))
    }

    /// Refuses to give away, or to take over, what the actor does not hold itself, or not for that long.
    pub(super) fn check_grant(&self, permissions: PermissionSet, expires_at: Option<Timestamp>) -> Result<()> {
        self.check_held(permissions)?;
        self.check_outlived(expires_at)
    }

    /// Refuses what would live longer than the token it is made with.
    pub(super) fn check_outlived(&self, expires_at: Option<Timestamp>) -> Result<()> {
        let own_end = self.principal.token.as_ref().and_then(|(_, token)| token.expires_at);
        match (own_end, expires_at) {
            (Some(own), None) => Err(outlives(own)),
            (Some(own), Some(end)) if end > own => Err(outlives(own)),
            _ => Ok(()),
        }
    }

    /// What a token is bound to, from the path that is asked for.
    fn scope_of(&mut self, organization: Id, path: Option<&LevelPath>) -> Result<Option<ScopeRecord>> {
        match path {
            Some(path) => {
                let place = self.place(organization, path, super::place::Reach::Inside)?;
                let node = place.nodes.last().map(|node| node.id);
                if node.is_none() && path.segments().count() > 1 {
                    let message = "what is bound to `_base` would reach all of the project: bind the token to that";
                    return Err(Error::new(ErrorKind::InvalidName, message));
                }
                Ok(Some(ScopeRecord { project: place.project.id, node }))
            }
            None => match self.principal.scope() {
                Some(_) => Err(Error::new(
                    ErrorKind::Denied,
                    "you are bound to a place: bind the token to that place, or to one below it",
                )),
                None => {
                    self.require()?;
                    Ok(None)
                }
            },
        }
    }
}

/// A list of ranges that a key may be used from.
pub(super) fn check_allow_list(ranges: &[IpRange]) -> Result<Vec<IpRange>> {
    if ranges.len() > MAX_ALLOW_LIST {
        return Err(Error::new(ErrorKind::Limit, "an allow-list has at most 100 ranges of addresses"));
    }
    Ok(ranges.to_vec())
}

/// What was revoked stays as it was.
fn check_not_revoked(record: &TokenRecord) -> Result<()> {
    if record.revoked_at.is_some() {
        return Err(Error::new(ErrorKind::Conflict, "the token was revoked: issue another one"));
    }
    Ok(())
}

#[cold]
fn outlives(own_end: Timestamp) -> Error {
    let message = format!("nothing can live longer than the token or key it is made with: let it expire by {own_end}");
    Error::new(ErrorKind::Denied, message)
}
