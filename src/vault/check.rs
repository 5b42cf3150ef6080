use super::authenticated_record::AUTHENTICATED_RECORDS;
use super::index_check::INDEX_CHECKS;
use super::keys;
use super::operation::OperationContext;
use super::records::{
    ContentRecord, DeletedRecord, DeletedThing, ProjectRecord, decode, id_in, last_two_ids, number_in,
};
use super::scan::{Scan, scan_keys};
use super::sealed_record_kind::SealedRecordKind;
use super::sealed_records::{Owner, SEALED_RECORDS, SealedRecords};
use super::session::Actor;
use super::use_case::UseCase;
use super::version::version_id;
use crate::core::custody::Custody;
use crate::core::id::{IntegrationId, LevelId, OrganizationId, TokenId, WebhookId};
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
    /// How many records that decide who may do what were verified.
    pub authenticated_records: u64,
    /// How many of the sealed records are contents, present and former ones.
    pub contents: u64,
    /// How many of them are signing secrets of webhooks.
    pub signing_secrets: u64,
    /// How many of them are credentials of integrations.
    pub credentials: u64,
    /// Those of all these that do not open, or were not written by this vault where they lie.
    pub damaged: Vec<DamagedRecord>,
}

/// A sealed record that does not open, or a record that decides who may do what and was made, changed or moved by anything
/// but the vault.
#[derive(Debug)]
#[non_exhaustive]
pub struct DamagedRecord {
    /// What kind of record it is.
    pub kind: SealedRecordKind,
    /// The key under which it lies in the store.
    pub key: String,
    /// The organization; `None`, for a record of the vault itself, and where the key does not tell.
    pub organization: Option<OrganizationId>,
    /// The level, or the project of what belongs to no level, if that can still be told.
    pub path: Option<LevelPath>,
    /// The id of the version that it is or would become; 0 for anything but a content.
    pub id: u64,
    /// The webhook whose signing secret it is.
    pub webhook: Option<WebhookId>,
    /// The integration whose credentials they are, or what it has written.
    pub integration: Option<IntegrationId>,
    /// The id by which the token can be revoked that it is the record of, if an id leads to it.
    pub token: Option<TokenId>,
    /// Why.
    pub error: Error,
}

impl DamagedRecord {
    fn new(kind: SealedRecordKind, organization: Option<OrganizationId>, record: &Record, error: Error) -> Self {
        let key = record.key.clone();
        Self { kind, key, organization, path: None, id: 0, webhook: None, integration: None, token: None, error }
    }
}

/// Which records have the id of their organization behind the first part of their key.
const OWNED: [&str; 13] = [
    "organization",
    "project",
    "deleted",
    "token-id",
    "member",
    "role",
    "role-member",
    "team",
    "team-member",
    "service-account",
    "service-key",
    "personal-key",
    "invitation-id",
];

