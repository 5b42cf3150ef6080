use crate::core::dotenv_cloud::KeyProof;
use std::collections::BTreeMap;

use crate::core::audit::{Action, Details, Resource};
use crate::core::custody::Custody;
use crate::core::document::Document;
use crate::core::id::LevelId;
use crate::core::key::{KeyString, LevelKey};
use crate::core::secret::{SecretBytes, SecretString};
use crate::error::{Error, ErrorKind, Result};
use crate::store::{Order, Precondition};
use crate::vault::confirmation::Confirmation;
use crate::vault::content::{Level, variables};
use crate::vault::diff::differences;
use crate::vault::entries::Entries;
use crate::vault::envelope::Row;
use crate::vault::key::{check_custody, check_idle};
use crate::vault::keys;
use crate::vault::operation::OperationContext;
use crate::vault::place::At;
use crate::vault::place::Reach;
use crate::vault::records::{KeyRecord, LevelRecord, ProjectRecord, VersionRecord, damaged, decode, encode, put};
use crate::vault::scan::Scan;
use crate::vault::session::Session;
use crate::vault::use_case::UseCase;
use crate::vault::version::by_key::VersionKey;

impl Session<'_> {
    /// Gives the key to the project's people, and tells its text one last time: the vault keeps its proof, and can open
    /// nothing of the project from now on. What levels hold is left as it is, but what was known of their entries is
    /// removed.
    ///
    /// Versions under former keys of the vault, which nobody was told, are sealed with this key first, so that they can
    /// be opened at all. Then the vault drops those keys, too. The audit log keeps what it says about variables.
    ///
    /// # Errors
    /// `NotFound`; `Unconfirmed`, unless the call is confirmed; `ClientManaged`, when they hold it already;
    /// `RotationInProgress`; `Corrupt`, when something would be lost with a former key of the vault: then nothing changes.
    pub fn move_key_to_client(&self, at: At<'_>, confirmation: Confirmation) -> Result<SecretString> {
        let (id, text) = self.write(UseCase::SwitchCustody, |operation| {
            let project = operation.key_project(at, Reach::Inside)?;
            check_custody(&project, Custody::Server)?;
            check_idle(&project)?;
            confirmation.check()?;
            let record = operation.active_key(&project)?;
            let text = operation.key_text(&project, &record)?.ok_or_else(damaged)?;
            let mut moved = project.clone();
            moved.custody = Custody::Client;
            moved.custody_changes += 1;

            let (mut resealed, mut skipped) = (Vec::new(), 0);
            for (node, version) in operation.all_versions(project.id)? {
                match operation.move_version(&project, &moved, node, version)? {
                    MovedVersion::Resealed(former) => resealed.push(former),
                    MovedVersion::Unopened => skipped += 1,
                    MovedVersion::AsItIs => {}
                }
            }
            operation.reindex_versions(&project, &resealed)?;
            let levels = operation.levels(project.id)?;
            operation.check_no_level_needs_a_former_key(&project, &levels)?;
            for Level { mut content, accessed_at } in levels {
                content.entries = None;
                put(operation.tx, &keys::content(project.id, content.number), &content, Precondition::Present)?;
                let level = LevelRecord { number: content.number, variables: BTreeMap::new(), accessed_at };
                put(operation.tx, &keys::level(project.id, content.node), &level, Precondition::Present)?;
            }
            operation.remove_range(&keys::accesses(project.id))?;
            operation.remove_range(&keys::project_integration_writings(project.id))?;
            let mut scan = Scan::new(keys::level_keys(project.id), Order::Ascending);
            while let Some(stored) = scan.next(operation.tx)? {
                let mut record: KeyRecord = decode(&stored.value)?;
                (record.text, record.data) = (None, None);
                if record.version == project.key_version {
                    record.custody = Custody::Client;
                }
                put(operation.tx, &stored.key, &record, Precondition::Present)?;
            }
            operation.put_project(&mut moved)?;
            let details = Details::default().with("op", "custody").with("custody", "client");
            let details =
                details.with("version", record.version).with("versions", resealed.len()).with("skipped", skipped);
            operation.record(Action::Update, Resource::key(&moved), details)?;
            Ok((project.id, text))
        })?;
        self.vault.keys.forget_level_keys(id);
        Ok(text)
    }
}

