use std::collections::BTreeMap;

use super::super::call::Call;
use super::super::content::Level;
use super::super::level::unconfirmed;
use super::super::place::Reach;
use super::super::records::{KeyRecord, LevelRecord, ProjectRecord, VersionRecord, damaged, decode, put};
use super::super::session::Session;
use super::super::use_case::UseCase;
use super::super::{Custody, keys};
use super::{check_custody, check_idle};
use crate::Result;
use crate::core::{Action, Aes256Gcm, Cipher as _, Details, Id, Resource, SecretString, Slug};
use crate::store::{Order, When};

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
        let (id, text) = self.write(UseCase::SwitchCustody, |call| {
            let project = call.key_project(organization, project, Reach::Inside)?;
            check_custody(&project, Custody::Server)?;
            check_idle(&project)?;
            if !confirmed {
                return Err(unconfirmed());
            }
            let record = call.active_key(&project)?;
            let text = call.key_text(&project, &record)?.ok_or_else(damaged)?;
            let mut moved = project.clone();
            moved.custody = Custody::Client;
            moved.custody_changes += 1;

            let (mut count, mut skipped) = (0, 0);
            for (node, version) in call.all_versions(project.id)? {
                if let Some(is_moved) = call.move_version(&project, &moved, node, version)? {
                    *if is_moved { &mut count } else { &mut skipped } += 1;
                }
            }
            for Level { mut content, accessed_at } in call.levels(project.id)? {
                content.entries = None;
                put(call.tx, &keys::content(project.id, content.number), &content, When::Present)?;
                let level = LevelRecord { number: content.number, variables: BTreeMap::new(), accessed_at };
                put(call.tx, &keys::level(project.id, content.node), &level, When::Present)?;
            }
            call.remove_range(&keys::accesses(project.id))?;
            call.remove_range(&keys::project_integration_writings(project.id))?;
            for stored in call.tx.scan(&keys::level_keys(project.id), Order::Ascending, usize::MAX)? {
                let mut record: KeyRecord = decode(&stored.value)?;
                (record.text, record.data) = (None, None);
                if record.version == project.key_version {
                    record.custody = Custody::Client;
                }
                put(call.tx, &stored.key, &record, When::Present)?;
            }
            call.put_project(&mut moved)?;
            let details = Details::default().with("op", "custody").with("custody", "client");
            let details = details.with("version", record.version).with("versions", count).with("skipped", skipped);
            call.record(Action::Update, Resource::key(&moved), details)?;
            Ok((project.id, text))
        })?;
        self.vault.keys.forget_level_keys(id);
        Ok(text)
    }
}

impl Call<'_, '_> {
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
            put(self.tx, &keys::version(project.id, node, version.number), &version, When::Present)?;
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
