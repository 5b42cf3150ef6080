use crate::core::LevelId;
use crate::core::{Action, Aes256Gcm, Cipher as _, Details, Resource, SecretBytes};
use crate::error::{ErrorKind, Result};
use crate::store::{Order, Precondition, Record};
use crate::vault::envelope::Row;
use crate::vault::key::{id_in, last_two_ids};
use crate::vault::keys;
use crate::vault::operation::OperationContext;
use crate::vault::place::At;
use crate::vault::place::Reach;
use crate::vault::records::AccessRecord;
use crate::vault::records::{
    ContentRecord, IntegrationRecord, KeyRecord, ProjectRecord, RotationRecord, WebhookRecord, WrappedKeyRecord,
    WrittenRecord, decode, put,
};
use crate::vault::session::Session;
use crate::vault::use_case::UseCase;

/// What one step of a rotation did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RotationStep {
    /// How many versions or rows this step has moved to the key in use.
    pub updated: u64,
    /// How many versions the rotation has left under former keys so far, because they do not open: people hold the key,
    /// or something is wrong with them.
    pub skipped: u64,
    /// Whether nothing is left to be done.
    pub is_done: bool,
}

const MAX_STEP: usize = 500;

impl Session<'_> {
    /// Takes a rotation on that was begun: one step, of 1 to 500 versions or rows. Call it until it
    /// [`is_done`](RotationStep::is_done); that may be in another process, and others may read and write meanwhile.
    ///
    /// # Errors
    /// `NotFound`; `Corrupt`, when a row is damaged: the rotation of a project DEK goes on when it was restored or
    /// removed.
    pub fn continue_rotation(&self, at: At<'_>, limit: usize) -> Result<RotationStep> {
        let limit = limit.clamp(1, MAX_STEP);
        self.write(UseCase::ContinueRotation, |operation| {
            let mut project = operation.key_project(at, Reach::Inside)?;
            let (step, op) = match project.rotation.take() {
                None => return Ok(RotationStep { updated: 0, skipped: 0, is_done: true }),
                Some(RotationRecord::History { after, skipped }) => {
                    (operation.move_history(&mut project, after, skipped, limit)?, "reencrypt")
                }
                Some(RotationRecord::Dek { after }) => (operation.move_rows(&mut project, after, limit)?, "rewrap"),
            };
            operation.put_project(&mut project)?;
            let details = Details::default().with("op", op).with("updated", step.updated);
            let details = details.with("skipped", step.skipped).with("done", step.is_done);
            operation.record(Action::Update, Resource::key(&project), details)?;
            Ok(step)
        })
    }
}

impl OperationContext<'_, '_> {
    /// Seals versions anew with the level key in use.
    fn move_history(
        &mut self,
        project: &mut ProjectRecord,
        after: u32,
        mut skipped: u64,
        limit: usize,
    ) -> Result<RotationStep> {
        let (count, former) = self.versions_of_former_keys(project, after, limit)?;
        let is_done = count == former.len();
        let last = former.last().map_or(after, |(_, version)| version.number);
        let mut updated = 0;
        for (node, version) in former {
            *if self.move_version_to_active_key(project, node, version.number)? {
                &mut updated
            } else {
                &mut skipped
            } += 1;
        }
        project.rotation = (!is_done).then_some(RotationRecord::History { after: last, skipped });
        Ok(RotationStep { updated, skipped, is_done })
    }

    fn move_version_to_active_key(&mut self, project: &ProjectRecord, node: LevelId, number: u32) -> Result<bool> {
        let (content, text) = match self.version_text(project, node, number) {
            Ok((content, Some(text))) => (content, text),
            Ok((_, None)) => return Ok(false),
            Err(error) if matches!(error.kind(), ErrorKind::ClientManaged | ErrorKind::Corrupt) => return Ok(false),
            Err(error) => return Err(error),
        };
        let key = self.level_key(project, project.key_version)?;
        let blob = Aes256Gcm.seal(&key, text.expose_secret(), &*self.vault.random)?;
        self.reseal_version(project, content, &blob)?;
        Ok(true)
    }

    fn version_text(
        &mut self,
        project: &ProjectRecord,
        node: LevelId,
        number: u32,
    ) -> Result<(ContentRecord, Option<SecretBytes>)> {
        let content = self.content(project.id, node, number)?;
        let text = self.text(project, &content)?;
        Ok((content, text))
    }

