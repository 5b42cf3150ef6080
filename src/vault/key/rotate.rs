use super::super::Custody;
use super::super::content::{Level, VersionAction};
use super::super::operation::OperationContext;
use super::super::place::Reach;
use super::super::records::{ProjectRecord, RotationRecord, damaged};
use super::super::session::Session;
use super::super::use_case::UseCase;
use super::{NewKey, ProjectKey, check_custody, check_idle};
use crate::core::{Action, Aes256Gcm, Cipher as _, Details, Document, Id, Resource, Slug};
use crate::{ErrorKind, Result};

/// What becomes of versions when the key is rotated.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_enums, reason = "they stay, or they do not")]
pub enum HistoryPolicy {
    /// They stay sealed with the key they are sealed with.
    #[default]
    Keep,
    /// They are sealed anew with the key in use: by [`continue_rotation`](Session::continue_rotation) in server
    /// custody; otherwise by whoever has both keys, with [`reencrypt_versions`](Session::reencrypt_versions).
    Reencrypt,
}

impl HistoryPolicy {
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Keep => "keep",
            Self::Reencrypt => "re_encrypt",
        }
    }
}

impl Session<'_> {
    /// Makes a new key that the vault holds, of the same scheme as the one in use, and seals with it what all levels
    /// hold now. What a level holds that does not open, because somebody sealed it with another key, stays as it is.
    ///
    /// # Errors
    /// `NotFound`; `ClientManaged`; `RotationInProgress`.
    pub fn rotate_key(&self, organization: Id, project: &Slug, policy: HistoryPolicy) -> Result<ProjectKey> {
        self.rotate(organization, project, None, policy)
    }

    /// The same to a key string, which is drawn, whatever the scheme of the key in use is: dotenv.cloud's clients
    /// understand no other.
    ///
    /// # Errors
    /// As [`rotate_key`](Self::rotate_key).
    pub fn rotate_to_key_string(&self, organization: Id, project: &Slug, policy: HistoryPolicy) -> Result<ProjectKey> {
        self.rotate(organization, project, Some(NewKey::String(None)), policy)
    }

    fn rotate(
        &self,
        organization: Id,
        project: &Slug,
        new: Option<NewKey>,
        policy: HistoryPolicy,
    ) -> Result<ProjectKey> {
        let is_derived = self.read(UseCase::RotateKey, |operation| {
            let project = operation.key_project(organization, project, Reach::Inside)?;
            check_custody(&project, Custody::Server)?;
            check_idle(&project)?;
            Ok(operation.active_key(&project)?.derivation.is_some())
        })?;
        let new = new.unwrap_or(if is_derived { NewKey::String(None) } else { NewKey::Random });
        // Between two transactions, because it can take long.
        let new = new.prepare(&self.vault.keys, &*self.vault.random)?;
        self.write(UseCase::RotateKey, |operation| {
            let mut project = operation.key_project(organization, project, Reach::Inside)?;
            check_custody(&project, Custody::Server)?;
            check_idle(&project)?;
            let record = operation.put_next_key(&mut project, &new)?;
            let (mut count, mut skipped) = (0, 0);
            for level in operation.levels(project.id)? {
                *if operation.reseal_level(&project, level)? { &mut count } else { &mut skipped } += 1;
            }
            if policy == HistoryPolicy::Reencrypt {
                project.rotation = Some(RotationRecord::History { after: 0, skipped: 0 });
            }
            operation.put_project(&mut project)?;
            let details = Details::default().with("op", "rotate").with("version", record.version);
            let details = details.with("policy", policy.as_str()).with("levels", count).with("skipped", skipped);
            operation.record(Action::Update, Resource::key(&project), details)?;
            operation.project_key(&project, record)
        })
    }
}

impl OperationContext<'_, '_> {
    /// Seals what a level holds with the key in use; `false`, if it does not open.
    fn reseal_level(&mut self, project: &ProjectRecord, level: Level) -> Result<bool> {
        let content = &level.content;
        let node = content.node;
        let text = match self.text(project, content) {
            Ok(Some(text)) => text,
            Ok(None) => return Ok(false),
            // It was deleted when the project's people changed their key, and restored since.
            Err(error) if error.kind() == ErrorKind::ClientManaged => return Ok(false),
            Err(error) => return Err(error),
        };
        let mut known = None;
        if content.entries.is_some() {
            let document = Document::parse(std::str::from_utf8(text.expose_secret()).map_err(|_| damaged())?)?;
            known = Some((document, self.entries(project, content)?));
        }
        let key = self.level_key(project, project.key_version)?;
        let blob = Aes256Gcm.seal(&key, text.expose_secret(), &*self.vault.random)?;
        let number = self.next_number(project)?;
        let (document, entries) = known.unzip();
        let known = document.as_ref().zip(entries);
        let keep = project.versioning;
        self.write_content(project, node, Some(level), number, &blob, known, VersionAction::Rotate, keep)?;
        Ok(true)
    }
}
