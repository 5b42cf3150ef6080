//! Levels as a whole: the blob that anyone with the key can open, and the document in it.

use std::collections::BTreeSet;

use super::confirmation::Confirmation;
use super::content::{Level, Opened, check_blob, parse};
use super::diff::{Difference, differences, renamed};
use super::entries::Entries;
use super::envelope::client_managed;
use super::keys;
use super::operation::OperationContext;
use super::place::At;
use super::place::{Place, Reach};
use super::records::{ContentRecord, KeyRecord, ProjectRecord, require};
use super::rights::READING;
use super::session::Session;
use super::setters::setters;
use super::use_case::UseCase;
use crate::core::audit::{Action, Details, Resource, ResourceKind};
use crate::core::blob::SealedBlob;
use crate::core::clock::Timestamp;
use crate::core::custody::Custody;
use crate::core::document::{Document, Entry, Kind};
use crate::core::id::LevelId;
use crate::core::key::Pbkdf2;
use crate::core::name::VarName;
use crate::core::path::LevelPath;
use crate::core::permission::Permission;
use crate::core::secret::{SecretBytes, SecretString};
use crate::core::secret_format::SecretFormat;
use crate::core::version_action::VersionAction;
use crate::error::{Error, ErrorKind, Result};

/// The blobs of a level and of those above it.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Blobs {
    /// Who can open them.
    pub custody: Custody,
    /// How the key string becomes the level key in use; none, for a random key.
    pub derivation: Option<Pbkdf2>,
    /// What their text is.
    pub secret_format: SecretFormat,
    /// One for each level of the path, broad to specific, also for those that hold nothing.
    pub levels: Vec<Blob>,
}

/// The blob of one level.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Blob {
    /// The id of the level.
    pub id: LevelId,
    /// Where the level stands.
    pub path: LevelPath,
    /// What it holds; nothing, when it was never written or was deleted.
    pub content: Option<SealedBlob>,
    /// What that says, where it was to be opened, the key opens it, and it is text: of any kind, to the byte.
    pub text: Option<SecretString>,
    /// The version of the level key it is sealed with.
    pub key_version: u32,
    /// When it was written.
    pub written_at: Option<Timestamp>,
}

impl Session<'_> {
    /// The blobs of a level and of those above it. This works in both custodies: nothing is opened.
    ///
    /// # Errors
    /// `NotFound`.
    pub fn blobs(&self, at: At<'_>) -> Result<Blobs> {
        self.read(UseCase::ReadBlobs, |operation| operation.blobs(at, false))
    }

    /// The same with what they say, whatever that is. A blob that does not open, because somebody sealed it with another
    /// key, comes without it.
    ///
    /// # Errors
    /// `NotFound`; `ClientManaged`.
    pub fn opened_blobs(&self, at: At<'_>) -> Result<Blobs> {
        self.read(UseCase::OpenBlobs, |operation| operation.blobs(at, true))
    }
}

impl OperationContext<'_, '_> {
    fn blobs(&mut self, at: At<'_>, open: bool) -> Result<Blobs> {
        let place = self.place(at, Reach::Inside)?;
        let project = &place.project;
        if open && project.custody == Custody::Client {
            return Err(client_managed());
        }
        let mut levels = Vec::new();
        let mut names: Vec<VarName> = Vec::new();
        let chain = place.chain()?;
        let ids: Vec<LevelId> = chain.iter().map(|(id, _)| *id).collect();
        for ((id, path), level) in chain.into_iter().zip(self.levels_at(project, &ids)?) {
            let mut blob =
                Blob { id, path, content: None, text: None, key_version: project.key_version, written_at: None };
            if let Some(level) = level {
                blob.content = Some(self.blob(project, &level.content)?);
                blob.key_version = level.content.key_version;
                blob.written_at = Some(level.content.written_at);
                let text = if open { self.text_if_ours(project, &level.content)? } else { None };
                if let Some(text) = text {
                    self.accessed_all(project, &level);
                    let document = parse(&text);
                    names.extend(document.iter().flat_map(Document::entries).map(|entry| entry.name().clone()));
                    blob.text = std::str::from_utf8(text.expose_secret()).ok().map(SecretString::from);
                }
            }
            levels.push(blob);
        }
        let details = if open {
            names.sort_unstable();
            names.dedup();
            Details::read("export", names.iter().map(VarName::as_str))
        } else {
            let count = levels.iter().filter(|level| level.content.is_some()).count();
            Details::default().with("op", "blobs").with("count", count)
        };
        self.record(Action::Read, Resource::of(&place)?, details)?;
        let key: KeyRecord = require(self.tx, &keys::level_key(project.id, project.key_version))?;
        Ok(Blobs { custody: project.custody, derivation: key.pbkdf2()?, secret_format: project.secret_format, levels })
    }

