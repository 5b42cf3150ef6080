use std::net::IpAddr;

use super::authenticate::{Caller, authenticate};
use super::authenticated_record::AuthenticatedRecord;
use super::engine::Vault;
use super::keys;
use super::pending::Pending;
use super::principal::{Membership, Principal};
use super::records::{OrganizationRecord, damaged};
use super::scan::Scan;
use super::use_case::UseCase;
use crate::core::audit::{Action, AuditRecord, Details, Resource};
use crate::core::clock::Timestamp;
use crate::core::id::Id;
use crate::core::id::OrganizationId;
use crate::core::organization_status::OrganizationStatus;
use crate::core::permission::PermissionSet;
use crate::core::refusal::Refusal;
use crate::error::{Error, ErrorKind, Result};
use crate::store::{KeyRange, Order, Precondition, Record, Transaction};

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
    pub(super) pending: Pending,
}

impl<'c, 'tx> OperationContext<'c, 'tx> {
    /// Authenticates the caller, and refuses one who may not perform the use case anywhere; before anything is looked
    /// up, so that the result does not depend on what there is.
    pub(super) fn begin(
        vault: &'c Vault,
        caller: &Caller,
        ip: Option<IpAddr>,
        tx: &'tx mut dyn Transaction,
        use_case: UseCase,
    ) -> Result<Self> {
        let now = vault.now();
        let principal = authenticate(caller, ip, &vault.authenticator, tx, now)?;
        let (rights, needed) = (principal.permissions, use_case.permissions());
        let pending = Pending::new(&principal, now);
        let operation = Self { vault, tx, now, principal, needed, rights, membership: None, ip, pending };
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
    ///
    /// From here on the rights are those in all of the organization. At a place, [`owner`](Self::owner) keeps them.
    pub(super) fn organization(&mut self, id: OrganizationId) -> Result<OrganizationRecord> {
        if self.principal.token.as_ref().is_some_and(|(_, token)| token.organization != id) {
            return Err(no_such("organization"));
        }
        let organization: OrganizationRecord =
            self.get_authenticated(&keys::organization(id))?.ok_or_else(|| no_such("organization"))?;
        self.enter(id)?;
        if organization.status != OrganizationStatus::Active && !self.principal.is_system() {
            let message = "the organization is not active: its operator can activate it";
            return Err(Error::new(ErrorKind::Denied, message).with_refusal(Refusal::OrganizationInactive));
        }
        Ok(organization)
    }

    /// The organization, for what concerns all of it: whoever is bound to a place in it may not.
    pub(super) fn whole_organization(&mut self, id: OrganizationId) -> Result<OrganizationRecord> {
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

    /// Puts a record into the audit log, together with what the use case does.
    pub(super) fn record(&mut self, action: Action, resource: Resource, details: Details) -> Result<()> {
        let id = self.new_id()?.into();
        let mut details = match self.principal.key() {
            Some(key) => details.with("keyId", key.to_string()),
            None => details,
        };
        self.store_names(resource.organization, &mut details)?;
        let actor = self.principal.actor.clone();
        let (timestamp, ip) = (self.now, self.ip);
        self.pending.record(&AuditRecord { id, timestamp, actor, ip, action, resource, details })
    }
}

impl OperationContext<'_, '_> {
    pub(super) fn get_authenticated<T: AuthenticatedRecord>(&mut self, key: &str) -> Result<Option<T>> {
        self.vault.authenticator.get(self.tx, key)
    }

    /// Reads a record that must be there, because another one says so.
    pub(super) fn require_authenticated<T: AuthenticatedRecord>(&mut self, key: &str) -> Result<T> {
        self.get_authenticated(key)?.ok_or_else(damaged)
    }

    pub(super) fn put_authenticated<T: AuthenticatedRecord>(
        &mut self,
        key: &str,
        record: &T,
        when: Precondition,
    ) -> Result<()> {
        self.vault.authenticator.put(self.tx, key, record, when)
    }

    /// Decodes a record that was found by a scan.
    pub(super) fn decode_authenticated<T: AuthenticatedRecord>(&self, record: &Record) -> Result<T> {
        self.vault.authenticator.decode(record)
    }

    /// Reads all records of a range, ascending.
    pub(super) fn scan_authenticated<T: AuthenticatedRecord>(&mut self, range: KeyRange) -> Result<Vec<T>> {
        let mut scan = Scan::new(range, Order::Ascending);
        let mut records = Vec::new();
        while let Some(record) = scan.next(self.tx)? {
            records.push(self.decode_authenticated(&record)?);
        }
        Ok(records)
    }
}

/// What is not there, and what an actor may not know of.
#[cold]
pub(super) fn no_such(what: &str) -> Error {
    Error::new(ErrorKind::NotFound, format!("there is no such {what} here, or it is outside of what you may see"))
}
