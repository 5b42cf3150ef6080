use super::super::key_cache::Row;
use super::super::operation::OperationContext;
use super::super::place::Reach;
use super::super::records::{KeyRecord, ProjectRecord, damaged, decode};
use super::super::session::Session;
use super::super::use_case::UseCase;
use super::super::{Custody, keys};
use crate::Result;
use crate::core::{Action, Details, Id, Pbkdf2, Resource, SecretString, Slug, Timestamp};
use crate::store::Order;

/// What is told of a key, in use or frozen, without the key itself.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct KeyInfo {
    /// Who holds it, or held it when it was frozen.
    pub custody: Custody,
    /// Its version, from 1.
    pub version: u32,
    /// Whether it is the one in use.
    pub is_active: bool,
    /// How its text becomes the key; none, if the text is that of a [`LevelKey`](crate::LevelKey).
    pub derivation: Option<Pbkdf2>,
    /// In client custody, its proof: with it, people find the right one among old keys of theirs.
    pub proof: Option<SecretString>,
    /// A reminder of where the key is.
    pub hint: Option<String>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When another one took its place.
    pub rotated_at: Option<Timestamp>,
}

impl Session<'_> {
    /// The keys of a project: the one in use, then former ones, newest first. None of them comes with its text.
    ///
    /// # Errors
    /// `NotFound`.
    pub fn keys(&self, organization: Id, project: &Slug) -> Result<Vec<KeyInfo>> {
        self.read(UseCase::ListKeys, |operation| {
            let project = operation.key_project(organization, project, Reach::OnTheWay)?;
            let mut infos = Vec::new();
            for stored in operation.tx.scan(&keys::level_keys(project.id), Order::Descending, usize::MAX)? {
                infos.push(operation.key_info(&project, decode(&stored.value)?)?);
            }
            let details = Details::default().with("op", "keys").with("count", infos.len());
            operation.record(Action::Read, Resource::key(&project), details)?;
            Ok(infos)
        })
    }
}

impl OperationContext<'_, '_> {
    /// What is told of a key.
    pub(in super::super) fn key_info(&mut self, project: &ProjectRecord, record: KeyRecord) -> Result<KeyInfo> {
        let mut proof = None;
        if record.custody == Custody::Client
            && let Some(check) = &record.check
        {
            let text = self.open_row(project, Row::KeyProof(record.version), record.dek_version, check)?;
            proof = Some(std::str::from_utf8(text.expose_secret()).map_err(|_| damaged())?.into());
        }
        Ok(KeyInfo {
            custody: record.custody,
            version: record.version,
            is_active: record.version == project.key_version,
            derivation: record.pbkdf2()?,
            proof,
            hint: record.hint,
            created_at: record.created_at,
            rotated_at: record.rotated_at,
        })
    }
}