    /// What a content holds; nothing, where another key sealed it, such as one that people kept for themselves.
    fn text_if_ours(&mut self, project: &ProjectRecord, content: &ContentRecord) -> Result<Option<SecretBytes>> {
        match self.text(project, content) {
            Err(error) if error.kind() == ErrorKind::ClientManaged => Ok(None),
            text => text,
        }
    }
}

/// A level that is being changed from the inside: what it was, and where it stands.
pub(super) struct Change {
    pub(super) place: Place,
    pub(super) level: Option<Level>,
    pub(super) opened: Opened,
}

impl OperationContext<'_, '_> {
    /// Opens a level for a change of its document.
    pub(super) fn change(&mut self, at: At<'_>) -> Result<Change> {
        let (place, level) = self.changeable(at)?;
        let opened = self.opened(&place.project, level.as_ref())?;
        Ok(Change { place, level, opened })
    }

    /// Opens a level for another document, whatever it holds: a blob that is no document counts as an empty one.
    pub(super) fn replace(&mut self, at: At<'_>) -> Result<Change> {
        let (place, level) = self.changeable(at)?;
        let opened = self.opened_or_empty(&place.project, level.as_ref())?;
        Ok(Change { place, level, opened })
    }

    fn changeable(&mut self, at: At<'_>) -> Result<(Place, Option<Level>)> {
        let place = self.place(at, Reach::Inside)?;
        if place.project.custody == Custody::Client {
            return Err(client_managed());
        }
        let project = place.project.id;
        self.tx.prefetch(&[keys::level(project, place.id()), keys::counter(project), keys::version_count(project)])?;
        let level = self.level(&place.project, place.id())?;
        Ok((place, level))
    }

    /// Writes the document if its text is another one, and records each entry that changed, or else what did.
    pub(super) fn finish_replace(&mut self, change: Change, document: &Document) -> Result<()> {
        let old = &change.opened.document;
        if !differences(old, document, renamed(&[])).is_empty() {
            return self.finish_change(change, document, &[], &[]);
        }
        // The order, or what stands between the entries; a blob that is no document has no text.
        let is_understood = change.level.as_ref().is_none_or(|level| level.content.entries.is_some());
        let is_other = !is_understood || old.to_text().expose_secret() != document.to_text().expose_secret();
        let details = Details::changed(if is_other { &["text"] } else { &[] });
        self.record(Action::Update, Resource::of(&change.place)?.kind(ResourceKind::Level), details)?;
        if is_other {
            let Change { place, level, opened } = change;
            self.write_document(&place, level, document, opened.entries, &[])?;
        }
        Ok(())
    }

    /// Writes the document if it is another one, and records each entry that is. `asked` are names that were to be set:
    /// those that are as before are recorded, too, as changed in nothing.
    pub(super) fn finish_change(
        &mut self,
        change: Change,
        document: &Document,
        renames: &[(VarName, VarName)],
        asked: &[VarName],
    ) -> Result<()> {
        let Change { place, level, opened: Opened { document: old, entries } } = change;
        let differences = differences(&old, document, renamed(renames));
        self.check_disclosure(&old, &entries, &differences)?;
        self.record_differences(&place, &differences)?;
        let different: BTreeSet<&VarName> = differences.iter().map(Difference::name).collect();
        for name in asked {
            if let Some(entry) = document.get(name.as_str())
                && !different.contains(name)
            {
                self.record_unchanged(&place, entry)?;
            }
        }
        if differences.is_empty() {
            return Ok(());
        }
        self.write_document(&place, level, document, entries, &differences)
    }
}

