//! The keys that blobs are sealed with: who holds them, what proves them, how they change. And those below them, which
//! keep the rows of a vault.

mod at_rest;
mod continue_rotation;
mod custody;
mod establish;
mod read;
mod reencrypt;
mod rotate;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;

pub use self::continue_rotation::RotationStep;
pub use self::establish::NewKey;
use self::establish::PreparedKey;
pub use self::read::{KeyInfo, ProjectKey};
pub use self::reencrypt::{PendingVersion, PendingVersions, Reencrypted};
pub use self::rotate::{ClientRotation, HistoryPolicy};
use super::content::Level;
use super::envelope::client_managed;
use super::keys;
use super::operation::OperationContext;
use super::place::Reach;
use super::records::{
    ContentRecord, KeyRecord, LevelRecord, ProjectRecord, VersionRecord, damaged, decode, put, require,
};
use crate::core::audit::{Resource, ResourceKind};
use crate::core::custody::Custody;
use crate::core::id::LevelId;
use crate::core::id::ProjectId;
use crate::core::key::Pbkdf2;
use crate::error::{Error, ErrorKind, Result};
use crate::store::{Order, Precondition};
use crate::vault::place::At;
use crate::vault::records::id_in;
use crate::vault::scan::Scan;

impl KeyRecord {
    pub(super) fn pbkdf2(&self) -> Result<Option<Pbkdf2>> {
        let Some(derivation) = &self.derivation else {
            return Ok(None);
        };
        let salt = BASE64.decode(&derivation.salt).map_err(|_| damaged())?;
        Pbkdf2::new(&salt, derivation.iterations.into()).map(Some)
    }
}

impl Resource {
    /// The key of a project.
    fn key(project: &ProjectRecord) -> Self {
        Self::project(project.organization, project.id, &project.slug).kind(ResourceKind::Key)
    }
}

impl OperationContext<'_, '_> {
    /// The project whose key is meant.
    fn key_project(&mut self, at: At<'_>, reach: Reach) -> Result<ProjectRecord> {
        Ok(self.project_place(at, reach)?.project)
    }

    fn active_key(&mut self, project: &ProjectRecord) -> Result<KeyRecord> {
        let record: KeyRecord = require(self.tx, &keys::level_key(project.id, project.key_version))?;
        // A row is opened for the version it names, so that must be the one it was found at.
        if record.version == project.key_version { Ok(record) } else { Err(damaged()) }
    }

    fn put_project(&mut self, project: &mut ProjectRecord) -> Result<()> {
        project.updated_at = self.now;
        self.put_authenticated(&keys::project(project.organization, &project.slug), project, Precondition::Present)
    }

    /// Freezes the key in use and puts another one in its place.
    fn put_next_key(&mut self, project: &mut ProjectRecord, new: &PreparedKey) -> Result<KeyRecord> {
        let mut old = self.active_key(project)?;
        old.seals = self.seals(project, &old)?;
        old.rotated_at = Some(self.now);
        // Nobody is told it again; what it sealed is opened with its bytes.
        old.text = None;
        put(self.tx, &keys::level_key(project.id, old.version), &old, Precondition::Present)?;
        project.key_version = old.version + 1;
        let record = self.key_record(project, project.key_version, new)?;
        put(self.tx, &keys::level_key(project.id, record.version), &record, Precondition::Absent)?;
        Ok(record)
    }

    /// What the levels of a project hold now.
    fn levels(&mut self, project: ProjectId) -> Result<Vec<Level>> {
        let mut levels = Vec::new();
        let mut scan = Scan::new(keys::levels(project), Order::Ascending);
        while let Some(record) = scan.next(self.tx)? {
            let LevelRecord { number, accessed_at, .. } = decode(&record.value)?;
            levels.push(Level { content: self.content(project, id_in(&record.key)?, number)?, accessed_at });
        }
        Ok(levels)
    }

    /// What is told of all former contents of a project, with the id of each one's level; oldest first.
    fn all_versions(&mut self, project: ProjectId) -> Result<Vec<(LevelId, VersionRecord)>> {
        let mut versions = Vec::new();
        let mut scan = Scan::new(keys::project_versions(project), Order::Ascending);
        while let Some(record) = scan.next(self.tx)? {
            let version: VersionRecord = decode(&record.value)?;
            let node = record.key.rsplit('/').nth(1).unwrap_or_default();
            versions.push((LevelId::parse(node).map_err(|_| damaged())?, version));
        }
        versions.sort_unstable_by_key(|(_, version)| version.number);
        Ok(versions)
    }

    /// Whether a content is a former one.
    fn is_version(&mut self, project: &ProjectRecord, content: &ContentRecord) -> Result<bool> {
        Ok(self.tx.get(&keys::version(project.id, content.node, content.number))?.is_some())
    }
}

fn check_custody(project: &ProjectRecord, custody: Custody) -> Result<()> {
    match (project.custody, custody) {
        (Custody::Client, Custody::Server) => Err(client_managed()),
        (Custody::Server, Custody::Client) => {
            let message = "the vault holds this project's key: nobody else needs to do this, or could prove to have it";
            Err(Error::new(ErrorKind::InvalidValue, message))
        }
        _ => Ok(()),
    }
}

fn check_idle(project: &ProjectRecord) -> Result<()> {
    if project.rotation.is_none() {
        return Ok(());
    }
    let message = "a rotation of this project has not reached everything yet: continue it to its end, then try again";
    Err(Error::new(ErrorKind::RotationInProgress, message))
}
