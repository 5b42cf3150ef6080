use std::net::IpAddr;
use std::time::Duration;

use super::access::Accessed;
use super::authenticate::authenticate;
use super::deleted::is_of_deleted;
use super::key_cache::Unwrapped;
use super::organization::OrganizationStatus;
use super::records::{HolderRecord, OrganizationRecord, ScopeRecord, TokenRecord, UserRecord, get, put};
use super::rights::Membership;
use super::session::Session;
use super::use_case::UseCase;
use super::{audit, keys};
use crate::core::{Action, AuditActor, AuditRecord, Details, Id, PermissionSet, Resource, Timestamp, TokenHash};
use crate::error::{Error, ErrorKind, Refusal, Result};
use crate::store::{KeyRange, Order, Precondition, Record, Transaction};
use crate::vault::engine::Vault;

/// A token's last use is written at most this often.
const TOUCH_EVERY: Duration = Duration::from_secs(60);

/// The context of one operation whose caller is authenticated and may perform this kind of operation.
pub(super) struct OperationContext<'c, 'tx> {
    pub(super) vault: &'c Vault,
    pub(super) tx: &'tx mut dyn Transaction,
    pub(super) now: Timestamp,
    pub(super) principal: Principal,
    /// What the use case takes.
    pub(super) needed: PermissionSet,
    /// What the actor may do at the place it is at: nothing beyond itself, before it is anywhere.
    pub(super) rights: PermissionSet,
    /// Of a user, in the organization it is in.
    pub(super) membership: Option<Membership>,
    ip: Option<IpAddr>,
    records: Vec<AuditRecord>,
    accessed: Vec<Accessed>,
    pub(super) unwrapped: Vec<Unwrapped>,
}

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
    fn key(&self) -> Option<Id> {
        let (_, token) = self.token.as_ref()?;
        match token.holder {
            HolderRecord::Token | HolderRecord::Account => None,
            HolderRecord::User { .. } | HolderRecord::ServiceAccount { .. } => Some(token.id),
        }
    }
}

impl<'c, 'tx> OperationContext<'c, 'tx> {
    /// Finds out who asks, and refuses whoever may not do such a thing anywhere; before anything is looked up, so that
    /// the answer does not depend on what there is.
    pub(super) fn begin(session: &Session<'c>, tx: &'tx mut dyn Transaction, use_case: UseCase) -> Result<Self> {
        let vault = session.vault;
        let now = vault.now();
        let principal = authenticate(session, tx, now)?;
        let (rights, needed) = (principal.permissions, use_case.permissions());
        let (records, accessed, unwrapped) = (Vec::new(), Vec::new(), Vec::new());
        let (ip, membership) = (session.ip, None);
        let operation =
            Self { vault, tx, now, principal, needed, rights, membership, ip, records, accessed, unwrapped };
        operation.require()?;
        Ok(operation)
    }

    /// Refuses all but trusted programs.
    pub(super) fn system_only(&self) -> Result<()> {
        if self.principal.is_system() {
            return Ok(());
        }
        Err(Error::new(ErrorKind::Denied, "only the operator of the vault may do this, with the root key"))
    }

    /// The organization, if the actor may know of it. What a user may do there is another question, which
    /// [`require`](Self::require) answers, or the place they come to.
    pub(super) fn organization(&mut self, id: Id) -> Result<OrganizationRecord> {
        if self.principal.token.as_ref().is_some_and(|(_, token)| token.organization != id) {
            return Err(no_such("organization"));
        }
        let organization: OrganizationRecord =
            get(self.tx, &keys::organization(id))?.ok_or_else(|| no_such("organization"))?;
        self.enter(id)?;
        if organization.status != OrganizationStatus::Active && !self.principal.is_system() {
            let message = "the organization is not active: its operator can activate it";
            return Err(Error::new(ErrorKind::Denied, message).with_refusal(Refusal::Inactive));
        }
        Ok(organization)
    }

    /// The organization, for what concerns all of it: whoever is bound to a place in it may not.
    pub(super) fn whole_organization(&mut self, id: Id) -> Result<OrganizationRecord> {
        let organization = self.organization(id)?;
        self.require()?;
        if self.principal.scope().is_some() {
            let message = "this token is bound to a place, and this concerns all of the organization";
            return Err(Error::new(ErrorKind::Denied, message));
        }
        Ok(organization)
    }

    pub(super) fn new_id(&self) -> Result<Id> {
        self.vault.new_id(self.now)
    }