    /// Wraps rows anew with the project DEK in use. What is written meanwhile is wrapped with it already, also behind
    /// the point that was reached.
    fn move_rows(&mut self, project: &mut ProjectRecord, mut after: String, limit: usize) -> Result<RotationStep> {
        // In the order of their keys.
        let ranges = [
            keys::accesses(project.id),
            keys::contents(project.id),
            keys::project_integration_writings(project.id),
            keys::integrations(project.id),
            keys::level_keys(project.id),
            keys::project_webhooks(project.id),
        ];
        let (mut left, mut updated) = (limit, 0);
        for range in ranges {
            if left == 0 || range.end.as_ref().is_some_and(|end| *end <= after) {
                continue;
            }
            for record in self.tx.scan(&range.after(&after), Order::Ascending, left)? {
                updated += u64::from(self.rewrap(project, &record)?);
                after = record.key;
                left -= 1;
            }
        }
        let is_done = left > 0;
        if is_done {
            // No row names the keys before any more.
            for record in self.tx.scan(&keys::project_deks(project.id), Order::Ascending, usize::MAX)? {
                let key: WrappedKeyRecord = decode(&record.value)?;
                if key.version != project.dek_version {
                    self.tx.delete(&record.key)?;
                }
            }
        }
        project.rotation = (!is_done).then_some(RotationRecord::Dek { after });
        Ok(RotationStep { updated, skipped: 0, is_done })
    }

    /// Wraps a row anew; `false`, if that is done.
    fn rewrap(&mut self, project: &ProjectRecord, record: &Record) -> Result<bool> {
        let version = project.dek_version;
        match record.key.split('/').next() {
            Some("access") => {
                let node = id_in(&record.key)?;
                let mut access: AccessRecord = decode(&record.value)?;
                if access.dek_version == version {
                    return Ok(false);
                }
                access.times = self.rewrap_row(project, Row::Access(node), access.dek_version, &access.times)?;
                access.dek_version = version;
                put(self.tx, &record.key, &access, Precondition::Present)?;
            }
            Some("key") => {
                let mut key: KeyRecord = decode(&record.value)?;
                if key.dek_version == version {
                    return Ok(false);
                }
                let parts = [
                    (&mut key.text, Row::KeyText(key.version)),
                    (&mut key.data, Row::KeyBytes(key.version)),
                    (&mut key.check, Row::KeyProof(key.version)),
                ];
                for (part, row) in parts {
                    if let Some(sealed) = part {
                        *sealed = self.rewrap_row(project, row, key.dek_version, sealed)?;
                    }
                }
                key.dek_version = version;
                put(self.tx, &record.key, &key, Precondition::Present)?;
            }
            Some("integration") => {
                let mut integration: IntegrationRecord = decode(&record.value)?;
                if integration.dek_version == version {
                    return Ok(false);
                }
                let row = Row::Credentials(id_in(&record.key)?);
                integration.credentials =
                    self.rewrap_row(project, row, integration.dek_version, &integration.credentials)?;
                integration.dek_version = version;
                put(self.tx, &record.key, &integration, Precondition::Present)?;
            }
            Some("integration-written") => {
                let (integration, node) = last_two_ids(&record.key)?;
                let mut written: WrittenRecord = decode(&record.value)?;
                if written.dek_version == version {
                    return Ok(false);
                }
                let row = Row::Written(integration, node);
                written.written = self.rewrap_row(project, row, written.dek_version, &written.written)?;
                written.dek_version = version;
                put(self.tx, &record.key, &written, Precondition::Present)?;
            }
            Some("webhook") => {
                let mut webhook: WebhookRecord = decode(&record.value)?;
                if webhook.dek_version == version {
                    return Ok(false);
                }
                let row = Row::SigningSecret(id_in(&record.key)?);
                webhook.secret = self.rewrap_row(project, row, webhook.dek_version, &webhook.secret)?;
                webhook.dek_version = version;
                put(self.tx, &record.key, &webhook, Precondition::Present)?;
            }
            _ => {
                let mut content: ContentRecord = decode(&record.value)?;
                if !self.rewrap_content(project, &mut content)? {
                    return Ok(false);
                }
                put(self.tx, &record.key, &content, Precondition::Present)?;
            }
        }
        Ok(true)
    }
}