/// What became of a version when its project's people got the key.
enum MovedVersion {
    /// It is under the key in use, or under one that people hold.
    AsItIs,
    /// It was under a former key of the vault, and is under the key in use now.
    Resealed(VersionKey),
    /// It does not open.
    Unopened,
}

impl OperationContext<'_, '_> {
    /// Makes sure that the key in use opens a version, unless people hold the key that does.
    fn move_version(
        &mut self,
        project: &ProjectRecord,
        moved: &ProjectRecord,
        node: LevelId,
        mut version: VersionRecord,
    ) -> Result<MovedVersion> {
        if version.custody == Custody::Client {
            return Ok(MovedVersion::AsItIs);
        }
        if version.key_version == project.key_version {
            version.custody = Custody::Client;
            put(self.tx, &keys::version(project.id, node, version.number), &version, Precondition::Present)?;
            return Ok(MovedVersion::AsItIs);
        }
        let content = self.content(project.id, node, version.number)?;
        let Some(text) = self.text(project, &content)? else {
            return Ok(MovedVersion::Unopened);
        };
        let key = self.level_key(project, project.key_version)?;
        let blob = self.vault.cipher.seal(&key, text.expose_secret(), &*self.vault.random)?;
        Ok(MovedVersion::Resealed(self.reseal_version(moved, content, &blob)?))
    }
}

impl OperationContext<'_, '_> {
    /// Refuses to remove the vault's former level keys while what a level holds now opens with one of them. Versions that
    /// do were sealed with the key in use before.
    fn check_no_level_needs_a_former_key(&mut self, project: &ProjectRecord, levels: &[Level]) -> Result<()> {
        let mut count = 0;
        for Level { content, .. } in levels.iter().filter(|level| level.content.key_version != project.key_version) {
            match self.text(project, content) {
                Ok(Some(_)) => count += 1,
                Ok(None) => {}
                Err(error) if error.kind() == ErrorKind::ClientManaged => {}
                Err(error) => return Err(error),
            }
        }
        if count == 0 {
            return Ok(());
        }
        let message = format!(
            "what {count} levels hold only opens with a former key of the vault, so that key stays and nothing was changed: \
             rotate the key of the project, then try again"
        );
        Err(Error::new(ErrorKind::Corrupt, message))
    }
}

