use super::super::Custody;
use super::super::operation::OperationContext;
use super::super::place::Place;
use super::super::session::Session;
use super::super::use_case::UseCase;
use super::{NewEntry, check_names};
use crate::Result;
use crate::core::{Document, Entry, Id, Kind, LevelPath, VarName};

/// What became of entries that were to be set.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SetEntries {
    /// Those that are new.
    pub created: Vec<VarName>,
    /// Those that were there; their value, kind and comment may be as before.
    pub updated: Vec<VarName>,
}

impl Session<'_> {
    /// Sets entries: those that are there in their place, new ones behind them.
    ///
    /// # Errors
    /// `NotFound`; `ClientManaged`; `InvalidValue`, for no entry; `InvalidName`, for a name that is given twice.
    pub fn set_entries(&self, organization: Id, path: &LevelPath, new: &[NewEntry]) -> Result<SetEntries> {
        self.write(UseCase::SetEntries, |operation| {
            let change = operation.change(organization, path)?;
            check_names(new.iter().map(|entry| &entry.name))?;
            let mut document = change.opened.document.clone();
            let mut set = SetEntries { created: Vec::new(), updated: Vec::new() };
            let above = operation.documents_above(&change.place, &document, new)?;
            for entry in new {
                let is_there = document.get(entry.name.as_str()).is_some();
                entry.apply(&mut document, |name| inherited_kind(&above, name))?;
                if is_there { &mut set.updated } else { &mut set.created }.push(entry.name.clone());
            }
            operation.finish_change(change, &document, &[], &set.updated)?;
            Ok(set)
        })
    }
}

impl OperationContext<'_, '_> {
    /// What the levels above say, the nearest first; nothing, if no entry is new and takes its kind from there. They are
    /// opened once, however many entries there are: others wait to write meanwhile.
    pub(super) fn documents_above(
        &mut self,
        place: &Place,
        document: &Document,
        new: &[NewEntry],
    ) -> Result<Vec<Document>> {
        debug_assert_eq!(place.project.custody, Custody::Server);
        let mut documents = Vec::new();
        if new.iter().all(|entry| entry.kind.is_some() || document.get(entry.name.as_str()).is_some()) {
            return Ok(documents);
        }
        let above = [place.project.id].into_iter().chain(place.nodes.iter().map(|node| node.id));
        let above: Vec<Id> = above.take(place.nodes.len()).collect();
        for id in above.into_iter().rev() {
            if let Some(level) = self.level(&place.project, id)? {
                documents.extend(self.understood(&place.project, &level.content)?);
            }
        }
        Ok(documents)
    }
}

/// The kind that the nearest level above gives a name.
pub(super) fn inherited_kind(above: &[Document], name: &VarName) -> Option<Kind> {
    above.iter().find_map(|document| document.get(name.as_str())).map(Entry::kind)
}
