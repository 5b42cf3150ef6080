use super::super::Custody;
use super::super::key_cache::Row;
use super::super::operation::OperationContext;
use super::super::place::Reach;
use super::super::records::{KeyRecord, ProjectRecord, damaged};
use super::super::session::Session;
use super::super::use_case::UseCase;
use crate::Result;
use crate::core::{Action, Details, Id, Pbkdf2, Resource, SecretString, Slug, Timestamp};

/// The key that the blobs of a project are sealed with.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ProjectKey {
    /// Who holds it.
    pub custody: Custody,
    /// Its version, from 1.
    pub version: u32,
    /// How its text becomes the key; none, if the text is that of a [`LevelKey`](crate::LevelKey).
    pub derivation: Option<Pbkdf2>,
    /// A reminder of where the key is, in client custody.
    pub hint: Option<String>,
    /// When it was made.
    pub created_at: Timestamp,
    /// In server custody, its text.
    pub text: Option<SecretString>,
}

impl Session<'_> {
    /// The key in use; in server custody with its text, for whoever opens blobs on their own. A token of an environment
    /// may have the key of its project, without which it could read blobs but not use them.
    ///
    /// # Errors
    /// `NotFound`.
    pub fn key(&self, organization: Id, project: &Slug) -> Result<ProjectKey> {
        self.read(UseCase::ReadKey, |operation| {
            let project = operation.key_project(organization, project, Reach::OnTheWay)?;
            let record = operation.active_key(&project)?;
            let details = Details::default().with("op", "key").with("version", record.version);
            operation.record(Action::Read, Resource::key(&project), details)?;
            operation.project_key(&project, record)
        })
    }
}

impl OperationContext<'_, '_> {
    pub(super) fn project_key(&mut self, project: &ProjectRecord, record: KeyRecord) -> Result<ProjectKey> {
        Ok(ProjectKey {
            custody: record.custody,
            version: record.version,
            derivation: record.pbkdf2()?,
            text: self.key_text(project, &record)?,
            hint: record.hint,
            created_at: record.created_at,
        })
    }

    pub(super) fn key_text(&mut self, project: &ProjectRecord, record: &KeyRecord) -> Result<Option<SecretString>> {
        let Some(text) = &record.text else {
            return Ok(None);
        };
        let text = self.open_row(project, Row::KeyText(record.version), record.dek_version, text)?;
        let text = std::str::from_utf8(text.expose_secret()).map_err(|_| damaged())?;
        Ok(Some(text.into()))
    }
}
