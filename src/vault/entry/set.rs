use super::super::Custody;
use super::super::call::Call;
use super::super::place::Place;
use super::super::session::Session;
use super::super::use_case::UseCase;
use super::{NewEntry, check_names};
use crate::Result;
use crate::core::{Id, Kind, LevelPath, VarName};

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
        self.write(UseCase::SetEntries, |call| {
            let change = call.change(organization, path)?;
            check_names(new.iter().map(|entry| &entry.name))?;
            let mut document = change.opened.document.clone();
            let mut set = SetEntries { created: Vec::new(), updated: Vec::new() };
            for entry in new {
                let is_there = document.get(entry.name.as_str()).is_some();
                let inherited = if is_there { None } else { call.inherited_kind(&change.place, &entry.name)? };
                entry.apply(&mut document, |_| inherited)?;
                if is_there { &mut set.updated } else { &mut set.created }.push(entry.name.clone());
            }
            call.finish_change(change, &document, &[], &set.updated)?;
            Ok(set)
        })
    }
}

impl Call<'_, '_> {
    /// The kind that the nearest level above gives a name.
    pub(super) fn inherited_kind(&mut self, place: &Place, name: &VarName) -> Result<Option<Kind>> {
        debug_assert_eq!(place.project.custody, Custody::Server);
        let above = [place.project.id].into_iter().chain(place.nodes.iter().map(|node| node.id));
        let above: Vec<Id> = above.take(place.nodes.len()).collect();
        for id in above.into_iter().rev() {
            if let Some(level) = self.level(&place.project, id)?
                && let Some(document) = self.understood(&place.project, &level.content)?
                && let Some(entry) = document.get(name.as_str())
            {
                return Ok(Some(entry.kind()));
            }
        }
        Ok(None)
    }
}