    /// The id of something that is made: a new one, or the one that was given, which only trusted programs may.
    pub(super) fn given_id(&self, id: Option<Id>) -> Result<Id> {
        match id {
            None => self.new_id(),
            Some(id) => self.system_only().map(|()| id),
        }
    }

    /// The same for a project, a target or an environment. Their ids are in one space, because a level has that of where
    /// it stands; and what was deleted keeps its id with all that lies under it.
    pub(super) fn given_place_id(&mut self, given: Option<Id>) -> Result<Id> {
        let id = self.given_id(given)?;
        if given.is_some() {
            for key in [keys::project_id(id), keys::node_id(id)] {
                if self.tx.get(&key)?.is_some() {
                    return Err(id_taken());
                }
            }
            if is_of_deleted(self.tx, id)? {
                return Err(id_taken());
            }
        }
        Ok(id)
    }

    /// The same for something of a project that jobs are done for, among all of its kind: a job knows no more of it than
    /// the id, which is the last part of its key.
    pub(super) fn given_subject_id(&mut self, given: Option<Id>, all: &KeyRange) -> Result<Id> {
        let id = self.given_id(given)?;
        if given.is_some() {
            let end = format!("/{id}");
            if self.tx.scan(all, Order::Ascending, usize::MAX)?.iter().any(|there| there.key.ends_with(&end)) {
                return Err(id_taken());
            }
        }
        Ok(id)
    }

    /// Puts a record into the audit log, together with what the use case does.
    pub(super) fn record(&mut self, action: Action, resource: Resource, details: Details) -> Result<()> {
        let id = self.new_id()?;
        let details = match self.principal.key() {
            Some(key) => details.with("keyId", key.to_string()),
            None => details,
        };
        let actor = self.principal.actor.clone();
        let (timestamp, ip) = (self.now, self.ip);
        self.records.push(AuditRecord { id, timestamp, actor, ip, action, resource, details });
        Ok(())
    }

    /// Notes that values of a level were served, if that is to be written down.
    pub(super) fn touch(&mut self, accessed: Accessed) {
        self.accessed.push(accessed);
    }

    /// What is to be written beside what the use case wrote itself.
    pub(super) fn finish(self) -> Result<Finished> {
        let used = self.principal.token.filter(|(_, token)| !is_recent(token.last_used_at, self.now, TOUCH_EVERY));
        let mut records = Vec::new();
        for record in &self.records {
            audit::add_to(&mut records, record)?;
        }
        let used = used.map(|(hash, _)| hash);
        Ok(Finished { now: self.now, records, used, accessed: self.accessed, unwrapped: self.unwrapped })
    }
}

/// Whether something was noted less than `every` ago. What a clock noted that has gone back since does not count.
pub(super) fn is_recent(noted: Option<Timestamp>, now: Timestamp, every: Duration) -> bool {
    noted.is_some_and(|last| last <= now && now.since(last) < every)
}

/// What a use case leaves behind beside its result.
pub(super) struct Finished {
    now: Timestamp,
    records: Vec<Record>,
    /// The token that was used, if that is to be written down.
    used: Option<TokenHash>,
    accessed: Vec<Accessed>,
    /// What may be kept, once the transaction is through.
    pub(super) unwrapped: Vec<Unwrapped>,
}

impl Finished {
    /// The audit records, if there is nothing else.
    pub(super) fn into_append_only(self) -> Result<Vec<Record>, Self> {
        if self.used.is_none() && self.accessed.is_empty() { Ok(self.records) } else { Err(self) }
    }

    pub(super) fn write(&self, tx: &mut dyn Transaction) -> Result<()> {
        for record in &self.records {
            tx.put(&record.key, &record.value, Precondition::Always)?;
        }
        if let Some(hash) = &self.used {
            let key = keys::token(&hash.to_string());
            // Read again: it may have been revoked or rotated since.
            if let Some(mut token) = get::<TokenRecord>(tx, &key)? {
                token.last_used_at = Some(self.now);
                put(tx, &key, &token, Precondition::Present)?;
            }
        }
        self.accessed.iter().try_for_each(|accessed| accessed.write(tx, self.now))
    }
}

#[cold]
pub(super) fn id_taken() -> Error {
    Error::new(ErrorKind::Conflict, "the id is taken: give another one, or none")
}

/// What is not there, and what an actor may not know of.
#[cold]
pub(super) fn no_such(what: &str) -> Error {
    Error::new(ErrorKind::NotFound, format!("there is no such {what} here, or it is outside of what you may see"))
}
