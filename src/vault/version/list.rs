use crate::core::audit::{Action, AuditActor, Details, Resource};
use crate::core::blob::SealedBlob;
use crate::core::clock::Timestamp;
use crate::core::custody::Custody;
use crate::core::id::OrganizationId;
use crate::core::path::LevelPath;
use crate::core::permission::Permission;
use crate::core::version_action::VersionAction;
use crate::error::Result;
use crate::store::{Order, Record};
use crate::vault::key::KeyInfo;
use crate::vault::keys;
use crate::vault::operation::OperationContext;
use crate::vault::page::{Page, Paging};
use crate::vault::place::At;
use crate::vault::place::{Place, Reach};
use crate::vault::records::{KeyRecord, OrganizationRecord, VersionRecord, decode, require};
#[cfg(feature = "server")]
use crate::vault::scan::scan_window;
use crate::vault::session::Session;
use crate::vault::use_case::UseCase;
use crate::vault::version::{check_lock, is_locked, version_id};

/// What is told of a former content.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Version {
    /// Its id, unique in the organization.
    pub id: u64,
    /// The level it belongs to.
    pub path: LevelPath,
    /// What displaced it.
    pub action: VersionAction,
    /// Who holds the key it is sealed with.
    pub custody: Custody,
    /// The level key it is sealed with.
    pub key_version: u32,
    /// The length of its blob's text.
    pub bytes: u32,
    /// When it was written.
    pub written_at: Timestamp,
    /// When it was displaced.
    pub created_at: Timestamp,
    /// Who displaced it.
    pub created_by: AuditActor,
    /// Whether it is too old to be opened or restored.
    pub is_locked: bool,
}

impl Version {
    pub(super) fn new(
        record: VersionRecord,
        place: &Place,
        organization: &OrganizationRecord,
        now: Timestamp,
    ) -> Result<Self> {
        Ok(Self {
            id: version_id(&place.project, record.number),
            path: place.path()?,
            action: record.action,
            custody: record.custody,
            key_version: record.key_version,
            bytes: record.bytes,
            written_at: record.written_at,
            is_locked: is_locked(organization, record.created_at, now),
            created_at: record.created_at,
            created_by: record.created_by,
        })
    }
}

impl Session<'_> {
    /// The former contents of a level, newest first. What it holds now is not among them.
    ///
    /// # Errors
    /// `NotFound`; `InvalidValue`, for a page that begins nowhere.
    pub fn versions(&self, at: At<'_>, paging: &Paging) -> Result<Page<Version>> {
        self.read(UseCase::ListVersions, |operation| {
            let place = operation.place(at, Reach::Inside)?;
            let owner = operation.owner(&place)?;
            let (project, node) = (place.project.id, place.id());
            let mut range = keys::versions(project, node);
            if let Some(after) = paging.after_number()? {
                range = range.before(&keys::version(project, node, after));
            }
            let limit = paging.page_size();
            let mut records = operation.tx.scan(&range, Order::Descending, limit + 1)?;
            let has_more = records.len() > limit;
            records.truncate(limit);
            let versions = decoded(&records)?;
            let next = versions.last().filter(|_| has_more).map(|version| version.number.to_string());
            Ok(Page { items: operation.listed(&owner, &place, versions)?, next })
        })
    }

    /// At most `limit` of the former contents of a level behind the newest `offset` ones, newest first, and how many there
    /// are in all: for services that count pages. All of them are read for it.
    ///
    /// # Errors
    /// `NotFound`.
    #[cfg(feature = "server")]
    pub(crate) fn versions_from(&self, at: At<'_>, offset: usize, limit: usize) -> Result<(Vec<Version>, usize)> {
        self.read(UseCase::ListVersions, |operation| {
            let place = operation.place(at, Reach::Inside)?;
            let owner = operation.owner(&place)?;
            let range = keys::versions(place.project.id, place.id());
            let (versions, total) = scan_window(operation.tx, range, offset, limit)?;
            Ok((operation.listed(&owner, &place, versions)?, total))
        })
    }
}

impl OperationContext<'_, '_> {
    /// Records that these were listed, and tells what is told of them.
    fn listed(
        &mut self,
        owner: &OrganizationRecord,
        place: &Place,
        versions: Vec<VersionRecord>,
    ) -> Result<Vec<Version>> {
        let details = Details::default().with("op", "versions").with("count", versions.len());
        self.record(Action::Read, Resource::of(place)?, details)?;
        versions.into_iter().map(|record| Version::new(record, place, owner, self.now)).collect()
    }
}

fn decoded(records: &[Record]) -> Result<Vec<VersionRecord>> {
    records.iter().map(|record| decode(&record.value)).collect()
}

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
    pub fn version(&self, organization: OrganizationId, id: u64) -> Result<VersionContent> {
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
            let active = operation.active_proof(project)?;
            let key = operation.key_info(project, key, active.as_ref())?;
            Ok(VersionContent {
                version: Version::new(found.version, &found.place, &owner, operation.now)?,
                content,
                key,
            })
        })
    }
}
