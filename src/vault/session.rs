use std::net::IpAddr;
use std::{fmt, mem};

use super::authenticate::Caller;
use super::operation::OperationContext;
use super::use_case::UseCase;
use crate::core::id::UserId;
use crate::core::token::Token;
use crate::error::Result;
use crate::store::StoreExt as _;
use crate::vault::engine::Vault;

/// Who asks.
#[non_exhaustive]
pub enum Actor {
    /// A trusted program, such as a command on the machine that has the root key. It may do everything, and is
    /// recorded by the name it gives itself.
    System(String),
    /// Whoever holds this token, or this key of an account or of a user.
    Token(Token),
    /// The user of that id, whom the program that asks has made sure of, such as by a password or a single sign-on.
    User(UserId),
}

impl Actor {
    /// A trusted program of that name.
    pub fn system(name: impl Into<String>) -> Self {
        Self::System(name.into())
    }
}

impl From<Token> for Actor {
    fn from(token: Token) -> Self {
        Self::Token(token)
    }
}

impl fmt::Debug for Actor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::System(name) => f.debug_tuple("System").field(name).finish(),
            Self::Token(_) => f.debug_tuple("Token").finish_non_exhaustive(),
            Self::User(id) => f.debug_tuple("User").field(id).finish(),
        }
    }
}

/// What an actor does in a vault. Each method is one transaction, recorded in the audit log with it.
///
/// All methods can answer, beside what they document: `Unauthenticated`, for a token or key that is unknown or revoked or
/// has expired ([`Refusal::Expired`](super::Refusal)), or for a user who is unknown; `Denied`, naming the
/// permission that is missing, or for an address that the key is not to be used from
/// ([`Refusal::Address`](super::Refusal)); `NotFound`, for what is not there or outside of what
/// the actor may know of; and what the [`Store`](crate::store::Store) says. Nothing has changed then.
pub struct Session<'v> {
    pub(crate) vault: &'v Vault,
    pub(super) caller: Caller,
    pub(super) ip: Option<IpAddr>,
}

impl Vault {
    /// A session in the name of `actor`, in which everything is done.
    pub fn session(&self, actor: impl Into<Actor>) -> Session<'_> {
        let caller = match actor.into() {
            Actor::System(name) => Caller::System(name),
            Actor::Token(token) => Caller::Token(self.hasher.hash(&token)),
            Actor::User(id) => Caller::User(id),
        };
        Session { vault: self, caller, ip: None }
    }

    /// Returns a session for what the vault does by itself. It takes no permission: who has the vault has the root key.
    pub(super) fn trusted(&self, name: &str) -> Session<'_> {
        self.session(Actor::system(name))
    }
}

impl Session<'_> {
    /// The address the request came from, for the audit log and for keys that are to be used from some addresses only.
    #[must_use]
    pub fn from_ip(mut self, ip: IpAddr) -> Self {
        self.ip = Some(ip);
        self
    }

    /// Runs a use case that only reads. What it saw is one state of the store; its audit record is durable before the
    /// answer is given.
    pub(super) fn read<T>(
        &self,
        use_case: UseCase,
        mut work: impl FnMut(&mut OperationContext<'_, '_>) -> Result<T>,
    ) -> Result<T> {
        let name = format!("{}/{use_case:?}", self.caller);
        let (value, mut pending) = self.vault.store.read(|tx| {
            tx.named(&name);
            let mut operation = OperationContext::begin(self.vault, &self.caller, self.ip, tx, use_case)?;
            let value = work(&mut operation)?;
            Ok((value, operation.pending))
        })?;
        self.vault.keys.keep(mem::take(&mut pending.unwrapped));
        match pending.into_append_only() {
            Ok(records) if records.is_empty() => {}
            Ok(records) => self.vault.store.append(records)?,
            Err(pending) => self.vault.store.write(|tx| pending.write(&self.vault.authenticator, tx))?,
        }
        Ok(value)
    }

    /// Runs a use case that changes something, together with its audit record.
    pub(super) fn write<T>(
        &self,
        use_case: UseCase,
        mut work: impl FnMut(&mut OperationContext<'_, '_>) -> Result<T>,
    ) -> Result<T> {
        let (value, unwrapped) = self.vault.store.write(|tx| {
            let mut operation = OperationContext::begin(self.vault, &self.caller, self.ip, tx, use_case)?;
            let value = work(&mut operation)?;
            let pending = operation.pending;
            pending.write(&self.vault.authenticator, tx)?;
            Ok((value, pending.unwrapped))
        })?;
        self.vault.keys.keep(unwrapped);
        Ok(value)
    }
}

impl fmt::Debug for Session<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session").field("ip", &self.ip).finish_non_exhaustive()
    }
}
