use super::deleted::all_projects;
use super::keys;
use super::operation::OperationContext;
use super::records::{ContentRecord, OrganizationRecord, ProjectRecord, decode, id_in, last_two_ids, number_in};
use super::sealed_records::{Owner, SEALED_RECORDS, SealedRecordKind, SealedRecords};
use super::session::Actor;
use super::use_case::UseCase;
use super::version::version_id;
use crate::core::custody::Custody;
use crate::core::id::{IntegrationId, LevelId, OrganizationId, WebhookId};
use crate::core::path::LevelPath;
use crate::error::{Error, ErrorKind, Result};
use crate::store::{KeyRange, Order, Record, StoreExt as _};
use crate::vault::engine::Vault;

/// How many records are opened in one transaction.
const PAGE: usize = 100;

/// What [`Vault::check`] found.
#[derive(Debug, Default)]
#[non_exhaustive]
pub struct IntegrityReport {
    /// How many sealed records were opened, of all kinds.
    pub records: u64,
    /// How many of them are contents, present and former ones.
    pub contents: u64,
    /// How many of them are signing secrets of webhooks.
    pub signing_secrets: u64,
    /// How many of them are credentials of integrations.
    pub credentials: u64,
    /// Those of all these that do not open.
    pub damaged: Vec<DamagedRecord>,
}

/// A sealed record that does not open.
#[derive(Debug)]
#[non_exhaustive]
pub struct DamagedRecord {
    /// What kind of record it is.
    pub kind: SealedRecordKind,
    /// The key under which it lies in the store.
    pub key: String,
    /// The organization; `None`, for a record of the vault itself.
    pub organization: Option<OrganizationId>,
    /// The level, or the project of what belongs to no level, if that can still be told.
    pub path: Option<LevelPath>,
    /// The id of the version that it is or would become; 0 for anything but a content.
    pub id: u64,
    /// The webhook whose signing secret it is.
    pub webhook: Option<WebhookId>,
    /// The integration whose credentials they are, or what it has written.
    pub integration: Option<IntegrationId>,
    /// Why.
    pub error: Error,
}

/// Whose records are being checked.
#[derive(Clone, Copy)]
enum Subject<'p> {
    Vault,
    Organization(OrganizationId),
    Project(&'p ProjectRecord),
}

impl Subject<'_> {
    fn owner(self) -> Owner {
        match self {
            Self::Vault => Owner::Vault,
            Self::Organization(id) => Owner::Organization(id),
            Self::Project(project) => Owner::Project(project.organization, project.id),
        }
    }

    fn organization(self) -> Option<OrganizationId> {
        match self {
            Self::Vault => None,
            Self::Organization(id) => Some(id),
            Self::Project(project) => Some(project.organization),
        }
    }
}

impl Vault {
    /// Opens every sealed record there is, also of what was deleted and can be restored: keys, contents, present and former,
    /// signing secrets, and what belongs to integrations; of contents also the blob, as far as the vault holds its key. A
    /// content whose initialization vector is missing in the index that refuses replayed blobs counts as damaged.
    /// Looking for damage of the store below is [`Store::check`](crate::store::Store::check).
    ///
    /// # Errors
    /// What the store says, and `Corrupt` for a damaged record of an organization or a project.
    pub fn check(&self) -> Result<IntegrityReport> {
        let mut report = IntegrityReport::default();
        self.check_subject(Subject::Vault, &mut report)?;
        // A vault has few organizations.
        for organization in self.store.read(|tx| tx.scan(&keys::organizations(), Order::Ascending, usize::MAX))? {
            let organization: OrganizationRecord = decode(&organization.value)?;
            self.check_subject(Subject::Organization(organization.id), &mut report)?;
            for project in self.store.read(|tx| all_projects(tx, organization.id))? {
                self.check_subject(Subject::Project(&project), &mut report)?;
            }
        }
        Ok(report)
    }

    fn check_subject(&self, subject: Subject<'_>, report: &mut IntegrityReport) -> Result<()> {
        for records in &SEALED_RECORDS {
            let Some(range) = records.range(subject.owner()) else {
                continue;
            };
            let count = self.check_range(records, subject, range, &mut report.damaged)?;
            report.records += count;
            match records.kind {
                SealedRecordKind::Content => report.contents += count,
                SealedRecordKind::SigningSecret => report.signing_secrets += count,
                SealedRecordKind::Credentials => report.credentials += count,
                _ => {}
            }
        }
        Ok(())
    }