/// The organization of an authenticated record or an index, if its key tells.
fn owner_in(key: &str) -> Option<OrganizationId> {
    let (kind, rest) = key.split_once('/')?;
    let owner = rest.split('/').next()?;
    OWNED.contains(&kind).then(|| OrganizationId::parse(owner).ok()).flatten()
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
    /// Verifies every record that decides who may do what: organizations, projects and what is in them, tokens, users,
    /// members, roles, teams, grants, service accounts and invitations, and the indexes that lead to them.
    /// Looking for damage of the store below is [`Store::check`](crate::store::Store::check).
    ///
    /// # Errors
    /// What the store says.
    pub fn check(&self) -> Result<IntegrityReport> {
        let mut report = IntegrityReport::default();
        self.check_subject(Subject::Vault, &mut report)?;
        // A vault has few organizations.
        for organization in self.store.read(|tx| scan_keys(tx, keys::organizations()))? {
            let Ok(organization) = id_in(&organization) else {
                continue;
            };
            self.check_subject(Subject::Organization(organization), &mut report)?;
            for project in self.verified_projects(organization)? {
                self.check_subject(Subject::Project(&project), &mut report)?;
            }
        }
        self.check_authenticated(&mut report)?;
        Ok(report)
    }

    /// All projects of an organization that verify. The others are reported as what they are.
    fn verified_projects(&self, organization: OrganizationId) -> Result<Vec<ProjectRecord>> {
        self.store.read(|tx| {
            let mut projects: Vec<ProjectRecord> = Vec::new();
            let mut scan = Scan::new(keys::projects(organization), Order::Ascending);
            while let Some(record) = scan.next(tx)? {
                projects.extend(self.authenticator.decode(&record));
            }
            let mut scan = Scan::new(keys::deleted_in(organization), Order::Ascending);
            while let Some(record) = scan.next(tx)? {
                if let Ok(DeletedRecord { what: DeletedThing::Project(project), .. }) =
                    self.authenticator.decode(&record)
                {
                    projects.push(*project);
                }
            }
            Ok(projects)
        })
    }

    /// Verifies the records that decide who may do what, and the indexes that lead to them.
    fn check_authenticated(&self, report: &mut IntegrityReport) -> Result<()> {
        for records in AUTHENTICATED_RECORDS {
            report.authenticated_records +=
                self.check_pages(records.range(), &mut report.damaged, |operation, record| {
                    let verified = records.verify(&operation.vault.authenticator, record);
                    Ok(verified
                        .err()
                        .map(|error| DamagedRecord::new(records.kind, owner_in(&record.key), record, error)))
                })?;
        }
        if report.damaged.iter().any(|one| one.kind == SealedRecordKind::Token) {
            self.name_tokens(&mut report.damaged)?;
        }
        for check in INDEX_CHECKS {
            let range = KeyRange::prefix(check.prefix);
            self.check_pages(range, &mut report.damaged, |operation, record| {
                match (check.verify)(operation, record) {
                    Ok(()) => Ok(None),
                    Err(error) if error.kind() == ErrorKind::Corrupt => {
                        Ok(Some(DamagedRecord::new(check.kind, owner_in(&record.key), record, error)))
                    }
                    Err(error) => Err(error),
                }
            })?;
        }
        Ok(())
    }

    /// Finds the ids that lead to damaged records of tokens: what such a record says of itself need not be true.
    fn name_tokens(&self, damaged: &mut [DamagedRecord]) -> Result<()> {
        self.check_pages(KeyRange::prefix("token-id/"), &mut Vec::new(), |_, index| {
            if let Ok(key) = decode::<String>(&index.value).map(|hash| keys::token(&hash)) {
                for one in damaged.iter_mut().filter(|one| one.key == key) {
                    one.token = id_in(&index.key).ok();
                }
            }
            Ok(None)
        })?;
        Ok(())
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
        range: KeyRange,
        damaged: &mut Vec<DamagedRecord>,
    ) -> Result<u64> {
        self.check_pages(range, damaged, |operation, record| operation.check_record(records, subject, record))
    }

    /// Looks at each record of a range, a page in a transaction, and returns how many there are.
    fn check_pages(
        &self,
        mut range: KeyRange,
        damaged: &mut Vec<DamagedRecord>,
        mut look: impl FnMut(&mut OperationContext<'_, '_>, &Record) -> Result<Option<DamagedRecord>>,
    ) -> Result<u64> {
        let session = self.session(Actor::system("check"));
        let mut count = 0;
        loop {
            // The use case that takes no right and leaves no record: who has the vault has the root key.
            let (found, page, last) = session.read(UseCase::Locate, |operation| {
                let page = operation.tx.scan(&range, Order::Ascending, PAGE)?;
                let mut found = Vec::new();
                for record in &page {
                    found.extend(look(operation, record)?);
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
        let mut damaged = DamagedRecord::new(kind, subject.organization(), record, error);
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
            | SealedRecordKind::LevelKey
            // No project is checked for these.
            | SealedRecordKind::Organization
            | SealedRecordKind::Project
            | SealedRecordKind::Node
            | SealedRecordKind::Place
            | SealedRecordKind::Deleted
            | SealedRecordKind::Token
            | SealedRecordKind::User
            | SealedRecordKind::Member
            | SealedRecordKind::Role
            | SealedRecordKind::Team
            | SealedRecordKind::Grant
            | SealedRecordKind::ServiceAccount
            | SealedRecordKind::Invitation => None,
        };
        damaged.path = match node {
            Some(node) => self.path_of(node).ok().map(|(_, path)| path),
            None if kind.is_of_a_level() => None,
            None => LevelPath::new(&project.slug).ok(),
        };
        damaged
    }
}
