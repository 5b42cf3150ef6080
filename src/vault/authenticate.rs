//! Authentication: finds the trusted program, the user, or the holder of a token or key, as the store has them now.

use std::fmt;
use std::net::IpAddr;

use super::authenticated_record::RecordAuthenticator;
use super::keys;
use super::principal::Principal;
use super::records::{HolderRecord, MemberRecord, ServiceAccountRecord, TokenRecord, UserRecord};
use crate::core::audit::{ActorKind, AuditActor};
use crate::core::clock::Timestamp;
use crate::core::id::UserId;
use crate::core::ip_range::IpRange;
use crate::core::permission::PermissionSet;
use crate::core::refusal::Refusal;
use crate::core::token::TokenHash;
use crate::error::{Error, ErrorKind, Result};
use crate::store::Transaction;

/// Who sends a request, without the token itself.
pub(super) enum Caller {
    System(String),
    Token(TokenHash),
    User(UserId),
}

/// Without the token: an id that is the same for each request of a caller.
impl fmt::Display for Caller {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::System(name) => write!(f, "system/{name}"),
            Self::Token(hash) => write!(f, "token/{hash}"),
            Self::User(id) => write!(f, "user/{id}"),
        }
    }
}

/// Finds the principal behind a request that came from an address, if that is known.
pub(super) fn authenticate(
    caller: &Caller,
    address: Option<IpAddr>,
    authenticator: &RecordAuthenticator,
    tx: &mut dyn Transaction,
    now: Timestamp,
) -> Result<Principal> {
    let hash = match caller {
        Caller::System(name) => {
            let actor = AuditActor { name: Some(name.clone()), ..AuditActor::SYSTEM };
            return Ok(Principal { actor, permissions: PermissionSet::ALL, token: None, user: None });
        }
        Caller::User(id) => {
            let user: UserRecord = authenticator.get(tx, &keys::user(*id))?.ok_or_else(unauthenticated)?;
            let actor = user.actor();
            return Ok(Principal { actor, permissions: PermissionSet::ALL, token: None, user: Some(user) });
        }
        Caller::Token(hash) => hash,
    };
    // Found by its hash, which an attacker cannot steer; so a look-up tells nothing by the time it takes.
    let mut token: TokenRecord = authenticator.get(tx, &keys::token(&hash.to_string()))?.ok_or_else(unauthenticated)?;
    if token.revoked_at.is_some() || token.deleted_with.is_some() {
        return Err(unauthenticated());
    }
    let (actor, user) = hold(&mut token, authenticator, tx)?;
    if let Some(end) = token.expires_at.filter(|end| *end <= now) {
        return Err(expired(end));
    }
    check_address(&token.allow_list, address)?;
    Ok(Principal { actor, permissions: token.permissions, token: Some((hash.clone(), token)), user })
}

/// In whose name a token is used. What its holder says of it, such as permissions, is written into the record; where
/// there is no such holder any more, the token is as if it were not there.
fn hold(
    token: &mut TokenRecord,
    authenticator: &RecordAuthenticator,
    tx: &mut dyn Transaction,
) -> Result<(AuditActor, Option<UserRecord>)> {
    let mut actor = AuditActor { kind: ActorKind::Token, id: Some(token.id), name: Some(token.name.clone()) };
    let mut holder = None;
    match token.holder {
        HolderRecord::Token | HolderRecord::Account => {}
        HolderRecord::User { user, level } => {
            let (member, user) = (keys::member(token.organization, user), keys::user(user));
            tx.prefetch(&[member.clone(), user.clone()])?;
            authenticator.get::<MemberRecord>(tx, &member)?.ok_or_else(unauthenticated)?;
            let user: UserRecord = authenticator.get(tx, &user)?.ok_or_else(unauthenticated)?;
            actor = user.actor();
            holder = Some(user);
            token.permissions = level.permissions();
        }
        HolderRecord::ServiceAccount { account } => {
            let account: ServiceAccountRecord = authenticator
                .get(tx, &keys::service_account(token.organization, account))?
                .ok_or_else(unauthenticated)?;
            actor = account.actor();
            token.permissions = account.permissions;
            token.allow_list = account.allow_list;
        }
    }
    Ok((actor, holder))
}

/// Refuses a key that is used from elsewhere than its list says; from everywhere it may be, where there is no list.
fn check_address(allow_list: &[IpRange], address: Option<IpAddr>) -> Result<()> {
    if allow_list.is_empty() || address.is_some_and(|address| allow_list.iter().any(|range| range.contains(address))) {
        return Ok(());
    }
    let message = match address {
        Some(_) => "this key is not to be used from this address: have it added to the key's allow-list",
        None => {
            "this key has an allow-list, and where the request comes from is not known: a program tells it with \
             `Session::from_ip`; the command and `load` take keys without such a list"
        }
    };
    Err(Error::new(ErrorKind::Denied, message).with_refusal(Refusal::Address))
}

#[cold]
fn expired(end: Timestamp) -> Error {
    let message = format!("the token or key has expired at {end}: ask for another one");
    Error::new(ErrorKind::Unauthenticated, message).with_refusal(Refusal::Expired { since: end })
}

/// The same for every other reason, so that a stranger learns nothing.
#[cold]
fn unauthenticated() -> Error {
    let message = "the token or key is unknown or revoked, or the user is unknown: ask for another one";
    Error::new(ErrorKind::Unauthenticated, message)
}
