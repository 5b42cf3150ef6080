use super::super::Custody;
use super::super::key_cache::client_managed;
use super::super::place::Reach;
use super::super::session::Session;
use super::super::use_case::UseCase;
use crate::Result;
use crate::core::{Id, LevelPath, Resolved, merge};

/// What a level amounts to at a moment.
#[derive(Debug)]
#[non_exhaustive]
pub struct Export {
    /// The same as [`Entries::revision`](super::super::Entries::revision).
    pub revision: u64,
    /// What the level and those above it say.
    pub resolved: Resolved,
}

impl Session<'_> {
    /// What a level amounts to with all it inherits, and a counter that tells whether that has changed.
    ///
    /// # Errors
    /// `NotFound`; `ClientManaged`, for an empty level, too.
    pub fn export(&self, organization: Id, path: &LevelPath) -> Result<Export> {
        self.read(UseCase::ResolveLevel, |operation| {
            let place = operation.place(organization, path, Reach::Inside)?;
            if place.project.custody == Custody::Client {
                return Err(client_managed());
            }
            let resolved = merge(operation.layers(&place, "export")?);
            Ok(Export { revision: operation.revision(&place)?, resolved })
        })
    }
}