impl OperationContext<'_, '_> {
    /// Refuses a caller who may not read and decrypt secrets to make a variable of one, or to give its name to a variable:
    /// the values of variables are stored and recorded in plaintext, also those that others set later. That holds for a name
    /// whose secret was deleted, too.
    fn check_disclosure(&self, old: &Document, known: &Entries, differences: &[Difference<'_>]) -> Result<()> {
        let is_secret = |entry: Option<&Entry>| entry.is_some_and(|entry| entry.kind() == Kind::Secret);
        let mut variables = differences
            .iter()
            .filter_map(|difference| Some((difference.old, difference.new?)))
            .filter(|(_, new)| new.kind() == Kind::Variable);
        if variables.any(|(before, new)| {
            is_secret(before)
                || is_secret(old.get(new.name().as_str()))
                || (before.is_none() && known.was_secret_after(0, new.name()))
        }) {
            return self.allow(READING);
        }
        Ok(())
    }
}

impl Session<'_> {
    /// Removes what a level holds. It is kept as a version, so that it can be restored; a level that holds nothing is
    /// left as it is.
    ///
    /// # Errors
    /// `NotFound`.
    pub fn delete_level(&self, at: At<'_>) -> Result<()> {
        self.write(UseCase::DeleteLevel, |operation| {
            let place = operation.place(at, Reach::Inside)?;
            if let Some(level) = operation.level(&place.project, place.id())? {
                let number = operation.next_number(&place.project)?;
                operation.keep_version(&place.project, &level.content, VersionAction::Delete, Some(number))?;
                operation.forget_changes(&place.project, place.id(), number)?;
                operation.content_changed(&place.project, place.id())?;
            }
            operation.tx.delete(&keys::level(place.project.id, place.id()))?;
            operation.tx.delete(&keys::access(place.project.id, place.id()))?;
            let resource = Resource::of(&place)?.kind(ResourceKind::Level);
            operation.record(Action::Delete, resource, Details::default().with("op", "delete"))
        })
    }

    /// Removes what a level holds and all its versions, for good.
    ///
    /// # Errors
    /// `NotFound`; `Unconfirmed`, unless the call is confirmed.
    pub fn purge_level(&self, at: At<'_>, confirmation: Confirmation) -> Result<()> {
        self.write(UseCase::PurgeLevel, |operation| {
            let place = operation.place(at, Reach::Inside)?;
            confirmation.check()?;
            let count = operation.remove_versions(place.project.id, &keys::versions(place.project.id, place.id()))?;
            if operation.level(&place.project, place.id())?.is_some() {
                let number = operation.next_number(&place.project)?;
                operation.forget_changes(&place.project, place.id(), number)?;
                operation.content_changed(&place.project, place.id())?;
            }
            operation.remove_level(place.project.id, place.id())?;
            let details = Details::default().with("op", "purge").with("versions", count);
            operation.record(Action::Delete, Resource::of(&place)?.kind(ResourceKind::Level), details)
        })
    }
}

/// A blob for a level to hold.
#[derive(Clone, Debug)]
pub struct NewBlob {
    pub(crate) content: SealedBlob,
    pub(crate) key_proof: Option<SecretString>,
    pub(crate) backup: bool,
    pub(crate) replaces: Expected,
}

impl NewBlob {
    /// Creates the input for a blob that was sealed with the level key in use.
    pub fn new(content: SealedBlob) -> Self {
        Self { content, key_proof: None, backup: true, replaces: Expected::Anything }
    }

    setters! {
        /// Sets the proof of the level key, which a client-managed project needs; others ignore it.
        key_proof: Option<impl Into<SecretString>>;
        /// Sets whether what the level holds now is kept as a version. By default it is. Otherwise the write takes
        /// `secret:purge`, too, if the level holds anything.
        backup: bool;
    }

    /// Refuses the write unless the level still holds that blob, so that no change by somebody else is lost.
    #[must_use]
    pub fn replaces(mut self, blob: SealedBlob) -> Self {
        self.replaces = Expected::Blob(blob);
        self
    }

