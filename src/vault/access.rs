//! When values were last served.

use std::collections::BTreeMap;
use std::time::Duration;

use super::content::Level;
use super::envelope::Row;
use super::keys;
use super::operation::OperationContext;
use super::pending::Accessed;
use super::pending::is_recent;
use super::records::AccessRecord;
use super::records::{PlainRecord, ProjectRecord, damaged, decode, encode, get};
use crate::core::clock::Timestamp;
use crate::core::id::LevelId;
use crate::core::name::VarName;
use crate::error::Result;

/// The last access of an entry is written at most this often.
const ACCESS_EVERY: Duration = Duration::from_secs(60);

/// When entries were last read one by one.
pub(super) type AccessTimes = BTreeMap<VarName, Timestamp>;

impl PlainRecord for AccessTimes {}

impl OperationContext<'_, '_> {
    /// Notes that all values of a level were served.
    pub(super) fn accessed_all(&mut self, project: &ProjectRecord, level: &Level) {
        if !is_recent(level.accessed_at, self.now, ACCESS_EVERY) {
            self.pending.accessed(Accessed::Level(keys::level(project.id, level.content.node)));
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
        self.pending.accessed(Accessed::Names(project.id, node, record));
        Ok(())
    }

    pub(super) fn access_times(&mut self, project: &ProjectRecord, node: LevelId) -> Result<AccessTimes> {
        let Some(record) = get::<AccessRecord>(self.tx, &keys::access(project.id, node))? else {
            return Ok(AccessTimes::default());
        };
        let bytes = self.open_row(project, Row::Access(node), record.dek_version, &record.times)?;
        decode(std::str::from_utf8(bytes.expose_secret()).map_err(|_| damaged())?)
    }
}
