use ctutils::CtEq as _;

use crate::core::audit::{Action, Details, Resource};
use crate::core::clock::Timestamp;
use crate::core::custody::Custody;
use crate::core::key::Pbkdf2;
use crate::core::secret::{SecretBytes, SecretString};
use crate::error::Result;
use crate::store::Order;
use crate::vault::envelope::Row;
use crate::vault::iv_index::is_rotation_advised;
use crate::vault::keys;
use crate::vault::operation::OperationContext;
use crate::vault::place::At;
use crate::vault::place::Reach;
use crate::vault::records::{KeyRecord, ProjectRecord, damaged, decode};
use crate::vault::scan::Scan;
use crate::vault::session::Session;
use crate::vault::use_case::UseCase;

/// The key that the blobs of a project are sealed with.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ProjectKey {
    /// Who holds it.
    pub custody: Custody,
    /// Its version, from 1.
    pub version: u32,
    /// How its text becomes the key; none, if the text is that of a [`LevelKey`](crate::LevelKey).
    pub derivation: Option<Pbkdf2>,
    /// A reminder of where the key is, in client custody.
    pub hint: Option<String>,
    /// When it was made.
    pub created_at: Timestamp,
    /// In server custody, its text.
    pub text: Option<SecretString>,
    /// How many blobs it has sealed, as far as they were stored in the vault.
    pub seals: u64,
}

impl ProjectKey {
    /// Returns whether the key has sealed so many blobs that it should be rotated.
    ///
    /// AES-GCM with random initialization vectors is safe for 2^32 blobs under one key (NIST SP 800-38D, section 8.3). The
    /// advice comes at 2^30.
    #[must_use]
    pub fn is_rotation_advised(&self) -> bool {
        is_rotation_advised(self.seals)
    }
}

impl Session<'_> {
    /// The key in use; in server custody with its text, for whoever opens blobs on their own. A token of an environment
    /// may have the key of its project, without which it could read blobs but not use them.
    ///
    /// # Errors
    /// `NotFound`.
    pub fn key(&self, at: At<'_>) -> Result<ProjectKey> {
        self.read(UseCase::ReadKey, |operation| {
            let project = operation.key_project(at, Reach::OnTheWay)?;
            let record = operation.active_key(&project)?;
            let details = Details::default().with("op", "key").with("version", record.version);
            operation.record(Action::Read, Resource::key(&project), details)?;
            operation.project_key(&project, record)
        })
    }
}

impl OperationContext<'_, '_> {
    pub(super) fn project_key(&mut self, project: &ProjectRecord, record: KeyRecord) -> Result<ProjectKey> {
        Ok(ProjectKey {
            custody: record.custody,
            version: record.version,
            derivation: record.pbkdf2()?,
            text: self.key_text(project, &record)?,
            seals: self.seals(project, &record)?,
            hint: record.hint,
            created_at: record.created_at,
        })
    }

    pub(super) fn key_text(&mut self, project: &ProjectRecord, record: &KeyRecord) -> Result<Option<SecretString>> {
        let Some(text) = &record.text else {
            return Ok(None);
        };
        let text = self.open_row(project, Row::KeyText(record.version), record.dek_version, text)?;
        let text = std::str::from_utf8(text.expose_secret()).map_err(|_| damaged())?;
        Ok(Some(text.into()))
    }
}

/// What is told of a key, in use or frozen, without the key itself.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct KeyInfo {
    /// Who holds it, or held it when it was frozen.
    pub custody: Custody,
    /// Its version, from 1.
    pub version: u32,
    /// Whether it is the one in use.
    pub is_active: bool,
    /// How its text becomes the key; none, if the text is that of a [`LevelKey`](crate::LevelKey).
    pub derivation: Option<Pbkdf2>,
    /// In client custody, the proof of a former key: with it, people find the right one among old keys of theirs. The proof
    /// of the key in use lets one write, so it is not told, nor that of a former key that has the same one.
    pub proof: Option<SecretString>,
    /// A reminder of where the key is.
    pub hint: Option<String>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When another one took its place.
    pub rotated_at: Option<Timestamp>,
    /// How many blobs it has sealed, as far as they were stored in the vault.
    pub seals: u64,
}

impl KeyInfo {
    /// Returns whether this is the key in use, and has sealed so many blobs that it should be rotated; see
    /// [`ProjectKey::is_rotation_advised`].
    #[must_use]
    pub fn is_rotation_advised(&self) -> bool {
        self.is_active && is_rotation_advised(self.seals)
    }
}

impl Session<'_> {
    /// The keys of a project: the one in use, then former ones, newest first. None of them comes with its text.
    ///
    /// # Errors
    /// `NotFound`.
    pub fn keys(&self, at: At<'_>) -> Result<Vec<KeyInfo>> {
        self.read(UseCase::ListKeys, |operation| {
            let project = operation.key_project(at, Reach::OnTheWay)?;
            let active = operation.active_proof(&project)?;
            let mut infos = Vec::new();
            let mut scan = Scan::new(keys::level_keys(project.id), Order::Descending);
            while let Some(stored) = scan.next(operation.tx)? {
                infos.push(operation.key_info(&project, decode(&stored.value)?, active.as_ref())?);
            }
            let details = Details::default().with("op", "keys").with("count", infos.len());
            operation.record(Action::Read, Resource::key(&project), details)?;
            Ok(infos)
        })
    }
}

impl OperationContext<'_, '_> {
    /// Returns the proof of the key in use.
    pub(in crate::vault) fn active_proof(&mut self, project: &ProjectRecord) -> Result<Option<SecretBytes>> {
        let record = self.active_key(project)?;
        self.proof(project, &record)
    }

    fn proof(&mut self, project: &ProjectRecord, record: &KeyRecord) -> Result<Option<SecretBytes>> {
        let check = record.check.as_ref();
        check.map(|check| self.open_row(project, Row::KeyProof(record.version), record.dek_version, check)).transpose()
    }

    /// What is told of a key. `active` is the proof of the key in use.
    pub(in crate::vault) fn key_info(
        &mut self,
        project: &ProjectRecord,
        record: KeyRecord,
        active: Option<&SecretBytes>,
    ) -> Result<KeyInfo> {
        let mut proof = None;
        if record.custody == Custody::Client
            && let Some(text) = self.proof(project, &record)?
            && active.is_none_or(|active| !active.expose_secret().ct_eq(text.expose_secret()).to_bool())
        {
            proof = Some(std::str::from_utf8(text.expose_secret()).map_err(|_| damaged())?.into());
        }
        Ok(KeyInfo {
            custody: record.custody,
            version: record.version,
            is_active: record.version == project.key_version,
            derivation: record.pbkdf2()?,
            seals: self.seals(project, &record)?,
            proof,
            hint: record.hint,
            created_at: record.created_at,
            rotated_at: record.rotated_at,
        })
    }
}
