use super::super::keys;
use super::super::place::Reach;
use super::super::records::{KeyRecord, require};
use super::super::session::Session;
use super::super::use_case::UseCase;
use super::super::{Custody, SecretFormat};
use crate::Result;
use crate::core::{Action, Details, Id, LevelPath, Pbkdf2, Resource, SealedBlob, Timestamp};

/// The blobs of a level and of those above it, unopened.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Blobs {
    /// Who can open them.
    pub custody: Custody,
    /// How the key string becomes the data key in use; none, for a random key.
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
    /// The version of the data key it is sealed with.
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
        self.read(UseCase::ReadBlobs, |call| {
            let place = call.place(organization, path, Reach::Inside)?;
            let mut levels = Vec::new();
            let chain = place.chain()?;
            let ids: Vec<Id> = chain.iter().map(|(id, _)| *id).collect();
            for ((id, path), level) in chain.into_iter().zip(call.levels_at(&place.project, &ids)?) {
                levels.push(match level {
                    Some(level) => Blob {
                        id,
                        path,
                        content: Some(call.blob(&place.project, &level.content)?),
                        key_version: level.content.key_version,
                        written_at: Some(level.content.written_at),
                    },
                    None => Blob { id, path, content: None, key_version: place.project.key_version, written_at: None },
                });
            }
            let count = levels.iter().filter(|level| level.content.is_some()).count();
            call.record(
                Action::Read,
                Resource::of(&place)?,
                Details::default().with("op", "blobs").with("count", count),
            )?;
            let project = &place.project;
            let key: KeyRecord = require(call.tx, &keys::data_key(project.id, project.key_version))?;
            Ok(Blobs {
                custody: project.custody,
                derivation: key.pbkdf2()?,
                secret_format: project.secret_format,
                levels,
            })
        })
    }
}
