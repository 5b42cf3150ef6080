//! When values were last served.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::content::Level;
use super::key_cache::Row;
use super::keys;
use super::operation::{OperationContext, is_recent};
use super::records::{LevelRecord, ProjectRecord, Wrapped, damaged, decode, encode, get, put};
use crate::core::{Id, Timestamp, VarName};
use crate::error::Result;
use crate::store::{Precondition, Transaction};

/// The last access of an entry is written at most this often.
const ACCESS_EVERY: Duration = Duration::from_secs(60);

/// Values that were served, which is written down beside what a use case does.
pub(super) enum Accessed {
    /// All of the level at that key.
    Level(String),
    /// Some of the level of a project and an id, whose times are in the record.
    Names(Id, Id, AccessRecord),
}

impl Accessed {
    pub(super) fn write(&self, tx: &mut dyn Transaction, now: Timestamp) -> Result<()> {
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

/// When entries were last read one by one.
pub(super) type AccessTimes = BTreeMap<VarName, Timestamp>;

#[derive(Serialize, Deserialize)]
pub(super) struct AccessRecord {
    pub(super) dek_version: u32,
    pub(super) times: Wrapped,
}

impl OperationContext<'_, '_> {
    /// Notes that all values of a level were served.
    pub(super) fn accessed_all(&mut self, project: &ProjectRecord, level: &Level) {
        if !is_recent(level.accessed_at, self.now, ACCESS_EVERY) {
            self.touch(Accessed::Level(keys::level(project.id, level.content.node)));
        }
    }

    /// Notes that the values of these names were served.
    pub(super) fn accessed(&mut self, project: &ProjectRecord, level: &Level, names: &[VarName]) -> Result<()> {
        let node = level.content.node;
        let mut times = self.access_times(project, node)?;
        let is_recent = |at: Option<Timestamp>| is_recent(at, self.now, ACCESS_EVERY);
        if is_recent(level.accessed_at) || names.iter().all(|name| is_recent(times.get(name).copied())) {
            return Ok(());
        }
        times.extend(names.iter().map(|name| (name.clone(), self.now)));
        let times = self.seal_row(project, Row::Access(node), encode(&times)?.as_bytes())?;
        let record = AccessRecord { dek_version: project.dek_version, times };
        self.touch(Accessed::Names(project.id, node, record));
        Ok(())
    }

    pub(super) fn access_times(&mut self, project: &ProjectRecord, node: Id) -> Result<AccessTimes> {
        let Some(record) = get::<AccessRecord>(self.tx, &keys::access(project.id, node))? else {
            return Ok(AccessTimes::default());
        };
        let bytes = self.open_row(project, Row::Access(node), record.dek_version, &record.times)?;
        decode(std::str::from_utf8(bytes.expose_secret()).map_err(|_| damaged())?)
    }
}
