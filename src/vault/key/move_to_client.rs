use std::collections::BTreeMap;

use super::super::content::Level;
use super::super::level::unconfirmed;
use super::super::operation::OperationContext;
use super::super::place::Reach;
use super::super::records::{KeyRecord, LevelRecord, ProjectRecord, VersionRecord, damaged, decode, put};
use super::super::session::Session;
use super::super::use_case::UseCase;
use super::super::{Custody, keys};
use super::{check_custody, check_idle};
use crate::Result;
use crate::core::{Action, Aes256Gcm, Cipher as _, Details, Id, Resource, SecretString, Slug};
use crate::store::{Order, Precondition};

impl Session<'_> {
    /// Gives the key to the project's people, and tells its text one last time: the vault keeps its proof, and can open
    /// nothing of the project from now on. What levels hold is left as it is, but what was known of their entries is
    /// removed.
    ///
    /// Versions under former keys of the vault, which nobody was told, are sealed with this key first, so that they can
    /// be opened at all. Then the vault drops those keys, too. The audit log keeps what it says about variables.
    ///
    /// # Errors
    /// `NotFound`; `Unconfirmed`, unless `confirmed`; `ClientManaged`, when they hold it already; `RotationInProgress`.
    pub fn move_key_to_client(&self, organization: Id, project: &Slug, confirmed: bool) -> Result<SecretString> {
        let (id, text) = self.write(UseCase::SwitchCustody, |operation| {
            let project = operation.key_project(organization, project, Reach::Inside)?;
            check_custody(&project, Custody::Server)?;
            check_idle(&project)?;
            if !confirmed {
                return Err(unconfirmed());
            }
            let record = operation.active_key(&project)?;
            let text = operation.key_text(&project, &record)?.ok_or_else(damaged)?;
            let mut moved = project.clone();
            moved.custody = Custody::Client;
            moved.custody_changes += 1;

            let (mut count, mut skipped) = (0, 0);
            for (node, version) in operation.all_versions(project.id)? {
                if let Some(is_moved) = operation.move_version(&project, &moved, node, version)? {
                    *if is_moved { &mut count } else { &mut skipped } += 1;
                }
            }
            for Level { mut content, accessed_at } in operation.levels(project.id)? {
                content.entries = None;
                put(operation.tx, &keys::content(project.id, content.number), &content, Precondition::Present)?;
                let level = LevelRecord { number: content.number, variables: BTreeMap::new(), accessed_at };
                put(operation.tx, &keys::level(project.id, content.node), &level, Precondition::Present)?;
            }
            operation.remove_range(&keys::accesses(project.id))?;
            operation.remove_range(&keys::project_integration_writings(project.id))?;
            for stored in operation.tx.scan(&keys::level_keys(project.id), Order::Ascending, usize::MAX)? {
                let mut record: KeyRecord = decode(&stored.value)?;
                (record.text, record.data) = (None, None);
                if record.version == project.key_version {
                    record.custody = Custody::Client;
                }
                put(operation.tx, &stored.key, &record, Precondition::Present)?;
            }
            operation.put_project(&mut moved)?;
            let details = Details::default().with("op", "custody").with("custody", "client");
            let details = details.with("version", record.version).with("versions", count).with("skipped", skipped);
            operation.record(Action::Update, Resource::key(&moved), details)?;
            Ok((project.id, text))
        })?;
        self.vault.keys.forget_level_keys(id);
        Ok(text)
    }
}

impl OperationContext<'_, '_> {
    /// Sees to it that whoever has the key in use can open a version. Nothing, for one under that key, or under one that
    /// people hold; `false`, if it does not open.
    fn move_version(
        &mut self,
        project: &ProjectRecord,
        moved: &ProjectRecord,
        node: Id,
        mut version: VersionRecord,
    ) -> Result<Option<bool>> {
        if version.custody == Custody::Client {
            return Ok(None);
        }
        if version.key_version == project.key_version {
            version.custody = Custody::Client;
            put(self.tx, &keys::version(project.id, node, version.number), &version, Precondition::Present)?;
            return Ok(None);
        }
        let content = self.content(project.id, node, version.number)?;
        let Some(text) = self.text(project, &content)? else {
            return Ok(Some(false));
        };
        let key = self.level_key(project, project.key_version)?;
        let blob = Aes256Gcm.seal(&key, text.expose_secret(), &*self.vault.random)?;
        self.reseal_version(moved, content, &blob)?;
        Ok(Some(true))
    }
}
