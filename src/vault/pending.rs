//! What an operation leaves to be written beside its result: audit records, and when things were last used.

use std::time::Duration;

use super::audit_index;
use super::authenticated_record::RecordAuthenticator;
use super::key_cache::Unwrapped;
use super::keys;
use super::principal::Principal;
use super::records::{AccessRecord, LevelRecord, TokenRecord, get, put};
use crate::core::audit::AuditRecord;
use crate::core::clock::Timestamp;
use crate::core::id::LevelId;
use crate::core::id::ProjectId;
use crate::core::token::TokenHash;
use crate::error::Result;
use crate::store::{Precondition, Record, Transaction};

/// A token's last use is written at most this often.
const TOUCH_EVERY: Duration = Duration::from_secs(60);

/// Writes that an operation leaves behind. A read has them written in a transaction of their own.
pub(super) struct Pending {
    now: Timestamp,
    /// Audit records, with the marks by which they are found.
    audit: Vec<Record>,
    /// The token whose last use is to be written.
    used: Option<TokenHash>,
    accessed: Vec<Accessed>,
    /// Keys that may be cached once the transaction has committed.
    pub(super) unwrapped: Vec<Unwrapped>,
}

impl Pending {
    /// The writes of an operation that has not done anything yet.
    pub(super) fn new(principal: &Principal, now: Timestamp) -> Self {
        let used = principal.token.as_ref().filter(|(_, token)| !is_recent(token.last_used_at, now, TOUCH_EVERY));
        let used = used.map(|(hash, _)| hash.clone());
        Self { now, audit: Vec::new(), used, accessed: Vec::new(), unwrapped: Vec::new() }
    }

    /// Adds a record of the audit log.
    pub(super) fn record(&mut self, record: &AuditRecord) -> Result<()> {
        audit_index::add_to(&mut self.audit, record)
    }

    /// Adds what is stored beside a record of the audit log.
    pub(super) fn add(&mut self, records: impl IntoIterator<Item = Record>) {
        self.audit.extend(records);
    }

    /// Adds the time at which values were served.
    pub(super) fn accessed(&mut self, accessed: Accessed) {
        self.accessed.push(accessed);
    }

    /// The audit records, if there is nothing else to write.
    pub(super) fn into_append_only(self) -> Result<Vec<Record>, Self> {
        if self.used.is_none() && self.accessed.is_empty() { Ok(self.audit) } else { Err(self) }
    }

    pub(super) fn write(&self, authenticator: &RecordAuthenticator, tx: &mut dyn Transaction) -> Result<()> {
        for record in &self.audit {
            tx.put(&record.key, &record.value, Precondition::Always)?;
        }
        if let Some(hash) = &self.used {
            let key = keys::token(&hash.to_string());
            // Read again: it may have been revoked or rotated since.
            if let Some(mut token) = authenticator.get::<TokenRecord>(tx, &key)? {
                token.last_used_at = Some(self.now);
                authenticator.put(tx, &key, &token, Precondition::Present)?;
            }
        }
        self.accessed.iter().try_for_each(|accessed| accessed.write(tx, self.now))
    }
}

/// Values that were served, which is written down beside what a use case does.
pub(super) enum Accessed {
    /// All of the level at that key.
    Level(String),
    /// Some of the level of a project and an id, whose times are in the record.
    Names(ProjectId, LevelId, AccessRecord),
}

impl Accessed {
    fn write(&self, tx: &mut dyn Transaction, now: Timestamp) -> Result<()> {
        match self {
            Self::Level(key) => {
                // Read again: it may have been written or deleted since.
                if let Some(mut level) = get::<LevelRecord>(tx, key)? {
                    level.accessed_at = Some(now);
                    put(tx, key, &level, Precondition::Present)?;
                }
                Ok(())
            }
            Self::Names(project, node, record) => {
                // The project DEK may have been rotated since, or the level deleted; then the times are let go.
                let key = |version| keys::project_dek(*project, version);
                let is_in_use =
                    tx.get(&key(record.dek_version))?.is_some() && tx.get(&key(record.dek_version + 1))?.is_none();
                if is_in_use && tx.get(&keys::level(*project, *node))?.is_some() {
                    put(tx, &keys::access(*project, *node), record, Precondition::Always)?;
                }
                Ok(())
            }
        }
    }
}

/// Whether something was noted less than `every` ago. What a clock noted that has gone back since does not count.
pub(super) fn is_recent(noted: Option<Timestamp>, now: Timestamp, every: Duration) -> bool {
    noted.is_some_and(|last| last <= now && now.since(last) < every)
}
