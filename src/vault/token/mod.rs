//! Tokens: what programs show to be let in. Each is bound to an organization, perhaps to a place in it, and holds a set
//! of permissions. The vault keeps the hash of a token, never the token.

mod issue;
mod list;
mod read;
mod revoke;
mod rotate;
mod update;

pub use self::issue::{IssuedToken, NewToken};
pub use self::update::TokenUpdate;
use super::call::{Call, no_such};
use super::keys;
use super::records::{PlaceRecord, ScopeRecord, TokenRecord, get, require};
use crate::core::{Id, LevelPath, PermissionSet, Timestamp, TokenFormat};
use crate::{Error, ErrorKind, Result};

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

impl Call<'_, '_> {
    /// What is told of a token.
    fn token_info(&mut self, record: &TokenRecord) -> Result<TokenInfo> {
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
        if self.is_token_inside(&record)? { Ok((key, record)) } else { Err(no_such("token")) }
    }

    /// Whether a token is bound to nothing beyond what the actor is bound to.
    fn is_token_inside(&mut self, token: &TokenRecord) -> Result<bool> {
        let Some(own) = self.who.scope().cloned() else {
            return Ok(true);
        };
        match &token.scope {
            Some(scope) if scope.project == own.project => match (own.node, scope.node) {
                (None, _) => Ok(true),
                (Some(own), Some(node)) => self.is_below(own, node),
                (Some(_), None) => Ok(false),
            },
            _ => Ok(false),
        }
    }

    /// Whether a node is another one or stands below it.
    fn is_below(&mut self, upper: Id, lower: Id) -> Result<bool> {
        if upper == lower {
            return Ok(true);
        }
        let (Some(upper), Some(lower)) =
            (get::<PlaceRecord>(self.tx, &keys::node_id(upper))?, get::<PlaceRecord>(self.tx, &keys::node_id(lower))?)
        else {
            return Ok(false);
        };
        let is_inside = lower.path.strip_prefix(&upper.path).is_some_and(|rest| rest.starts_with('/'));
        Ok(upper.project == lower.project && is_inside)
    }

    /// Refuses to give away, or to take over, what the actor does not hold itself.
    fn check_grant(&self, permissions: PermissionSet, expires_at: Option<Timestamp>) -> Result<()> {
        let missing = permissions.difference(self.who.permissions);
        if !missing.is_empty() {
            let message = format!("nobody can grant what they do not hold; you lack: {missing}");
            return Err(Error::new(ErrorKind::Denied, message));
        }
        let own_end = self.who.token.as_ref().and_then(|(_, token)| token.expires_at);
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
                Ok(Some(ScopeRecord { project: place.project.id, node }))
            }
            None => match self.who.scope() {
                Some(_) => Err(Error::new(
                    ErrorKind::Denied,
                    "you are bound to a place: bind the token to that place, or to one below it",
                )),
                None => Ok(None),
            },
        }
    }
}

#[cold]
fn outlives(own_end: Timestamp) -> Error {
    let message = format!("a token cannot live longer than the one it is issued with: let it expire by {own_end}");
    Error::new(ErrorKind::Denied, message)
}
