use super::super::Vault;
use super::super::keys;
use super::super::records::{OrganizationRecord, decode, get};
use super::{id_in, indexed};
use crate::Result;
use crate::core::{AuditRecord, Id, Tier};
use crate::store::{KeyRange, Order, StoreExt as _};

/// How many audit records are removed in one transaction.
const BATCH: usize = 500;

impl Vault {
    /// Removes the audit records that are older than their organization's plan keeps them, and tells how many. Of
    /// organizations that are gone, they are kept as long as the longest plan says. And it removes for good what was
    /// deleted more than 30 days ago, which is recorded as done by `sweep`.
    ///
    /// Nobody sees any of that anyway; call this every hour or so to get their room back. It works in small
    /// transactions, and may be stopped and called again at any time, also by several processes.
    ///
    /// # Errors
    /// What the store says.
    pub fn sweep(&self) -> Result<u64> {
        self.purge_due()?;
        let mut count = 0;
        let mut after = String::from("audit/");
        loop {
            // The first record of the next organization that has any.
            let range = KeyRange::prefix("audit/").after(&after);
            let Some(first) = self.store.read(|tx| Ok(tx.scan(&range, Order::Ascending, 1)?.pop()))? else {
                return Ok(count);
            };
            let organization = first.key.split('/').nth(1).unwrap_or_default();
            count += self.sweep_organization(Id::parse(organization)?)?;
            after = format!("audit/{organization}/\u{10ffff}");
        }
    }

    fn sweep_organization(&self, organization: Id) -> Result<u64> {
        let mut count = 0;
        loop {
            let removed = self.store.write(|tx| {
                let owner: Option<OrganizationRecord> = get(tx, &keys::organization(organization))?;
                let tier = owner.map_or(Tier::Team, |owner| owner.tier);
                let oldest = tier.retention().oldest_visible(self.now());
                let mut range = keys::audits(organization);
                range = range.before(&keys::audit(organization, Id::from_parts(oldest, [0; 10])));
                let records = tx.scan(&range, Order::Ascending, BATCH)?;
                for stored in &records {
                    let record: AuditRecord = decode(&stored.value)?;
                    for (index, value) in indexed(&record) {
                        tx.delete(&keys::audit_by(index.as_str(), organization, &value, id_in(&stored.key)?))?;
                    }
                    tx.delete(&stored.key)?;
                }
                Ok(records.len())
            })?;
            count += removed as u64;
            if removed < BATCH {
                return Ok(count);
            }
        }
    }
}
