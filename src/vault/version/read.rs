use super::super::key::KeyInfo;
use super::super::records::{KeyRecord, require};
use super::super::session::Session;
use super::super::{keys, use_case::UseCase};
use super::{Version, check_lock};
use crate::Result;
use crate::core::{Action, Details, Id, Permission, Resource, SealedBlob};

/// A former content.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct VersionContent {
    /// What is told of it without opening it.
    pub version: Version,
    /// What the level held.
    pub content: SealedBlob,
    /// The key that is sealed with. Only a former one comes with its proof: that of the key in use is what writing takes.
    pub key: KeyInfo,
}

impl Session<'_> {
    /// A former content, unopened. A user also needs `secret:read` there.
    ///
    /// # Errors
    /// `NotFound`; `VersionLocked`, when it is too old.
    pub fn version(&self, organization: Id, id: u64) -> Result<VersionContent> {
        self.read(UseCase::ReadVersion, |operation| {
            let owner = operation.organization(organization)?;
            let found = operation.version(organization, id)?;
            if operation.principal.user.is_some() {
                // Whoever may only know that there was a version, such as an auditor, does not see what it was.
                operation.allow(Permission::SecretRead.into())?;
            }
            check_lock(&owner, found.version.created_at, operation.now)?;
            let content = operation.blob(&found.place.project, &found.content)?;
            let details = Details::default().with("op", "version").with("version", id);
            operation.record(Action::Read, Resource::of(&found.place)?, details)?;
            let project = &found.place.project;
            let key: KeyRecord = require(operation.tx, &keys::level_key(project.id, found.version.key_version))?;
            let mut key = operation.key_info(project, key)?;
            if key.is_active {
                key.proof = None;
            }
            Ok(VersionContent {
                version: Version::new(found.version, &found.place, &owner, operation.now)?,
                content,
                key,
            })
        })
    }
}
