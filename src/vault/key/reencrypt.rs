use super::super::content::check_blob;
use super::super::operation::OperationContext;
use super::super::place::Reach;
use super::super::records::{ContentRecord, ProjectRecord, get};
use super::super::session::Session;
use super::super::use_case::UseCase;
use super::super::version::version_id;
use super::super::{Custody, keys};
use super::{check_custody, check_idle};
use crate::core::{Action, Details, Id, Resource, SealedBlob, SecretString, Slug};
use crate::{Error, ErrorKind, Result};

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
        organization: Id,
        project: &Slug,
        versions: &[(u64, SealedBlob)],
        key_proof: &SecretString,
    ) -> Result<Reencrypted> {
        self.write(UseCase::ReencryptVersions, |operation| {
            let project = operation.key_project(organization, project, Reach::Inside)?;
            check_custody(&project, Custody::Client)?;
            check_idle(&project)?;
            operation.check_proof(&project, Some(key_proof))?;
            for (id, blob) in versions {
                check_blob(blob)?;
                let number = u32::try_from(id & u64::from(u32::MAX)).unwrap_or_default();
                let content: Option<ContentRecord> = get(operation.tx, &keys::content(project.id, number))?;
                let content = content.filter(|content| content.key_version != project.key_version);
                match content.filter(|content| version_id(&project, content.number) == *id) {
                    Some(content) if operation.is_version(&project, &content)? => {
                        operation.reseal_version(&project, content, blob)?;
                    }
                    _ => return Err(no_longer_pending()),
                }
            }
            let (remaining, _) = operation.versions_of_former_keys(&project, 0, 0)?;
            let details = Details::default().with("op", "reencrypt").with("version", project.key_version);
            let details = details.with("versions", versions.len()).with("remaining", remaining);
            operation.record(Action::Update, Resource::key(&project), details)?;
            Ok(Reencrypted { updated: versions.len() as u64, remaining: remaining as u64 })
        })
    }
}

impl OperationContext<'_, '_> {
    /// Whether a content is a former one.
    fn is_version(&mut self, project: &ProjectRecord, content: &ContentRecord) -> Result<bool> {
        Ok(self.tx.get(&keys::version(project.id, content.node, content.number))?.is_some())
    }
}

#[cold]
fn no_longer_pending() -> Error {
    let message = "a version is not, or no longer, one under a former key: get the key and the pending versions again; nothing was stored";
    Error::new(ErrorKind::KeyVersionConflict, message)
}
