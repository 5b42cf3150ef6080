use super::deleted::all_projects;
use super::keys;
use super::operation::OperationContext;
use super::records::{
    ContentRecord, IntegrationRecord, OrganizationRecord, ProjectRecord, WebhookRecord, damaged, decode,
};
use super::session::Actor;
use super::use_case::UseCase;
use super::version::version_id;
use crate::core::IntegrationId;
use crate::core::LevelId;
use crate::core::OrganizationId;
use crate::core::WebhookId;
use crate::core::{Custody, LevelPath};
use crate::error::{Error, ErrorKind, Result};
use crate::store::{KeyRange, Order, StoreExt as _};
use crate::vault::engine::Vault;

/// How many contents are opened in one transaction.
const PAGE: usize = 100;

/// What [`Vault::check`] found.
#[derive(Debug, Default)]
#[non_exhaustive]
pub struct IntegrityReport {
    /// How many contents were opened, present and former ones.
    pub contents: u64,
    /// How many signing secrets of webhooks were opened.
    pub signing_secrets: u64,
    /// How many credentials of integrations were opened.
    pub credentials: u64,
    /// Those of all these that do not open.
    pub damaged: Vec<DamagedRecord>,
}

/// A content, a signing secret, or what belongs to an integration, that does not open.
#[derive(Debug)]
#[non_exhaustive]
pub struct DamagedRecord {
    /// The organization.
    pub organization: OrganizationId,
    /// The level, if that can still be told.
    pub path: Option<LevelPath>,
    /// The id of the version that it is or would become; 0 for anything else.
    pub id: u64,
    /// The webhook whose signing secret it is.
    pub webhook: Option<WebhookId>,
    /// The integration whose credentials they are, or what it has written.
    pub integration: Option<IntegrationId>,
    /// Why.
    pub error: Error,
}

impl Vault {
    /// Opens every content there is, present and former, also of what was deleted and can be restored: its wrapping, and
    /// what is in it as far as the vault holds the key; every signing secret, and
    /// the credentials of every integration. Looking for damage of the store below is
    /// [`Store::check`](crate::store::Store::check).
    ///
    /// # Errors
    /// What the store says, and `Corrupt` for a damaged record of an organization or a project.
    pub fn check(&self) -> Result<IntegrityReport> {
        let mut checked = IntegrityReport::default();
        let all = |range| self.store.read(|tx| tx.scan(&range, Order::Ascending, usize::MAX));
        for organization in all(keys::organizations())? {
            let organization: OrganizationRecord = decode(&organization.value)?;
            for project in self.store.read(|tx| all_projects(tx, organization.id))? {
                self.check_project(&project, &mut checked)?;
            }
        }
        Ok(checked)
    }

    fn check_project(&self, project: &ProjectRecord, checked: &mut IntegrityReport) -> Result<()> {
        let contents = keys::contents(project.id);
        let count =
            self.check_rows(contents, checked, |operation, key, value| operation.check_content(project, key, value))?;
        checked.contents += count;
        let webhooks = keys::project_webhooks(project.id);
        let count =
            self.check_rows(webhooks, checked, |operation, key, value| operation.check_webhook(project, key, value))?;
        checked.signing_secrets += count;
        let integrations = keys::integrations(project.id);
        let count = self.check_rows(integrations, checked, |operation, key, value| {
            operation.check_credentials(project, key, value)
        })?;
        checked.credentials += count;
        let writings = keys::project_integration_writings(project.id);
        self.check_rows(writings, checked, |operation, key, value| operation.check_written(project, key, value))?;
        Ok(())
    }

    /// Looks at each row of a range, and tells how many there are.
    fn check_rows(
        &self,
        mut range: KeyRange,
        checked: &mut IntegrityReport,
        check: impl Fn(&mut OperationContext<'_, '_>, &str, &str) -> Result<Option<DamagedRecord>>,
    ) -> Result<u64> {
        let session = self.session(Actor::system("check"));
        let mut count = 0;
        loop {
            // The use case that takes no right and leaves no record: who has the vault has the root key.
            let (found, last) = session.read(UseCase::Locate, |operation| {
                let page = operation.tx.scan(&range, Order::Ascending, PAGE)?;
                let found: Vec<Option<DamagedRecord>> =
                    page.iter().map(|stored| check(operation, &stored.key, &stored.value)).collect::<Result<_>>()?;
                Ok((found, page.last().map(|stored| stored.key.clone())))
            })?;
            count += found.len() as u64;
            let is_last = found.len() < PAGE;
            checked.damaged.extend(found.into_iter().flatten());
            match last {
                Some(last) if !is_last => range = range.after(&last),
                _ => return Ok(count),
            }
        }
    }
}

