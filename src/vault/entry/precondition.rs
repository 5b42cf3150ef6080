use crate::core::document::Document;
use crate::core::name::VarName;
use crate::error::{Error, ErrorKind, Result};
use crate::vault::operation::OperationContext;
use crate::vault::place::Place;

/// What must hold for one entry to be set or deleted. Without a call of a setter, nothing must.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct EntryPrecondition {
    revisions: Option<Vec<u64>>,
    other_revisions: Vec<u64>,
    is_there: Option<bool>,
}

impl EntryPrecondition {
    /// Creates a precondition that always holds.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Requires that the level has one of these revisions.
    #[must_use]
    pub fn revisions(mut self, revisions: impl IntoIterator<Item = u64>) -> Self {
        self.revisions = Some(revisions.into_iter().collect());
        self
    }

    /// Requires that the level has none of these revisions.
    #[must_use]
    pub fn other_revisions(mut self, revisions: impl IntoIterator<Item = u64>) -> Self {
        self.other_revisions = revisions.into_iter().collect();
        self
    }

    /// Requires that the level itself has the entry, or that it does not have it. What is only inherited is not there.
    #[must_use]
    pub fn is_there(mut self, is_there: bool) -> Self {
        self.is_there = Some(is_there);
        self
    }

    pub(super) fn requires_entry(&self) -> bool {
        self.is_there == Some(true)
    }
}

impl OperationContext<'_, '_> {
    /// Refuses to change an entry of a level that holds this document, unless the precondition holds.
    pub(super) fn check_precondition(
        &mut self,
        place: &Place,
        document: &Document,
        name: &VarName,
        precondition: &EntryPrecondition,
    ) -> Result<()> {
        let EntryPrecondition { revisions, other_revisions, is_there } = precondition;
        if revisions.is_some() || !other_revisions.is_empty() {
            let revision = self.revision(place)?;
            if revisions.as_ref().is_some_and(|revisions| !revisions.contains(&revision)) {
                return Err(conflict("the level has changed meanwhile: read it again, and then change it"));
            }
            if other_revisions.contains(&revision) {
                return Err(conflict("the level has a revision that it must not have"));
            }
        }
        match (is_there, document.get(name.as_str()).is_some()) {
            (Some(true), false) => Err(conflict("the level does not have the entry that is to be changed")),
            (Some(false), true) => Err(conflict("the level has the entry that is to be new")),
            _ => Ok(()),
        }
    }
}

#[cold]
fn conflict(message: &'static str) -> Error {
    Error::new(ErrorKind::Conflict, message)
}