    /// Refuses the write unless the level is still empty.
    #[must_use]
    pub fn replaces_nothing(mut self) -> Self {
        self.replaces = Expected::Nothing;
        self
    }
}

/// What a level must hold for a blob to replace it.
#[derive(Clone, Debug)]
pub(crate) enum Expected {
    Anything,
    Nothing,
    Blob(SealedBlob),
}

impl Expected {
    fn is_met_by(&self, there: Option<&SealedBlob>) -> bool {
        match self {
            Self::Anything => true,
            Self::Nothing => there.is_none(),
            Self::Blob(blob) => there == Some(blob),
        }
    }
}

impl Session<'_> {
    /// Puts a blob in the place of what a level holds. In server custody, a blob that holds dotenv text is understood
    /// entry by entry, any other kept as it is. A user also needs `secret:delete` where the level holds anything, because
    /// nothing of that remains. A secret becomes a variable only if the caller may read and decrypt secrets.
    ///
    /// # Errors
    /// `NotFound`; `Denied`; `Limit`, beyond 1 MiB of base64 text; `InvalidValue` with
    /// [`Refusal::ReusedIv`](crate::vault::Refusal::ReusedIv), for a blob that another level of the project has or had, or
    /// whose initialization vector was used before for other content; `Conflict`, when the level holds another blob than the one this
    /// replaces; `KeyVersionConflict`, for what was sealed with the key that was in use before, which nobody could open any
    /// more; in client custody `KeyProofRequired` and `KeyProofMismatch`.
    pub fn set_blob(&self, at: At<'_>, new: &NewBlob) -> Result<()> {
        self.write(UseCase::SetBlob, |operation| {
            let place = operation.place(at, Reach::Inside)?;
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
                let text = self.vault.cipher.open(&key, &new.content).ok();
                if text.is_none() {
                    operation.check_not_former(project, &new.content)?;
                }
                text.and_then(|text| parse(&text))
            };
            if !matches!(new.replaces, Expected::Anything) {
                let there = level.as_ref().map(|level| operation.blob(project, &level.content)).transpose()?;
                if !new.replaces.is_met_by(there.as_ref()) {
                    return Err(changed());
                }
            }
            let is_unkept = level.is_some() && !new.backup;
            if is_unkept && project.versioning {
                operation.allow(Permission::SecretPurge.into())?;
            }
            let number = operation.next_number(project)?;
            // Where nobody here can see what changed, something did.
            let mut is_changed = level.as_ref().is_none_or(|level| level.content.entries.is_none());
            if let Some(document) = &document {
                // What was there before may be no document; then all entries are new.
                let opened = operation.opened_or_empty(project, level.as_ref())?;
                let differences = differences(&opened.document, document, renamed(&[]));
                operation.check_disclosure(&opened.document, &opened.entries, &differences)?;
                is_changed |= !differences.is_empty();
                entries = Some(opened.entries.clone().follow(&differences, number, operation.now));
                operation.scrub_new_secrets(&place, &differences)?;
                let names = document.entries().iter().map(|entry| entry.name().as_str());
                details = Details::read("store", names).with("bytes", new.content.to_string().len());
            }
            if is_unkept {
                details = details.with("noBackup", true);
            }
            if is_changed || document.is_none() {
                operation.content_changed(project, place.id())?;
            }
            let action = if level.is_some() { Action::Update } else { Action::Create };
            let known = document.as_ref().zip(entries);
            let keep = project.versioning && new.backup;
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
        if self.vault.cipher.open(&key, blob).is_err() {
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

impl Session<'_> {
    /// Puts a document in the place of what a level says. Entries that are as before keep what is known of them.
    ///
    /// # Errors
    /// `NotFound`; `ClientManaged`; `Denied`, also for a secret that is to be a variable, if the caller may not read and
    /// decrypt secrets; `Limit`, beyond 1 MiB of base64 text.
    pub fn set_document(&self, at: At<'_>, document: &Document) -> Result<()> {
        self.write(UseCase::SetDocument, |operation| {
            let change = operation.replace(at)?;
            operation.finish_replace(change, document)
        })
    }
}
