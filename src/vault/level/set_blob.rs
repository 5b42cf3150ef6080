use super::super::Custody;
use super::super::content::{VersionAction, check_blob, parse};
use super::super::diff::{differences, renamed};
use super::super::operation::OperationContext;
use super::super::place::Reach;
use super::super::records::ProjectRecord;
use super::super::session::Session;
use super::super::use_case::UseCase;
use crate::core::{
    Action, Aes256Gcm, Cipher as _, Details, Id, LevelPath, Permission, Resource, ResourceKind, SealedBlob,
    SecretString,
};
use crate::{Error, ErrorKind, Result};

/// A blob that a level is to hold.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct NewBlob {
    /// What was sealed with the level key in use.
    pub content: SealedBlob,
    /// The proof of that key, which a client-managed project asks for; otherwise it is passed over.
    pub key_proof: Option<SecretString>,
    /// Whether what the level holds now is not kept as a version.
    pub no_backup: bool,
    /// What the level must still hold, so that no change by somebody else is lost; `Some(None)` for nothing. Where it is
    /// not given, the level may hold anything.
    pub replaces: Option<Option<SealedBlob>>,
}

impl NewBlob {
    /// A blob without a proof, which keeps what was there.
    pub fn new(content: SealedBlob) -> Self {
        Self { content, key_proof: None, no_backup: false, replaces: None }
    }

    /// The same with a proof.
    #[must_use]
    pub fn key_proof(mut self, proof: impl Into<SecretString>) -> Self {
        self.key_proof = Some(proof.into());
        self
    }

    /// The same, if the level still holds that.
    #[must_use]
    pub fn replaces(mut self, there: Option<SealedBlob>) -> Self {
        self.replaces = Some(there);
        self
    }
}

impl Session<'_> {
    /// Puts a blob in the place of what a level holds. In server custody, a blob that holds dotenv text is understood
    /// entry by entry, any other kept as it is. A user also needs `secret:delete` where the level holds anything, because
    /// nothing of that remains.
    ///
    /// # Errors
    /// `NotFound`; `Limit`, beyond 1 MiB of base64 text; `Conflict`, when the level holds another blob than the one this
    /// replaces; `KeyVersionConflict`, for what was sealed with the key that was in use before, which nobody could open any
    /// more; in client custody `KeyProofRequired` and `KeyProofMismatch`.
    pub fn set_blob(&self, organization: Id, path: &LevelPath, new: &NewBlob) -> Result<()> {
        self.write(UseCase::SetBlob, |operation| {
            let place = operation.place(organization, path, Reach::Inside)?;
            let project = &place.project;
            let level = operation.level(project, place.id())?;
            if operation.principal.user.is_some() && level.is_some() {
                operation.allow(Permission::SecretDelete.into())?;
            }
            check_blob(&new.content)?;
            let mut details = Details::default().with("op", "store").with("bytes", new.content.to_string().len());
            let mut entries = None;
            let document = if project.custody == Custody::Client {
                operation.check_proof(project, new.key_proof.as_ref())?;
                None
            } else {
                let key = operation.level_key(project, project.key_version)?;
                let text = Aes256Gcm.open(&key, &new.content).ok();
                if text.is_none() {
                    operation.check_not_former(project, &new.content)?;
                }
                text.and_then(|text| parse(&text))
            };
            if let Some(expected) = &new.replaces {
                let there = level.as_ref().map(|level| operation.blob(project, &level.content)).transpose()?;
                if there != *expected {
                    return Err(changed());
                }
            }
            let number = operation.next_number(project)?;
            // Where nobody here can see what changed, something did.
            let mut is_changed = level.as_ref().is_none_or(|level| level.content.entries.is_none());
            if let Some(document) = &document {
                // What was there before may be no document; then all entries are new.
                let opened = operation.opened_or_empty(project, level.as_ref())?;
                let differences = differences(&opened.document, document, renamed(&[]));
                is_changed |= !differences.is_empty();
                entries = Some(opened.entries.clone().follow(&differences, number, operation.now));
                operation.scrub_new_secrets(&place, &differences)?;
                let names = document.entries().iter().map(|entry| entry.name().as_str());
                details = Details::read("store", names).with("bytes", new.content.to_string().len());
            }
            if is_changed || document.is_none() {
                operation.content_changed(project, place.id())?;
            }
            let action = if level.is_some() { Action::Update } else { Action::Create };
            let known = document.as_ref().zip(entries);
            let keep = project.versioning && !new.no_backup;
            operation.write_content(
                project,
                place.id(),
                level,
                number,
                &new.content,
                known,
                VersionAction::Update,
                keep,
            )?;
            operation.record(action, Resource::of(&place)?.kind(ResourceKind::Level), details)
        })
    }
}

impl OperationContext<'_, '_> {
    /// Refuses a blob that is sealed with the vault's key before the one in use.
    fn check_not_former(&mut self, project: &ProjectRecord, blob: &SealedBlob) -> Result<()> {
        let Some(former) = project.key_version.checked_sub(1).filter(|version| *version > 0) else {
            return Ok(());
        };
        let key = match self.level_key(project, former) {
            // People held it.
            Err(error) if error.kind() == ErrorKind::ClientManaged => return Ok(()),
            key => key?,
        };
        if Aes256Gcm.open(&key, blob).is_err() {
            return Ok(());
        }
        let message = "the key was rotated meanwhile: get the key again, and seal with that; nothing was stored";
        Err(Error::new(ErrorKind::KeyVersionConflict, message))
    }
}

#[cold]
fn changed() -> Error {
    let message =
        "somebody has written to the level meanwhile: read it again, and change what it says now; nothing was stored";
    Error::new(ErrorKind::Conflict, message)
}
