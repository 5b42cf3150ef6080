use super::super::Custody;
use super::super::place::Reach;
use super::super::session::Session;
use super::super::use_case::UseCase;
use super::super::version::version_id;
use super::{check_custody, check_idle};
use crate::Result;
use crate::core::{Action, Details, Id, Resource, SealedBlob, Slug};

/// Versions that wait to be sealed anew.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct PendingVersions {
    /// The oldest of them.
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
    /// Versions of a client-managed project that are sealed with former keys, oldest first: 1 to 100 of them, or 50 when
    /// `limit` is 0. Whoever has those keys opens each, seals it with the key in use, and hands it to
    /// [`reencrypt_versions`](Self::reencrypt_versions).
    ///
    /// # Errors
    /// `NotFound`; `InvalidValue`, when the vault holds the key; `RotationInProgress`.
    pub fn pending_versions(&self, organization: Id, project: &Slug, limit: usize) -> Result<PendingVersions> {
        let limit = if limit == 0 { DEFAULT_LIMIT } else { limit.min(MAX_LIMIT) };
        self.read(UseCase::ListPendingVersions, |operation| {
            let project = operation.key_project(organization, project, Reach::Inside)?;
            check_custody(&project, Custody::Client)?;
            check_idle(&project)?;
            let (remaining, former) = operation.versions_of_former_keys(&project, 0, limit)?;
            let mut versions = Vec::new();
            for (node, version) in former {
                let content = operation.content(project.id, node, version.number)?;
                versions.push(PendingVersion {
                    id: version_id(&project, version.number),
                    content: operation.blob(&project, &content)?,
                    key_version: version.key_version,
                });
            }
            let details = Details::default().with("op", "pending").with("count", versions.len());
            operation.record(Action::Read, Resource::key(&project), details)?;
            Ok(PendingVersions { versions, remaining: remaining as u64 })
        })
    }
}
