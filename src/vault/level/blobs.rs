use super::super::content::parse;
use super::super::key_cache::client_managed;
use super::super::keys;
use super::super::operation::OperationContext;
use super::super::place::Reach;
use super::super::records::{ContentRecord, KeyRecord, ProjectRecord, require};
use super::super::session::Session;
use super::super::use_case::UseCase;
use super::super::{Custody, SecretFormat};
use crate::core::{
    Action, Details, Document, Id, LevelPath, Pbkdf2, Resource, SealedBlob, SecretBytes, SecretString, Timestamp,
    VarName,
};
use crate::{ErrorKind, Result};

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
    pub id: Id,
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
    pub fn blobs(&self, organization: Id, path: &LevelPath) -> Result<Blobs> {
        self.read(UseCase::ReadBlobs, |operation| operation.blobs(organization, path, false))
    }

    /// The same with what they say, whatever that is. A blob that does not open, because somebody sealed it with another
    /// key, comes without it.
    ///
    /// # Errors
    /// `NotFound`; `ClientManaged`.
    pub fn opened_blobs(&self, organization: Id, path: &LevelPath) -> Result<Blobs> {
        self.read(UseCase::OpenBlobs, |operation| operation.blobs(organization, path, true))
    }
}

impl OperationContext<'_, '_> {
    fn blobs(&mut self, organization: Id, path: &LevelPath, open: bool) -> Result<Blobs> {
        let place = self.place(organization, path, Reach::Inside)?;
        let project = &place.project;
        if open && project.custody == Custody::Client {
            return Err(client_managed());
        }
        let mut levels = Vec::new();
        let mut names: Vec<VarName> = Vec::new();
        let chain = place.chain()?;
        let ids: Vec<Id> = chain.iter().map(|(id, _)| *id).collect();
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
