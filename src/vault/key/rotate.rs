use std::collections::BTreeMap;

use crate::core::id::LevelId;
use crate::vault::place::At;
use crate::vault::setters::setters;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::establish::NewKey;
use super::read::ProjectKey;
use crate::core::audit::{Action, Details, Resource};
use crate::core::blob::SealedBlob;
use crate::core::custody::Custody;
use crate::core::document::Document;
use crate::core::secret::SecretString;
use crate::core::version_action::VersionAction;
use crate::error::{Error, ErrorKind, Result};
use crate::vault::content::{Level, check_blob};
use crate::vault::deleted::deleted_nodes;
use crate::vault::key::{check_custody, check_idle};
use crate::vault::operation::OperationContext;
use crate::vault::place::Reach;
use crate::vault::records::{ProjectRecord, RotationRecord, damaged};
use crate::vault::session::Session;
use crate::vault::use_case::UseCase;

/// What becomes of versions when the key is rotated.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(clippy::exhaustive_enums, reason = "they stay, or they do not")]
pub enum HistoryPolicy {
    /// They stay sealed with the key they are sealed with.
    #[default]
    Keep,
    /// They are sealed anew with the key in use: by [`continue_rotation`](Session::continue_rotation) in server
    /// custody; otherwise by whoever has both keys, with [`reencrypt_versions`](Session::reencrypt_versions).
    #[serde(rename = "re_encrypt")]
    Reencrypt,
}

impl Session<'_> {
    /// Makes a new key that the vault holds, of the same scheme as the one in use, and seals with it what all levels
    /// hold now. What a level holds that does not open, because somebody sealed it with another key, stays as it is.
    ///
    /// # Errors
    /// `NotFound`; `ClientManaged`; `RotationInProgress`.
    pub fn rotate_key(&self, at: At<'_>, policy: HistoryPolicy) -> Result<ProjectKey> {
        self.rotate(at, None, policy)
    }

    /// The same to a key string, which is drawn, whatever the scheme of the key in use is: dotenv.cloud's clients
    /// understand no other.
    ///
    /// # Errors
    /// As [`rotate_key`](Self::rotate_key).
    pub fn rotate_to_key_string(&self, at: At<'_>, policy: HistoryPolicy) -> Result<ProjectKey> {
        self.rotate(at, Some(NewKey::String(None)), policy)
    }

    fn rotate(&self, at: At<'_>, new: Option<NewKey>, policy: HistoryPolicy) -> Result<ProjectKey> {
        let is_derived = self.read(UseCase::RotateKey, |operation| {
            let project = operation.key_project(at, Reach::Inside)?;
            check_custody(&project, Custody::Server)?;
            check_idle(&project)?;
            Ok(operation.active_key(&project)?.derivation.is_some())
        })?;
        let new = new.unwrap_or(if is_derived { NewKey::String(None) } else { NewKey::Random });
        // Between two transactions, because it can take long.
        let new = new.prepare(&self.vault.keys, &*self.vault.random)?;
        self.write(UseCase::RotateKey, |operation| {
            let mut project = operation.key_project(at, Reach::Inside)?;
            check_custody(&project, Custody::Server)?;
            check_idle(&project)?;
            let record = operation.put_next_key(&mut project, &new)?;
            let (mut count, mut skipped) = (0, 0);
            for level in operation.levels(project.id)? {
                *if operation.reseal_level(&project, level)? { &mut count } else { &mut skipped } += 1;
            }
            if policy == HistoryPolicy::Reencrypt {
                project.rotation = Some(RotationRecord::History { after: 0, skipped: 0 });
            }
            operation.put_project(&mut project)?;
            let details = Details::default().with("op", "rotate").with("version", record.version);
            let details = details.with("policy", json!(policy)).with("levels", count).with("skipped", skipped);
            operation.record(Action::Update, Resource::key(&project), details)?;
            operation.project_key(&project, record)
        })
    }
}

impl OperationContext<'_, '_> {
    /// Seals what a level holds with the key in use; `false`, if it does not open.
    fn reseal_level(&mut self, project: &ProjectRecord, level: Level) -> Result<bool> {
        let content = &level.content;
        let node = content.node;
        let text = match self.text(project, content) {
            Ok(Some(text)) => text,
            Ok(None) => return Ok(false),
            // It was deleted when the project's people changed their key, and restored since.
            Err(error) if error.kind() == ErrorKind::ClientManaged => return Ok(false),
            Err(error) => return Err(error),
        };
        let mut known = None;
        if content.entries.is_some() {
            let document = Document::parse(std::str::from_utf8(text.expose_secret()).map_err(|_| damaged())?)?;
            known = Some((document, self.entries(project, content)?));
        }
        let key = self.level_key(project, project.key_version)?;
        let blob = self.vault.cipher.seal(&key, text.expose_secret(), &*self.vault.random)?;
        let number = self.next_number(project)?;
        let (document, entries) = known.unzip();
        let known = document.as_ref().zip(entries);
        let keep = project.versioning;
        self.write_content(project, node, Some(level), number, &blob, known, VersionAction::Rotate, keep)?;
        Ok(true)
    }
}

