use crate::core::audit::{Action, Details, Resource};
use crate::core::blob::SealedBlob;
use crate::core::custody::Custody;
use crate::core::secret::SecretString;
use crate::error::{Error, ErrorKind, Result};
use crate::vault::content::check_blob;
use crate::vault::key::{check_custody, check_idle};
use crate::vault::keys;
use crate::vault::place::At;
use crate::vault::place::Reach;
use crate::vault::records::{ContentRecord, damaged, get, require};
use crate::vault::session::Session;
use crate::vault::use_case::UseCase;
use crate::vault::version::version_id;

/// What became of versions that were sealed anew.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Reencrypted {
    /// How many were.
    pub updated: u64,
    /// How many are sealed with former keys still.
    pub remaining: u64,
}

impl Session<'_> {
    /// Puts versions of a client-managed project in the place of the same ones under former keys, each by its id and
    /// sealed with the key in use, of which this takes the proof.
    ///
    /// # Errors
    /// `NotFound`; `InvalidValue`, when the vault holds the key; `RotationInProgress`; `KeyProofRequired` and
    /// `KeyProofMismatch`; `KeyVersionConflict`, for an id that is not, or no longer, that of a version under a former
    /// key; `Limit`, beyond 1 MiB of base64 text.
    pub fn reencrypt_versions(
        &self,
        at: At<'_>,
        versions: &[(u64, SealedBlob)],
        key_proof: &SecretString,
    ) -> Result<Reencrypted> {
        self.write(UseCase::ReencryptVersions, |operation| {
            let project = operation.key_project(at, Reach::Inside)?;
            check_custody(&project, Custody::Client)?;
            check_idle(&project)?;
            operation.check_proof(&project, Some(key_proof))?;
            let mut moved = Vec::new();
            for (id, blob) in versions {
                check_blob(blob)?;
                let number = u32::try_from(id & u64::from(u32::MAX)).unwrap_or_default();
                let content: Option<ContentRecord> = get(operation.tx, &keys::content(project.id, number))?;
                let content = content.filter(|content| content.key_version != project.key_version);
                match content.filter(|content| version_id(&project, content.number) == *id) {
                    Some(content) if operation.is_version(&project, &content)? => {
                        moved.push(operation.reseal_version(&project, content, blob)?);
                    }
                    _ => return Err(no_longer_pending()),
                }
            }
            operation.reindex_versions(&project, &moved)?;
            let remaining = operation.count_under_former_keys(&project)?;
            let details = Details::default().with("op", "reencrypt").with("version", project.key_version);
            let details = details.with("versions", versions.len()).with("remaining", remaining);
            operation.record(Action::Update, Resource::key(&project), details)?;
            Ok(Reencrypted { updated: versions.len() as u64, remaining })
        })
    }
}

#[cold]
fn no_longer_pending() -> Error {
    let message = "a version is not, or no longer, one under a former key: get the key and the pending versions again; nothing was stored";
    Error::new(ErrorKind::KeyVersionConflict, message)
}

/// Versions that wait to be sealed anew.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct PendingVersions {
    /// The first of them: those under the oldest key first, and of one key the oldest version first.
    pub versions: Vec<PendingVersion>,
    /// How many there are, with these.
    pub remaining: u64,
}

/// A version that is sealed with a former key.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct PendingVersion {
    /// Its id.
    pub id: u64,
    /// What the level held.
    pub content: SealedBlob,
    /// The version of the key it is sealed with.
    pub key_version: u32,
}

const DEFAULT_LIMIT: usize = 50;
const MAX_LIMIT: usize = 100;

impl Session<'_> {
    /// Returns the first versions of a client-managed project that are sealed with former keys: 1 to 100 of them, or 50 if
    /// `limit` is 0. A caller who has those keys opens each version, seals it with the key in use, and passes it to
    /// [`reencrypt_versions`](Self::reencrypt_versions). The order is that of the keys; of one key, the oldest version
    /// comes first.
    ///
    /// # Errors
    /// `NotFound`; `InvalidValue`, when the vault holds the key; `RotationInProgress`.
    pub fn pending_versions(&self, at: At<'_>, limit: usize) -> Result<PendingVersions> {
        let limit = if limit == 0 { DEFAULT_LIMIT } else { limit.min(MAX_LIMIT) };
        self.read(UseCase::ListPendingVersions, |operation| {
            let project = operation.key_project(at, Reach::Inside)?;
            check_custody(&project, Custody::Client)?;
            check_idle(&project)?;
            let remaining = operation.count_under_former_keys(&project)?;
            let mut versions = Vec::new();
            for number in operation.under_former_keys(&project, limit)? {
                let content: ContentRecord = require(operation.tx, &keys::content(project.id, number))?;
                // A row is opened for the place it names, so that must be where it was found.
                if content.number != number {
                    return Err(damaged());
                }
                versions.push(PendingVersion {
                    id: version_id(&project, number),
                    content: operation.blob(&project, &content)?,
                    key_version: content.key_version,
                });
            }
            let details = Details::default().with("op", "pending").with("count", versions.len());
            operation.record(Action::Read, Resource::key(&project), details)?;
            Ok(PendingVersions { versions, remaining })
        })
    }
}
