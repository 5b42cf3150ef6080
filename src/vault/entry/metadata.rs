use std::fmt;

use crate::core::audit::{Action, Details, Resource};
use crate::core::clock::Timestamp;
use crate::core::custody::Custody;
use crate::core::document::Kind;
use crate::core::name::VarName;
use crate::error::Result;
use crate::vault::content::{Level, Opened};
use crate::vault::envelope::client_managed;
use crate::vault::operation::OperationContext;
use crate::vault::place::At;
use crate::vault::place::Reach;
use crate::vault::records::ProjectRecord;
use crate::vault::session::Session;
use crate::vault::use_case::UseCase;

/// What is known of an entry beside its value.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct EntryMetadata {
    /// Its name.
    pub name: VarName,
    /// Whether its value may be shown.
    pub kind: Kind,
    /// Its comment.
    pub comment: Option<String>,
    /// From 1, one more with each change of its name, value, kind or comment.
    pub version: u32,
    /// Whether its value is not empty.
    pub has_value: bool,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was changed last.
    pub updated_at: Timestamp,
    /// When its value was last served, to the minute.
    pub last_accessed_at: Option<Timestamp>,
}

/// Without the comment, which may say what the value was.
impl fmt::Debug for EntryMetadata {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EntryMetadata")
            .field("name", &self.name)
            .field("kind", &self.kind)
            .field("version", &self.version)
            .field("has_value", &self.has_value)
            .field("created_at", &self.created_at)
            .field("updated_at", &self.updated_at)
            .field("last_accessed_at", &self.last_accessed_at)
            .finish_non_exhaustive()
    }
}

impl Session<'_> {
    /// What is known of the entries of a level itself beside their values, in order.
    ///
    /// # Errors
    /// `NotFound`; `ClientManaged`.
    pub fn entry_metadata(&self, at: At<'_>) -> Result<Vec<EntryMetadata>> {
        self.read(UseCase::ListEntryMetadata, |operation| {
            let place = operation.place(at, Reach::Inside)?;
            let level = operation.level(&place.project, place.id())?;
            let opened = operation.opened_by_server(&place.project, level.as_ref())?;
            let metadata = operation.metadata(&place.project, level.as_ref(), &opened)?;
            let details = Details::read("metadata", metadata.iter().map(|entry| entry.name.as_str()));
            operation.record(Action::Read, Resource::of(&place)?, details)?;
            Ok(metadata)
        })
    }
}

impl OperationContext<'_, '_> {
    /// As [`OperationContext::opened`]; an error in client custody for an empty level, too.
    pub(in crate::vault) fn opened_by_server(
        &mut self,
        project: &ProjectRecord,
        level: Option<&Level>,
    ) -> Result<Opened> {
        if project.custody == Custody::Client {
            return Err(client_managed());
        }
        self.opened(project, level)
    }

    pub(super) fn metadata(
        &mut self,
        project: &ProjectRecord,
        level: Option<&Level>,
        opened: &Opened,
    ) -> Result<Vec<EntryMetadata>> {
        let Some(level) = level else {
            return Ok(Vec::new());
        };
        let times = self.access_times(project, level.content.node)?;
        let metadata = opened.document.entries().iter().map(|entry| {
            let name = entry.name();
            let written = level.content.written_at;
            // A blob that was stored as it is may say nothing of its entries.
            let (version, created_at, updated_at) = opened
                .entries
                .get(name)
                .map_or((1, written, written), |record| (record.version, record.created_at, record.updated_at));
            let with_all = level.accessed_at.filter(|at| *at >= created_at);
            EntryMetadata {
                name: name.clone(),
                kind: entry.kind(),
                comment: entry.comment(),
                version,
                has_value: !entry.value().expose_secret().is_empty(),
                created_at,
                updated_at,
                // An older time is that of another entry, which had the name before.
                last_accessed_at: with_all.max(times.get(name).copied().filter(|at| *at >= created_at)),
            }
        });
        Ok(metadata.collect())
    }
}