impl OperationContext<'_, '_> {
    fn check_content(&mut self, project: &ProjectRecord, key: &str, value: &str) -> Result<Option<DamagedRecord>> {
        let number: u32 = key.rsplit('/').next().and_then(|number| number.parse().ok()).unwrap_or_default();
        let mut path = None;
        let error = match self.open_content(project, number, value, &mut path) {
            Ok(()) => return Ok(None),
            Err(error) if matches!(error.kind(), ErrorKind::Corrupt | ErrorKind::DecryptionFailed) => error,
            Err(error) => return Err(error),
        };
        let id = version_id(project, number);
        Ok(Some(DamagedRecord {
            organization: project.organization,
            path,
            id,
            webhook: None,
            integration: None,
            error,
        }))
    }

    fn check_webhook(&mut self, project: &ProjectRecord, key: &str, value: &str) -> Result<Option<DamagedRecord>> {
        let mut ids = key.rsplit('/');
        let id = ids.next().and_then(|id| WebhookId::parse(id).ok());
        let node = ids.next().and_then(|id| LevelId::parse(id).ok());
        let opened = decode::<WebhookRecord>(value).and_then(|webhook| match id {
            Some(id) if id == webhook.id => self.signing_secret(project, &webhook),
            _ => Err(damaged()),
        });
        let error = match opened {
            Ok(_) => return Ok(None),
            Err(error) if error.kind() == ErrorKind::Corrupt => error,
            Err(error) => return Err(error),
        };
        let path = node.and_then(|node| self.path_of(node).ok()).map(|(_, path)| path);
        Ok(Some(DamagedRecord {
            organization: project.organization,
            path,
            id: 0,
            webhook: id,
            integration: None,
            error,
        }))
    }

    fn check_credentials(&mut self, project: &ProjectRecord, key: &str, value: &str) -> Result<Option<DamagedRecord>> {
        let id = key.rsplit('/').next().and_then(|id| IntegrationId::parse(id).ok());
        let opened = decode::<IntegrationRecord>(value).and_then(|integration| match id {
            Some(id) if id == integration.id => self.credentials(project, &integration).map(drop),
            _ => Err(damaged()),
        });
        integration_damage(project, id, opened)
    }

    fn check_written(&mut self, project: &ProjectRecord, key: &str, value: &str) -> Result<Option<DamagedRecord>> {
        let mut ids = key.rsplit('/');
        let node = ids.next().and_then(|id| LevelId::parse(id).ok());
        let id = ids.next().and_then(|id| IntegrationId::parse(id).ok());
        let opened = decode(value).and_then(|record| match (id, node) {
            (Some(id), Some(node)) => self.open_written(project, id, node, &record).map(drop),
            _ => Err(damaged()),
        });
        integration_damage(project, id, opened)
    }

    fn open_content(
        &mut self,
        project: &ProjectRecord,
        number: u32,
        value: &str,
        path: &mut Option<LevelPath>,
    ) -> Result<()> {
        let content: ContentRecord = decode(value)?;
        *path = self.path_of(content.node).ok().map(|(_, path)| path);
        if content.number != number {
            return Err(damaged());
        }
        self.blob(project, &content)?;
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
}

fn integration_damage(
    project: &ProjectRecord,
    integration: Option<IntegrationId>,
    opened: Result<()>,
) -> Result<Option<DamagedRecord>> {
    match opened {
        Ok(()) => Ok(None),
        Err(error) if error.kind() == ErrorKind::Corrupt => {
            let path = LevelPath::new(&project.slug).ok();
            Ok(Some(DamagedRecord {
                organization: project.organization,
                path,
                id: 0,
                webhook: None,
                integration,
                error,
            }))
        }
        Err(error) => Err(error),
    }
}
