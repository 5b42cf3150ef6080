use super::super::content::{Level, variables};
use super::super::diff::differences;
use super::super::entries::Entries;
use super::super::key_cache::Row;
use super::super::operation::OperationContext;
use super::super::place::Reach;
use super::super::records::{LevelRecord, ProjectRecord, VersionRecord, encode, put};
use super::super::session::Session;
use super::super::use_case::UseCase;
use super::super::{Custody, keys};
use super::{check_custody, check_idle};
use crate::core::{
    Action, Details, Document, Id, KeyProof, KeyString, LevelKey, Resource, SecretBytes, SecretString, Slug,
};
use crate::store::Precondition;
use crate::{Error, ErrorKind, Result};

impl Session<'_> {
    /// Hands the vault the key that the project's people held so far: the key string, or for the random scheme the text
    /// of the key. Nothing is sealed anew; levels that hold dotenv text are understood entry by entry from now on.
    ///
    /// # Errors
    /// `NotFound`; `InvalidValue`, when the vault holds the key already, or for what is no such key;
    /// `RotationInProgress`; `KeyProofMismatch`; `DecryptionFailed`, for a key that has the proof of the right one and
    /// opens nothing; `KeyVersionConflict`, when the key was rotated meanwhile.
    pub fn store_key_on_server(&self, organization: Id, project: &Slug, key: &SecretString) -> Result<()> {
        let (version, derivation) = self.read(UseCase::SwitchCustody, |operation| {
            let project = operation.key_project(organization, project, Reach::Inside)?;
            check_custody(&project, Custody::Client)?;
            check_idle(&project)?;
            let record = operation.active_key(&project)?;
            Ok((record.version, record.pbkdf2()?))
        })?;
        // Between two transactions, because it can take long.
        let (text, data, proof) = match &derivation {
            Some(derivation) => {
                let key = KeyString::new(key.expose_secret())?;
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
            let mut project = operation.key_project(organization, project, Reach::Inside)?;
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
    fn opens_one(&mut self, project: &ProjectRecord, versions: &[(Id, VersionRecord)]) -> Result<bool> {
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
