//! Long lists of names in the audit log. A list is stored once, and records refer to it by its hash.
//!
//! A list lives as long as a record may refer to it. Each day on which a record refers to a list has a mark for the two, which
//! the first record of the day writes with the list itself. The sweep removes the marks of days of which no record is kept, and
//! a list without a mark. So there is nothing to count and no record that all write to; and a record that is written meanwhile
//! is safe: either it finds the mark of today, which no sweep removes, or it writes both again.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use sha2::{Digest as _, Sha256};

use super::keys;
use super::operation::OperationContext;
use super::records::{MARK, PlainRecord, encode, get};
use crate::core::audit::{AuditRecord, Details};
use crate::core::clock::Timestamp;
use crate::core::id::OrganizationId;
use crate::error::Result;
use crate::store::{Order, Record, StoreExt as _};
use crate::vault::engine::Vault;

/// Longest list of names, as JSON, that is stored within a record.
const MAX_INLINE: usize = 256;
/// How many marks are removed in one transaction.
const PURGED_AT_ONCE: usize = 500;
const MILLIS_PER_DAY: i64 = 24 * 60 * 60 * 1000;

/// A list of names.
type Names = Vec<String>;

impl PlainRecord for Names {}

/// The day of a time, as text in the order of time.
fn day(time: Timestamp) -> String {
    format!("{:08}", time.as_millis().max(0) / MILLIS_PER_DAY)
}

/// What is stored of a list for a record of that day.
fn stored(organization: OrganizationId, hash: &str, day: &str, names: String) -> [Record; 3] {
    let mark = |key| Record { key, value: MARK.to_owned() };
    [
        Record { key: keys::audit_names(organization, hash), value: names },
        mark(keys::audit_names_use(organization, hash, day)),
        mark(keys::audit_names_day(organization, day, hash)),
    ]
}

impl OperationContext<'_, '_> {
    /// Stores a long list of names apart from the details of a record, which then refer to it.
    pub(super) fn store_names(&mut self, organization: OrganizationId, details: &mut Details) -> Result<()> {
        let Some(names) = details.names().map(ToString::to_string).filter(|names| names.len() > MAX_INLINE) else {
            return Ok(());
        };
        let hash = self.keep_list(organization, names)?;
        details.refer_to_names(&hash);
        Ok(())
    }

    /// Stores all names of a level in the place of some of them, if these are long: a caller can read other ones each time,
    /// and the level stays the same.
    pub(super) fn store_selection(
        &mut self,
        organization: OrganizationId,
        details: &mut Details,
        level: &[String],
    ) -> Result<()> {
        let Some(names) = details.names().filter(|names| names.to_string().len() > MAX_INLINE) else {
            return Ok(());
        };
        let names: BTreeSet<&str> = names.as_array().into_iter().flatten().filter_map(Value::as_str).collect();
        let mut selection = vec![0_u8; level.len().div_ceil(8)];
        for (at, _) in level.iter().enumerate().filter(|(_, name)| names.contains(name.as_str())) {
            selection[at / 8] |= 1 << (at % 8);
        }
        let hash = self.keep_list(organization, encode(&level.to_vec())?)?;
        details.refer_to_selection(&hash, &selection);
        Ok(())
    }

    /// Stores a list, unless a record of today refers to it already, and returns its hash.
    fn keep_list(&mut self, organization: OrganizationId, names: String) -> Result<String> {
        let hash = base16ct::lower::encode_string(&Sha256::digest(&names));
        let day = day(self.now);
        if self.tx.get(&keys::audit_names_use(organization, &hash, &day))?.is_none() {
            self.pending.add(stored(organization, &hash, &day, names));
        }
        Ok(hash)
    }

    /// Puts the lists that records refer to back into them.
    pub(super) fn fill_names(&mut self, organization: OrganizationId, records: &mut [AuditRecord]) -> Result<()> {
        let hashes = records.iter().filter_map(|record| record.details.names_reference());
        let mut lists: BTreeMap<String, Names> =
            hashes.map(|hash| (keys::audit_names(organization, hash), Names::new())).collect();
        self.tx.prefetch(&lists.keys().cloned().collect::<Vec<_>>())?;
        for (key, list) in &mut lists {
            *list = get(self.tx, key)?.unwrap_or_default();
        }
        for record in records {
            if let Some(hash) = record.details.names_reference() {
                let list = lists.get(&keys::audit_names(organization, hash));
                record.details.fill_names(list.map(Vec::as_slice).unwrap_or_default());
            }
        }
        Ok(())
    }
}

impl Vault {
    /// Removes the lists to which no record refers that is from this time or later.
    pub(super) fn sweep_names(&self, organization: OrganizationId, oldest: Timestamp) -> Result<()> {
        let range = keys::audit_names_days(organization).before(&keys::audit_names_day(organization, &day(oldest), ""));
        loop {
            let removed = self.store.write(|tx| {
                let marks = tx.scan(&range, Order::Ascending, PURGED_AT_ONCE)?;
                for mark in &marks {
                    tx.delete(&mark.key)?;
                    let mut parts = mark.key.rsplit('/');
                    let (hash, day) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
                    tx.delete(&keys::audit_names_use(organization, hash, day))?;
                    if tx.scan(&keys::audit_names_uses(organization, hash), Order::Ascending, 1)?.is_empty() {
                        tx.delete(&keys::audit_names(organization, hash))?;
                    }
                }
                Ok(marks.len())
            })?;
            if removed < PURGED_AT_ONCE {
                return Ok(());
            }
        }
    }
}
