use super::super::Custody;
use super::super::content::{VersionAction, check_blob};
use super::super::diff::{differences, renamed};
use super::super::session::Session;
use super::super::use_case::UseCase;
use super::{is_locked, locked};
use crate::core::{
    Action, Aes256Gcm, Cipher as _, Details, Document, Id, Resource, ResourceKind, SealedBlob, SecretString,
};
use crate::{Error, ErrorKind, Result};

/// What goes along with a version of a client-managed project that is to be restored.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Restore {
    /// The same content, sealed with the key in use by somebody who has both keys. Needed where the version is sealed
    /// with a former key.
    pub content: Option<SealedBlob>,
    /// The proof of the key in use, which goes with such content.
    pub key_proof: Option<SecretString>,
}

impl Session<'_> {
    /// Puts a former content back in its place, also where the level was deleted. What the level holds now becomes a
    /// version in turn: nothing is lost by it, so a level can be rolled back to any state and forth again.
    ///
    /// # Errors
    /// `NotFound`; `VersionLocked`, when it is too old; in client custody, for a version of a former key,
    /// `ContentRequired`, `KeyProofRequired` and `KeyProofMismatch`.
    pub fn restore_version(&self, organization: Id, id: u64, restore: &Restore) -> Result<()> {
        self.write(UseCase::RestoreVersion, |call| {
            let owner = call.organization(organization)?;
            let found = call.version(organization, id)?;
            if is_locked(&owner, found.version.created_at, call.now) {
                return Err(locked(&owner));
            }
            let (place, project) = (&found.place, &found.place.project);
            let level = call.level(project, place.id())?;
            let is_current_key = found.content.key_version == project.key_version;
            let mut document = None;
            let blob = match project.custody {
                Custody::Client => match (&restore.content, is_current_key) {
                    (Some(content), _) => {
                        call.check_proof(project, restore.key_proof.as_ref())?;
                        check_blob(content)?;
                        content.clone()
                    }
                    (None, true) => call.blob(project, &found.content)?,
                    (None, false) => return Err(content_required()),
                },
                Custody::Server => {
                    let old_key = call.data_key(project, found.content.key_version)?;
                    let blob = call.blob(project, &found.content)?;
                    let opened = Aes256Gcm.open(&old_key, &blob).ok();
                    document = opened
                        .as_ref()
                        .and_then(|bytes| Document::parse(std::str::from_utf8(bytes.expose_secret()).ok()?).ok());
                    match opened.filter(|_| !is_current_key) {
                        Some(bytes) => {
                            let key = call.data_key(project, project.key_version)?;
                            Aes256Gcm.seal(&key, bytes.expose_secret(), &*call.vault.random)?
                        }
                        None => blob,
                    }
                }
            };
            let number = call.next_number(project)?;
            let mut entries = None;
            let mut is_changed = level.as_ref().is_none_or(|level| level.content.entries.is_none());
            if let Some(document) = &document {
                let opened = call.opened_or_empty(project, level.as_ref())?;
                // Entries that come back are the ones they were: what was known of them is taken up again.
                let former = call.entries(project, &found.content)?;
                let renames = former.renames_since(&opened.entries);
                let differences = differences(&opened.document, document, renamed(&renames));
                is_changed |= !differences.is_empty();
                entries = Some(former.returning(&opened.entries).follow(&differences, number, call.now));
                call.scrub_new_secrets(place, &differences)?;
            }
            if is_changed || document.is_none() {
                call.content_changed(project, place.id())?;
            }
            let known = document.as_ref().zip(entries);
            let keep = project.versioning;
            call.write_content(project, place.id(), level, number, &blob, known, VersionAction::Restore, keep)?;
            let details = Details::default().with("op", "restore").with("version", id);
            call.record(Action::Update, Resource::of(place)?.kind(ResourceKind::Level), details)
        })
    }
}

#[cold]
fn content_required() -> Error {
    let message = "this version is sealed with a former key of the project's people: send its content sealed with the key in use, and the proof of that key";
    Error::new(ErrorKind::ContentRequired, message)
}
