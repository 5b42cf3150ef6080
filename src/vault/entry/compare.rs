use super::update::EntryUpdate;
use crate::core::audit::{Action, Details, Resource};
use crate::core::name::VarName;
use crate::error::Result;
use crate::vault::diff::is_same;
use crate::vault::entry::{check_names, set_value};
use crate::vault::place::At;
use crate::vault::place::Reach;
use crate::vault::session::Session;
use crate::vault::use_case::UseCase;

/// How entries of a level are, beside how they are wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ComparedEntries {
    /// Those that are not there.
    pub(crate) missing: Vec<VarName>,
    /// Those whose value, kind or comment is another one.
    pub(crate) different: Vec<VarName>,
}

impl Session<'_> {
    /// Tells which entries an update would change, without telling their values, and without counting as an access to
    /// them. What an update does not say about an entry is not compared; new names are not, either.
    ///
    /// # Errors
    /// `NotFound`; `ClientManaged`; `InvalidValue`, for no entry; `InvalidName`, for a name that is given twice.
    pub(crate) fn compare_entries(&self, at: At<'_>, wanted: &[EntryUpdate]) -> Result<ComparedEntries> {
        self.read(UseCase::CompareEntries, |operation| {
            let place = operation.place(at, Reach::Inside)?;
            let level = operation.level(&place.project, place.id())?;
            let document = operation.opened_by_server(&place.project, level.as_ref())?.document;
            check_names(wanted.iter().map(|update| &update.name))?;
            // Set and read again, because a document may keep a comment in another form.
            let mut updated = document.clone();
            let mut compared = ComparedEntries { missing: Vec::new(), different: Vec::new() };
            for update in wanted {
                let name = update.name.as_str();
                let Some(entry) = document.get(name) else {
                    compared.missing.push(update.name.clone());
                    continue;
                };
                if let Some(value) = &update.value {
                    set_value(&mut updated, &update.name, value, update.dollars.as_ref())?;
                }
                if let Some(kind) = update.kind {
                    updated.set_kind(name, kind);
                }
                if let Some(comment) = update.comment.text() {
                    updated.set_comment(name, Some(comment))?;
                }
                if !updated.get(name).is_some_and(|updated| is_same(updated, entry)) {
                    compared.different.push(update.name.clone());
                }
            }
            let details = Details::read("compare", wanted.iter().map(|update| update.name.as_str()));
            operation.record(Action::Read, Resource::of(&place)?, details)?;
            Ok(compared)
        })
    }
}
