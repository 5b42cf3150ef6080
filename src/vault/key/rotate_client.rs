use std::collections::BTreeMap;

use super::super::Custody;
use super::super::content::{VersionAction, check_blob};
use super::super::deleted::deleted_nodes;
use super::super::place::Reach;
use super::super::session::Session;
use super::super::use_case::UseCase;
use super::{HistoryPolicy, NewKey, ProjectKey, check_custody, check_idle};
use crate::core::{Action, Details, Id, Resource, SealedBlob, SecretString, Slug};
use crate::{Error, ErrorKind, Result};

/// Another key of a client-managed project, with all that is sealed with it.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ClientRotation {
    /// The key: a [`NewKey::Client`].
    pub key: NewKey,
    /// What each level that holds something holds, by the level's id, sealed with that key. What was deleted stays under
    /// the former key, as its blob tells when it is restored.
    pub blobs: Vec<(Id, SealedBlob)>,
    /// The proof of the key in use. It is not asked for; a wrong one is refused.
    pub current_key_proof: Option<SecretString>,
    /// What is to become of versions.
    pub policy: HistoryPolicy,
}

impl ClientRotation {
    /// A rotation to that key without a proof of the one in use, which leaves versions as they are.
    pub fn new(key: NewKey, blobs: Vec<(Id, SealedBlob)>) -> Self {
        Self { key, blobs, current_key_proof: None, policy: HistoryPolicy::Keep }
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
    pub fn rotate_client_key(&self, organization: Id, project: &Slug, rotation: &ClientRotation) -> Result<ProjectKey> {
        self.write(UseCase::RotateClientKey, |operation| {
            let mut project = operation.key_project(organization, project, Reach::Inside)?;
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
            let blobs: BTreeMap<Id, &SealedBlob> = rotation.blobs.iter().map(|(id, blob)| (*id, blob)).collect();
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
            let details = details.with("policy", rotation.policy.as_str()).with("levels", count);
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
