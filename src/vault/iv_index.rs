//! The index of the initialization vectors of a project: which blob of which level each was used for.
//!
//! All levels of a project share a level key, so a blob of one level opens at any other one: a caller who may read the
//! sealed blobs of `prod`, and both write and decrypt `dev`, would get `prod` decrypted by storing its blob at `dev`. The
//! index covers all blobs that were ever stored, also those of purged versions and deleted levels, and all level keys,
//! because two versions of a key can be the same key.

use sha2::{Digest as _, Sha256};

use super::keys;
use super::operation::OperationContext;
use super::records::{CounterRecord, IvRecord, KeyRecord, ProjectRecord, damaged, get, put, require};
use crate::core::blob::SealedBlob;
use crate::core::id::{LevelId, ProjectId};
use crate::core::refusal::Refusal;
use crate::error::{Error, ErrorKind, Result};
use crate::store::Precondition;

/// From this many seals on a level key should be replaced: a quarter of the 2^32 random initialization vectors that NIST
/// SP 800-38D, section 8.3, allows for one key.
const ADVISED_SEALS: u64 = 1 << 30;

/// Returns whether a level key that has sealed this many blobs should be replaced by another one.
pub(super) fn is_rotation_advised(seals: u64) -> bool {
    seals >= ADVISED_SEALS
}

fn key_of(project: ProjectId, blob: &SealedBlob) -> String {
    let (iv, _, _) = blob.parts();
    keys::iv(project, &base16ct::lower::encode_string(iv))
}

fn record_of(node: LevelId, blob: &SealedBlob) -> IvRecord {
    IvRecord { node, blob: base16ct::lower::encode_string(&Sha256::digest(blob.as_bytes())) }
}

impl OperationContext<'_, '_> {
    /// Records that a level gets a blob, and returns whether that is a new one. Refuses a blob whose initialization vector
    /// was used before, unless it is the very blob that this level had.
    pub(super) fn claim_iv(&mut self, project: ProjectId, node: LevelId, blob: &SealedBlob) -> Result<bool> {
        let (key, record) = (key_of(project, blob), record_of(node, blob));
        match put(self.tx, &key, &record, Precondition::Absent) {
            Ok(()) => Ok(true),
            Err(error) if error.kind() == ErrorKind::Conflict => {
                let used: IvRecord = require(self.tx, &key)?;
                if used == record { Ok(false) } else { Err(used_before()) }
            }
            Err(error) => Err(error),
        }
    }

    /// Refuses a blob as damaged that is not in the index for its level.
    pub(super) fn check_iv(&mut self, project: ProjectId, node: LevelId, blob: &SealedBlob) -> Result<()> {
        let used: Option<IvRecord> = get(self.tx, &key_of(project, blob))?;
        if used == Some(record_of(node, blob)) { Ok(()) } else { Err(damaged()) }
    }

    /// Counts blobs for the level key in use.
    pub(super) fn count_seals(&mut self, project: &ProjectRecord, count: usize) -> Result<()> {
        if count == 0 {
            return Ok(());
        }
        let key = keys::counter(project.id);
        let mut counter: CounterRecord = get(self.tx, &key)?.unwrap_or_default();
        if counter.key_version != project.key_version {
            (counter.key_version, counter.seals) = (project.key_version, 0);
        }
        counter.seals = counter.seals.saturating_add(count as u64);
        put(self.tx, &key, &counter, Precondition::Always)
    }

    /// Returns how many blobs a level key has sealed.
    pub(super) fn seals(&mut self, project: &ProjectRecord, record: &KeyRecord) -> Result<u64> {
        if record.version != project.key_version {
            return Ok(record.seals);
        }
        let counter: CounterRecord = get(self.tx, &keys::counter(project.id))?.unwrap_or_default();
        Ok(counter.seals_of(record.version))
    }
}

impl CounterRecord {
    /// Returns how many blobs the level key in use has sealed.
    pub(super) fn seals_of(&self, key_version: u32) -> u64 {
        if self.key_version == key_version { self.seals } else { 0 }
    }
}

#[cold]
fn used_before() -> Error {
    let message = "the blob starts with an initialization vector that this project has used for another level or other content: \
                   seal the content again, with a new random one; nothing was stored";
    Error::new(ErrorKind::InvalidValue, message).with_refusal(Refusal::ReusedIv)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rotation_is_advised_well_before_the_limit() {
        for (seals, is_advised) in
            [(0, false), ((1 << 30) - 1, false), (1 << 30, true), (1 << 32, true), (u64::MAX, true)]
        {
            assert_eq!(is_rotation_advised(seals), is_advised, "{seals}");
        }
    }

    #[test]
    fn only_the_seals_of_the_key_in_use_are_counted() {
        let counter = CounterRecord { number: 9, key_version: 2, seals: 5 };
        assert_eq!((counter.seals_of(2), counter.seals_of(3)), (5, 0));
    }
}