    /// Opens each record of a range, and returns how many there are.
    fn check_range(
        &self,
        records: &SealedRecords,
        subject: Subject<'_>,
        mut range: KeyRange,
        damaged: &mut Vec<DamagedRecord>,
    ) -> Result<u64> {
        let session = self.session(Actor::system("check"));
        let mut count = 0;
        loop {
            // The use case that takes no right and leaves no record: who has the vault has the root key.
            let (found, page, last) = session.read(UseCase::Locate, |operation| {
                let page = operation.tx.scan(&range, Order::Ascending, PAGE)?;
                let mut found = Vec::new();
                for record in &page {
                    found.extend(operation.check_record(records, subject, record)?);
                }
                Ok((found, page.len(), page.last().map(|record| record.key.clone())))
            })?;
            count += page as u64;
            damaged.extend(found);
            match last {
                Some(last) if page == PAGE => range = range.after(&last),
                _ => return Ok(count),
            }
        }
    }
}

impl OperationContext<'_, '_> {
    fn check_record(
        &mut self,
        records: &SealedRecords,
        subject: Subject<'_>,
        record: &Record,
    ) -> Result<Option<DamagedRecord>> {
        let mut opened = self.open_record(records, subject.owner(), record);
        if let (Ok(()), SealedRecordKind::Content, Subject::Project(project)) = (&opened, records.kind, subject) {
            opened = self.open_content(project, record);
        }
        match opened {
            Ok(()) => Ok(None),
            Err(error) if matches!(error.kind(), ErrorKind::Corrupt | ErrorKind::DecryptionFailed) => {
                Ok(Some(self.damaged_record(records.kind, subject, record, error)))
            }
            Err(error) => Err(error),
        }
    }

    /// Opens what a content holds, which is sealed twice: in a row, and under a level key.
    fn open_content(&mut self, project: &ProjectRecord, record: &Record) -> Result<()> {
        let content: ContentRecord = decode(&record.value)?;
        let blob = self.blob(project, &content)?;
        self.check_iv(project.id, content.node, &blob)?;
        self.entries(project, &content)?;
        if project.custody == Custody::Server {
            match self.text(project, &content) {
                // Sealed by somebody else, or with a key that the project's people held.
                Ok(_) => {}
                Err(error) if error.kind() == ErrorKind::ClientManaged => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Describes a damaged record as far as its key tells what it is.
    fn damaged_record(
        &mut self,
        kind: SealedRecordKind,
        subject: Subject<'_>,
        record: &Record,
        error: Error,
    ) -> DamagedRecord {
        let mut damaged = DamagedRecord {
            kind,
            key: record.key.clone(),
            organization: subject.organization(),
            path: None,
            id: 0,
            webhook: None,
            integration: None,
            error,
        };
        let Subject::Project(project) = subject else {
            return damaged;
        };
        let node: Option<LevelId> = match kind {
            SealedRecordKind::Content => {
                damaged.id = version_id(project, number_in(&record.key).unwrap_or_default());
                decode::<ContentRecord>(&record.value).ok().map(|content| content.node)
            }
            SealedRecordKind::AccessTimes => id_in(&record.key).ok(),
            SealedRecordKind::SigningSecret => {
                let (node, webhook) = last_two_ids(&record.key).ok().unzip();
                damaged.webhook = webhook;
                node
            }
            SealedRecordKind::Written => {
                let (integration, node) = last_two_ids(&record.key).ok().unzip();
                damaged.integration = integration;
                node
            }
            SealedRecordKind::Credentials => {
                damaged.integration = id_in(&record.key).ok();
                None
            }
            SealedRecordKind::RootKeyCheck
            | SealedRecordKind::OrganizationKek
            | SealedRecordKind::ProjectDek
            | SealedRecordKind::LevelKey => None,
        };
        damaged.path = match node {
            Some(node) => self.path_of(node).ok().map(|(_, path)| path),
            None if kind.is_of_a_level() => None,
            None => LevelPath::new(&project.slug).ok(),
        };
        damaged
    }
}
