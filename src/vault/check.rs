use super::call::Call;
use super::deleted::all_projects;
use super::records::{ContentRecord, OrganizationRecord, ProjectRecord, damaged, decode};
use super::session::Actor;
use super::use_case::UseCase;
use super::version::version_id;
use super::{Custody, Vault, keys};
use crate::core::{Id, LevelPath};
use crate::store::{Order, StoreExt as _};
use crate::{Error, ErrorKind, Result};

/// How many contents are opened in one transaction.
const PAGE: usize = 100;

/// What [`Vault::check`] found.
#[derive(Debug, Default)]
#[non_exhaustive]
pub struct Checked {
    /// How many contents were opened, present and former ones.
    pub contents: u64,
    /// Those that do not open.
    pub damaged: Vec<Damage>,
}

/// A content that does not open.
#[derive(Debug)]
#[non_exhaustive]
pub struct Damage {
    /// The organization.
    pub organization: Id,
    /// The level, if that can still be told.
    pub path: Option<LevelPath>,
    /// The id of the version that it is or would become.
    pub id: u64,
    /// Why.
    pub error: Error,
}

impl Vault {
    /// Opens every content there is, present and former, also of what was deleted and can be restored: its wrapping, and what is in it as far as the vault holds the
    /// key. Looking for damage of the store below is [`Store::check`](crate::store::Store::check).
    ///
    /// # Errors
    /// What the store says, and `Corrupt` for a damaged record of an organization or a project.
    pub fn check(&self) -> Result<Checked> {
        let mut checked = Checked::default();
        let all = |range| self.store.read(|tx| tx.scan(&range, Order::Ascending, usize::MAX));
        for organization in all(keys::organizations())? {
            let organization: OrganizationRecord = decode(&organization.value)?;
            for project in self.store.read(|tx| all_projects(tx, organization.id))? {
                self.check_project(&project, &mut checked)?;
            }
        }
        Ok(checked)
    }

    fn check_project(&self, project: &ProjectRecord, checked: &mut Checked) -> Result<()> {
        let session = self.session(Actor::system("check"));
        let mut range = keys::contents(project.id);
        loop {
            // The use case that takes no right and leaves no record: who has the vault has the root key.
            let (found, last) = session.read(UseCase::Locate, |call| {
                let page = call.tx.scan(&range, Order::Ascending, PAGE)?;
                let found: Vec<Option<Damage>> = page
                    .iter()
                    .map(|stored| call.check_content(project, &stored.key, &stored.value))
                    .collect::<Result<_>>()?;
                Ok((found, page.last().map(|stored| stored.key.clone())))
            })?;
            checked.contents += found.len() as u64;
            let is_last = found.len() < PAGE;
            checked.damaged.extend(found.into_iter().flatten());
            match last {
                Some(last) if !is_last => range = range.after(&last),
                _ => return Ok(()),
            }
        }
    }
}

impl Call<'_, '_> {
    fn check_content(&mut self, project: &ProjectRecord, key: &str, value: &str) -> Result<Option<Damage>> {
        let number: u32 = key.rsplit('/').next().and_then(|number| number.parse().ok()).unwrap_or_default();
        let mut path = None;
        let error = match self.open_content(project, number, value, &mut path) {
            Ok(()) => return Ok(None),
            Err(error) if matches!(error.kind(), ErrorKind::Corrupt | ErrorKind::DecryptionFailed) => error,
            Err(error) => return Err(error),
        };
        Ok(Some(Damage { organization: project.organization, path, id: version_id(project, number), error }))
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
