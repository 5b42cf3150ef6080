use crate::core::audit::{Action, Details, Resource};
use crate::error::{ErrorKind, Result};
use crate::store::Order;
use crate::vault::keys;
use crate::vault::operation::OperationContext;
use crate::vault::place::At;
use crate::vault::place::Reach;
use crate::vault::records::{ContentRecord, ProjectRecord, RotationRecord, decode, number_in};
use crate::vault::scan::scan_keys;
use crate::vault::sealed_records::{Owner, SealedRecords, WrappingKey};
use crate::vault::session::Session;
use crate::vault::use_case::UseCase;
use crate::vault::version::by_key::VersionKey;

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

/// A content under a former key, as a rotation comes to it.
struct FormerContent {
    number: u32,
    /// `None`, if it is damaged.
    content: Option<ContentRecord>,
}

impl OperationContext<'_, '_> {
    /// Seals versions with the level key in use.
    fn move_history(
        &mut self,
        project: &mut ProjectRecord,
        after: u32,
        mut skipped: u64,
        limit: usize,
    ) -> Result<RotationStep> {
        let (former, is_done) = self.former_contents(project, after, limit)?;
        let last = former.last().map_or(after, |former| former.number);
        let mut moved = Vec::new();
        for FormerContent { content, .. } in former {
            let former = match content {
                Some(content) => self.move_version_to_active_key(project, content)?,
                None => None,
            };
            match former {
                Some(former) => moved.push(former),
                None => skipped += 1,
            }
        }
        self.reindex_versions(project, &moved)?;
        project.rotation = (!is_done).then_some(RotationRecord::History { after: last, skipped });
        Ok(RotationStep { updated: moved.len() as u64, skipped, is_done })
    }

    /// Returns the first versions behind a number that are under former keys, and whether those are the last ones.
    ///
    /// Contents lie in the order of their numbers, so that each step goes on where the one before it ended.
    fn former_contents(
        &mut self,
        project: &ProjectRecord,
        after: u32,
        limit: usize,
    ) -> Result<(Vec<FormerContent>, bool)> {
        let mut range = keys::contents(project.id).after(&keys::content(project.id, after));
        let mut former = Vec::new();
        loop {
            // One more than wanted, which tells whether there are more.
            let wanted = limit + 1 - former.len();
            let batch = self.tx.scan(&range, Order::Ascending, wanted)?;
            for stored in &batch {
                let number = number_in(&stored.key)?;
                let content = decode::<ContentRecord>(&stored.value).ok().filter(|content| content.number == number);
                let is_former = match &content {
                    Some(content) => content.key_version != project.key_version && self.is_version(project, content)?,
                    None => true,
                };
                if is_former && former.len() == limit {
                    return Ok((former, false));
                }
                if is_former {
                    former.push(FormerContent { number, content });
                }
            }
            match batch.last() {
                Some(last) if batch.len() == wanted => range = range.after(&last.key),
                _ => return Ok((former, true)),
            }
        }
    }

    /// Seals a version with the key in use; `None`, if it does not open.
    fn move_version_to_active_key(
        &mut self,
        project: &ProjectRecord,
        content: ContentRecord,
    ) -> Result<Option<VersionKey>> {
        let text = match self.text(project, &content) {
            Ok(Some(text)) => text,
            Ok(None) => return Ok(None),
            Err(error) if matches!(error.kind(), ErrorKind::ClientManaged | ErrorKind::Corrupt) => return Ok(None),
            Err(error) => return Err(error),
        };
        let key = self.level_key(project, project.key_version)?;
        let blob = self.vault.cipher.seal(&key, text.expose_secret(), &*self.vault.random)?;
        self.reseal_version(project, content, &blob).map(Some)
    }

    /// Wraps rows with the project DEK in use. What is written meanwhile is wrapped with it already, also behind the
    /// point that was reached.
    fn move_rows(&mut self, project: &mut ProjectRecord, mut after: String, limit: usize) -> Result<RotationStep> {
        let owner = Owner::Project(project.organization, project.id);
        let (mut left, mut updated) = (limit, 0);
        for records in SealedRecords::wrapped_with(WrappingKey::ProjectDek) {
            let Some(range) = records.range(owner) else {
                continue;
            };
            if left == 0 || range.end.as_ref().is_some_and(|end| *end <= after) {
                continue;
            }
            for record in self.tx.scan(&range.after(&after), Order::Ascending, left)? {
                updated += u64::from(self.rewrap_record(records, owner, &record, project.dek_version)?);
                after = record.key;
                left -= 1;
            }
        }
        let is_at_the_end = left > 0;
        let is_done = is_at_the_end && self.remove_former_deks(project)?;
        if is_at_the_end && !is_done {
            // Another program put a row back, such as one from a backup, behind the point that was reached.
            after.clear();
        }
        project.rotation = (!is_done).then_some(RotationRecord::Dek { after });
        Ok(RotationStep { updated, skipped: 0, is_done })
    }

    /// Removes the project DEKs that are no longer in use, unless a record still names one of them; then none is removed,
    /// and this returns `false`.
    fn remove_former_deks(&mut self, project: &ProjectRecord) -> Result<bool> {
        let owner = Owner::Project(project.organization, project.id);
        if self.count_under_other_versions(WrappingKey::ProjectDek, owner, project.dek_version)? > 0 {
            return Ok(false);
        }
        let in_use = keys::project_dek(project.id, project.dek_version);
        for key in scan_keys(self.tx, keys::project_deks(project.id))? {
            if key != in_use {
                self.tx.delete(&key)?;
            }
        }
        Ok(true)
    }
}
