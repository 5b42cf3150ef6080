use std::collections::{BTreeMap, BTreeSet};

use super::metadata::EntryMetadata;
use crate::core::audit::{Action, Details, Resource};
use crate::core::document::Dollars;
use crate::core::id::LevelId;
use crate::core::name::VarName;
use crate::core::path::LevelPath;
use crate::core::secret::SecretString;
use crate::error::Result;
use crate::vault::place::At;
use crate::vault::place::Reach;
use crate::vault::session::Session;
use crate::vault::use_case::UseCase;

/// Which entries of a level are wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "a level has its own entries and those above it")]
pub enum EntryScope<'a> {
    /// Its own, in order.
    Own,
    /// Of its own, those of these names.
    Named(&'a [VarName]),
    /// Its own and those it inherits, ascending by name.
    Resolved,
}

/// Entries of a level.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Entries {
    /// Greater after every change of what these are taken from.
    pub revision: u64,
    /// The entries.
    pub entries: Vec<StoredEntry>,
}

/// An entry, with all that is known of it.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct StoredEntry {
    /// What is known beside the value.
    pub metadata: EntryMetadata,
    /// The value, as written.
    pub value: SecretString,
    /// Whether each `$` of the value stands for itself, whether or not references are replaced.
    pub is_literal: bool,
    pub(crate) dollars: Dollars,
    /// The level above that it is inherited from; none, for an own one.
    pub inherited_from: Option<LevelPath>,
}

impl Session<'_> {
    /// Entries of a level with their values. Names that are not there are passed over.
    ///
    /// # Errors
    /// `NotFound`; `ClientManaged`.
    pub fn entries(&self, at: At<'_>, which: EntryScope<'_>) -> Result<Entries> {
        self.read(UseCase::ListEntries, |operation| {
            let place = operation.place(at, Reach::Inside)?;
            let mut chain = place.chain()?;
            if which != EntryScope::Resolved {
                chain.drain(..chain.len() - 1);
            }
            let own = place.id();
            let mut entries: Vec<StoredEntry> = Vec::new();
            // All names of the level, where some of them are wanted.
            let mut all_names: Vec<String> = Vec::new();
            let ids: Vec<LevelId> = chain.iter().map(|(id, _)| *id).collect();
            for ((id, path), level) in chain.into_iter().zip(operation.levels_at(&place.project, &ids)?) {
                let opened = operation.opened_by_server(&place.project, level.as_ref())?;
                let Some(level) = level else {
                    continue;
                };
                let metadata = operation.metadata(&place.project, Some(&level), &opened)?;
                let with_values =
                    metadata.into_iter().zip(opened.document.entries()).map(|(metadata, entry)| StoredEntry {
                        metadata,
                        value: entry.value().clone(),
                        is_literal: entry.is_literal(),
                        dollars: entry.dollars().clone(),
                        inherited_from: (id != own).then(|| path.clone()),
                    });
                match which {
                    EntryScope::Named(names) => {
                        all_names = opened.document.entries().iter().map(|entry| entry.name().to_string()).collect();
                        let names: BTreeSet<&VarName> = names.iter().collect();
                        entries.extend(with_values.filter(|entry| names.contains(&entry.metadata.name)));
                        let served: Vec<VarName> = entries.iter().map(|entry| entry.metadata.name.clone()).collect();
                        operation.accessed(&place.project, &level, &served)?;
                    }
                    EntryScope::Own | EntryScope::Resolved => {
                        entries.extend(with_values);
                        operation.accessed_all(&place.project, &level);
                    }
                }
            }
            if which == EntryScope::Resolved {
                // The most specific came last.
                let by_name: BTreeMap<VarName, StoredEntry> =
                    entries.into_iter().map(|entry| (entry.metadata.name.clone(), entry)).collect();
                entries = by_name.into_values().collect();
            }
            let mut details = Details::read("list", entries.iter().map(|entry| entry.metadata.name.as_str()));
            if matches!(which, EntryScope::Named(_)) {
                operation.store_selection(place.organization(), &mut details, &all_names)?;
            }
            operation.record(Action::Read, Resource::of(&place)?, details)?;
            Ok(Entries { revision: operation.revision(&place)?, entries })
        })
    }
}