impl Session<'_> {
    /// Hands the vault the key that the project's people held so far: the key string, or for the random scheme the text
    /// of the key. White space around a key string counts only if the key without it is not the right one. No blob is
    /// sealed again; from now on, levels that hold dotenv text are read entry by entry.
    ///
    /// # Errors
    /// `NotFound`; `InvalidValue`, when the vault holds the key already, or for what is no such key;
    /// `RotationInProgress`; `KeyProofMismatch`; `DecryptionFailed`, for a key that has the proof of the right one and
    /// opens nothing; `KeyVersionConflict`, when the key was rotated meanwhile.
    pub fn store_key_on_server(&self, at: At<'_>, key: &SecretString) -> Result<()> {
        let text = key.expose_secret();
        match self.store_verbatim_key(at, &text.trim().into()) {
            Err(error)
                if text.trim() != text
                    && matches!(error.kind(), ErrorKind::KeyProofMismatch | ErrorKind::DecryptionFailed) =>
            {
                self.store_verbatim_key(at, key)
            }
            stored => stored,
        }
    }

    fn store_verbatim_key(&self, at: At<'_>, key: &SecretString) -> Result<()> {
        let (version, derivation) = self.read(UseCase::SwitchCustody, |operation| {
            let project = operation.key_project(at, Reach::Inside)?;
            check_custody(&project, Custody::Client)?;
            check_idle(&project)?;
            let record = operation.active_key(&project)?;
            Ok((record.version, record.pbkdf2()?))
        })?;
        // Between two transactions, because it can take long.
        let (text, data, proof) = match &derivation {
            Some(derivation) => {
                let key = KeyString::verbatim(key.expose_secret())?;
                let data = self.vault.keys.derive(derivation, &key)?;
                (key.to_text(), data, KeyProof::new(&key, derivation).to_text())
            }
            None => {
                let data = LevelKey::parse(key.expose_secret())?;
                let proof = KeyProof::of(&data).to_text();
                (data.to_text(), data, proof)
            }
        };
        self.write(UseCase::SwitchCustody, |operation| {
            let mut project = operation.key_project(at, Reach::Inside)?;
            check_custody(&project, Custody::Client)?;
            check_idle(&project)?;
            if project.key_version != version {
                let message = "the key was rotated meanwhile: hand over the one that is in use now";
                return Err(Error::new(ErrorKind::KeyVersionConflict, message));
            }
            operation.check_proof(&project, Some(&proof))?;
            project.custody = Custody::Server;
            project.custody_changes += 1;
            let mut record = operation.active_key(&project)?;
            record.custody = Custody::Server;
            record.text = Some(operation.seal_row(&project, Row::KeyText(version), text.expose_secret().as_bytes())?);
            record.data = Some(operation.seal_row(&project, Row::KeyBytes(version), data.expose_bytes())?);
            put(operation.tx, &keys::level_key(project.id, version), &record, Precondition::Present)?;

            let levels = operation.levels(project.id)?;
            let levels: Vec<_> = levels.into_iter().filter(|level| level.content.key_version == version).collect();
            let versions = operation.all_versions(project.id)?;
            let versions: Vec<_> = versions.into_iter().filter(|(_, former)| former.key_version == version).collect();
            // Keys that share a proof can differ.
            let mut is_right = levels.is_empty() && versions.is_empty();
            let mut count = 0;
            for level in levels {
                if let Some(text) = operation.text(&project, &level.content)? {
                    is_right = true;
                    count += u32::from(operation.index(&project, level, &text)?);
                }
            }
            if !is_right && !operation.opens_one(&project, &versions)? {
                let message = "the key has the proof of the project's key, but opens nothing: look for a typo behind its first 32 characters";
                return Err(Error::new(ErrorKind::DecryptionFailed, message));
            }
            for (node, mut former) in versions {
                former.custody = Custody::Server;
                put(operation.tx, &keys::version(project.id, node, former.number), &former, Precondition::Present)?;
            }
            operation.put_project(&mut project)?;
            let details = Details::default().with("op", "custody").with("custody", "server");
            let details = details.with("version", version).with("levels", count);
            operation.record(Action::Update, Resource::key(&project), details)
        })
    }
}

impl OperationContext<'_, '_> {
    /// Whether one of these versions opens.
    fn opens_one(&mut self, project: &ProjectRecord, versions: &[(LevelId, VersionRecord)]) -> Result<bool> {
        for (node, version) in versions {
            let content = self.content(project.id, *node, version.number)?;
            if self.text(project, &content)?.is_some() {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Writes down what a level says entry by entry; `false`, if it is no dotenv text.
    fn index(&mut self, project: &ProjectRecord, level: Level, text: &SecretBytes) -> Result<bool> {
        let text = std::str::from_utf8(text.expose_secret()).ok();
        let Some(document) = text.and_then(|text| Document::parse(text).ok()) else {
            return Ok(false);
        };
        let Level { mut content, accessed_at } = level;
        let (node, number) = (content.node, content.number);
        let nothing = Document::default();
        let differences = differences(&nothing, &document, |name| Some(name.clone()));
        let entries = Entries::default().follow(&differences, number, content.written_at);
        let entries: SecretString = encode(&entries)?.into();
        content.entries =
            Some(self.seal_row(project, Row::Entries(node, number), entries.expose_secret().as_bytes())?);
        put(self.tx, &keys::content(project.id, number), &content, Precondition::Present)?;
        let level = LevelRecord { number, variables: variables(&document), accessed_at };
        put(self.tx, &keys::level(project.id, node), &level, Precondition::Present)?;
        Ok(true)
    }
}
