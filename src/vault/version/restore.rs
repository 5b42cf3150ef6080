use crate::core::audit::{Action, Details, Resource, ResourceKind};
use crate::core::blob::SealedBlob;
use crate::core::custody::Custody;
use crate::core::document::Document;
use crate::core::id::LevelId;
use crate::core::id::OrganizationId;
use crate::core::permission::Permission;
use crate::core::secret::SecretString;
use crate::core::version_action::VersionAction;
use crate::error::{Error, ErrorKind, Result};
use crate::vault::content::{Level, check_blob, parse};
use crate::vault::diff::{Difference, differences, renamed};
use crate::vault::entries::Entries;
use crate::vault::operation::OperationContext;
use crate::vault::place::Place;
use crate::vault::records::ContentRecord;
use crate::vault::session::Session;
use crate::vault::setters::setters;
use crate::vault::use_case::UseCase;
use crate::vault::version::check_lock;

/// What goes along with a version of a client-managed project to restore.
#[derive(Clone, Debug, Default)]
pub struct Restore {
    pub(crate) content: Option<SealedBlob>,
    pub(crate) key_proof: Option<SecretString>,
}

impl Restore {
    /// Creates the input for a version that is sealed with the key in use.
    pub fn new() -> Self {
        Self::default()
    }

    setters! {
        /// Sets the same content, sealed with the key in use by a caller who has both keys. A version under a former
        /// key needs it.
        content: Option<SealedBlob>;
        /// Sets the proof of the key in use, which such content needs.
        key_proof: Option<impl Into<SecretString>>;
    }
}

impl Session<'_> {
    /// Puts a former content back in its place, also where the level was deleted. What the level holds now becomes a
    /// version in turn: nothing is lost by it, so a level can be rolled back to any state and forth again. Tells the id of
    /// the level.
    ///
    /// A variable that comes back and is a secret now, or was one since, comes back as a secret, unless the caller may read
    /// and decrypt secrets there.
    ///
    /// A user also needs `secret:delete` there, where entries are there now that were not there then, or nobody here can
    /// tell.
    ///
    /// # Errors
    /// `NotFound`; `Denied`; `VersionLocked`, when it is too old; in client custody, for a version of a former key,
    /// `ContentRequired`, `KeyProofRequired` and `KeyProofMismatch`.
    pub fn restore_version(&self, organization: OrganizationId, id: u64, restore: &Restore) -> Result<LevelId> {
        self.write(UseCase::RestoreVersion, |operation| {
            let owner = operation.organization(organization)?;
            let found = operation.version(organization, id)?;
            check_lock(&owner, found.version.created_at, operation.now)?;
            let (place, project) = (&found.place, &found.place.project);
            let level = operation.level(project, place.id())?;
            let mut document = None;
            let blob = match project.custody {
                Custody::Client => match (&restore.content, found.content.key_version == project.key_version) {
                    (Some(content), _) => {
                        operation.check_proof(project, restore.key_proof.as_ref())?;
                        check_blob(content)?;
                        content.clone()
                    }
                    (None, true) => operation.blob(project, &found.content)?,
                    (None, false) => return Err(content_required()),
                },
                Custody::Server => {
                    let returning = operation.returning(place, &found.content)?;
                    document = returning.document;
                    returning.blob
                }
            };
            let is_user = operation.principal.user.is_some();
            if is_user
                && let Some(level) = &level
                && (document.is_none() || operation.understood(project, &level.content)?.is_none())
            {
                operation.allow(Permission::SecretDelete.into())?;
            }
            match &document {
                Some(document) => {
                    let now = operation.opened_or_empty(project, level.as_ref())?;
                    let former = operation.entries(project, &found.content)?;
                    let renames = former.renames_since(&now.entries);
                    let differences = differences(&now.document, document, renamed(&renames));
                    if is_user {
                        operation.check_removal(&differences)?;
                    }
                    let known = Some((document, former.returning(&now.entries)));
                    operation.put_back(place, level, &blob, known, &differences)?;
                }
                None => {
                    operation.put_back(place, level, &blob, None, &[])?;
                }
            }
            let details = Details::default().with("op", "restore").with("version", id);
            operation.record(Action::Update, Resource::of(place)?.kind(ResourceKind::Level), details)?;
            Ok(place.id())
        })
    }
}

/// What a level gets when a former content comes back.
pub(super) struct Returning {
    pub(super) blob: SealedBlob,
    /// Nothing, for a blob that is no document.
    pub(super) document: Option<Document>,
}

impl OperationContext<'_, '_> {
    /// What a level gets when a former content comes back: sealed with the key in use, if it opens, and with the kinds that
    /// its entries may have by now.
    pub(super) fn returning(&mut self, place: &Place, content: &ContentRecord) -> Result<Returning> {
        let project = &place.project;
        let key = self.level_key(project, content.key_version)?;
        let blob = self.blob(project, content)?;
        let Ok(bytes) = self.vault.cipher.open(&key, &blob) else {
            return Ok(Returning { blob, document: None });
        };
        let mut document = parse(&bytes);
        if let Some(document) = &mut document
            && self.keep_secrets(place, content, document)?
        {
            return Ok(Returning { blob: self.seal_document(project, document)?, document: Some(document.clone()) });
        }
        let is_in_use = content.key_version == project.key_version;
        let blob = if is_in_use { blob } else { self.seal(project, bytes.expose_secret())? };
        Ok(Returning { blob, document })
    }

    /// Writes what a level held before over what it holds, and tells the number of that. `known` is the document in the
    /// blob with what is known of its entries: those that come back are the ones they were.
    pub(super) fn put_back(
        &mut self,
        place: &Place,
        level: Option<Level>,
        blob: &SealedBlob,
        known: Option<(&Document, Entries)>,
        differences: &[Difference<'_>],
    ) -> Result<u32> {
        let (project, action) = (&place.project, VersionAction::Restore);
        // Where nobody here can see what changed, something did.
        let was_understood = level.as_ref().is_some_and(|level| level.content.entries.is_some());
        if !differences.is_empty() || known.is_none() || !was_understood {
            self.content_changed(project, place.id())?;
        }
        let number = self.next_number(project)?;
        let known = known.map(|(document, entries)| (document, entries.follow(differences, number, self.now)));
        self.scrub_new_secrets(place, differences)?;
        self.write_content(project, place.id(), level, number, blob, known, action, project.versioning)?;
        Ok(number)
    }
}

#[cold]
fn content_required() -> Error {
    let message = "this version is sealed with a former key of the project's people: send its content sealed with the key in use, and the proof of that key";
    Error::new(ErrorKind::ContentRequired, message)
}