/// A new key of a client-managed project, with everything sealed under it.
#[derive(Clone, Debug)]
pub struct ClientRotation {
    pub(crate) key: NewKey,
    pub(crate) blobs: Vec<(LevelId, SealedBlob)>,
    pub(crate) current_key_proof: Option<SecretString>,
    pub(crate) policy: HistoryPolicy,
}

impl ClientRotation {
    /// Creates a rotation to that key, a [`NewKey::Client`]. It keeps versions as they are.
    ///
    /// `blobs` has the new content of each level that holds something, by the id of the level, sealed with the new key.
    /// Deleted levels stay under the former key.
    pub fn new(key: NewKey, blobs: Vec<(LevelId, SealedBlob)>) -> Self {
        Self { key, blobs, current_key_proof: None, policy: HistoryPolicy::Keep }
    }

    setters! {
        /// Sets the proof of the key in use. It may be omitted; a wrong one is refused.
        current_key_proof: Option<impl Into<SecretString>>;
        /// Sets what happens to versions.
        policy: HistoryPolicy;
    }
}

impl Session<'_> {
    /// Puts another key in the place of one that the project's people hold, and all blobs that they sealed with it.
    /// The blobs before stay as versions in any case, also where the project keeps none otherwise.
    ///
    /// # Errors
    /// `NotFound`; `RotationInProgress`; `KeyProofMismatch`; `InvalidValue`, when the vault holds the key or is to hold
    /// the new one, or when the blobs are not one for each level that holds something; `Limit`, beyond 1 MiB of base64
    /// text.
    pub fn rotate_client_key(&self, at: At<'_>, rotation: &ClientRotation) -> Result<ProjectKey> {
        self.write(UseCase::RotateClientKey, |operation| {
            let mut project = operation.key_project(at, Reach::Inside)?;
            check_custody(&project, Custody::Client)?;
            check_idle(&project)?;
            if rotation.current_key_proof.is_some() {
                operation.check_proof(&project, rotation.current_key_proof.as_ref())?;
            }
            if !matches!(rotation.key, NewKey::Client { .. }) {
                let message =
                    "the project's people hold its key, and prove the next one: to let the vault hold it, hand it over";
                return Err(Error::new(ErrorKind::InvalidValue, message));
            }
            let new = rotation.key.clone().prepare(&operation.vault.keys, &*operation.vault.random)?;
            // Nobody can read what deleted levels hold, to seal it anew: it stays under the former key.
            let deleted = deleted_nodes(operation.tx, project.id)?;
            let mut levels = operation.levels(project.id)?;
            levels.retain(|level| !deleted.contains(&level.content.node));
            let blobs: BTreeMap<LevelId, &SealedBlob> = rotation.blobs.iter().map(|(id, blob)| (*id, blob)).collect();
            if rotation.blobs.len() != levels.len()
                || !levels.iter().all(|level| blobs.contains_key(&level.content.node))
            {
                return Err(incomplete());
            }
            let record = operation.put_next_key(&mut project, &new)?;
            let count = levels.len();
            for level in levels {
                let node = level.content.node;
                let blob = blobs.get(&node).copied().ok_or_else(incomplete)?;
                check_blob(blob)?;
                let number = operation.next_number(&project)?;
                operation.write_content(
                    &project,
                    node,
                    Some(level),
                    number,
                    blob,
                    None,
                    VersionAction::Rotate,
                    true,
                )?;
            }
            operation.put_project(&mut project)?;
            let details = Details::default().with("op", "rotate").with("version", record.version);
            let details = details.with("policy", json!(rotation.policy)).with("levels", count);
            operation.record(Action::Update, Resource::key(&project), details)?;
            operation.project_key(&project, record)
        })
    }
}

#[cold]
fn incomplete() -> Error {
    let message = "the blobs are not one for each level that holds something: read all levels again, and seal each once; nothing was stored";
    Error::new(ErrorKind::InvalidValue, message)
}
