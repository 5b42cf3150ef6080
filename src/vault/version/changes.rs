use std::collections::BTreeMap;

use super::super::call::Call;
use super::super::content::Opened;
use super::super::diff::{Difference, differences};
use super::super::entries::Entries;
use super::super::key_cache::client_managed;
use super::super::place::Reach;
use super::super::records::{ContentRecord, ProjectRecord, VersionRecord, decode};
use super::super::session::Session;
use super::super::use_case::UseCase;
use super::super::{Custody, Page, Paging, keys};
use super::{is_locked, version_id};
use crate::Result;
use crate::core::{Action, AuditActor, Details, Document, Id, LevelPath, Resource, SecretString, Timestamp, VarName};
use crate::store::Order;

/// One change of a level: what it held afterwards is another than before.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Change {
    /// The id of the state it led to; once that is a former one, it is the id of the version.
    pub id: u64,
    /// When.
    pub at: Timestamp,
    /// Who.
    pub by: AuditActor,
    /// Each entry that changed.
    pub entries: Vec<ChangedEntry>,
}

/// What a change did to one entry.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ChangedEntry {
    /// The name before; none, for a new entry.
    pub old_name: Option<VarName>,
    /// The value before.
    pub old_value: Option<SecretString>,
    /// The name after; none, for one that was deleted.
    pub new_name: Option<VarName>,
    /// The value after.
    pub new_value: Option<SecretString>,
}

impl From<&Difference<'_>> for ChangedEntry {
    fn from(difference: &Difference<'_>) -> Self {
        Self {
            old_name: difference.old.map(|entry| entry.name().clone()),
            old_value: difference.old.map(|entry| entry.value().clone()),
            new_name: difference.new.map(|entry| entry.name().clone()),
            new_value: difference.new.map(|entry| entry.value().clone()),
        }
    }
}

impl Session<'_> {
    /// The changes of a level, newest first, each as the difference of what it held before and after. Of a level that
    /// was deleted, they are those up to then. A blob that is no document counts as an empty one, and what is too old to
    /// be opened is left out.
    ///
    /// # Errors
    /// `NotFound`; `ClientManaged`; `InvalidValue`, for a page that begins nowhere.
    pub fn changes(&self, organization: Id, path: &LevelPath, paging: &Paging) -> Result<Page<Change>> {
        self.read(UseCase::ListChanges, |call| {
            let owner = call.organization(organization)?;
            let place = call.place(organization, path, Reach::Inside)?;
            let project = &place.project;
            if project.custody == Custody::Client {
                return Err(client_managed());
            }
            let (limit, after) = (paging.limit(), paging.after_number()?);
            // One more than is shown: what the last one is compared with.
            let mut contents: Vec<ContentRecord> = Vec::new();
            let present = call.level(project, place.id())?.map(|level| level.content);
            contents.extend(present.filter(|content| after.is_none_or(|after| content.number < after)));
            let mut range = keys::versions(project.id, place.id());
            if let Some(after) = after {
                range = range.before(&keys::version(project.id, place.id(), after));
            }
            let mut is_cut = false;
            for record in call.tx.scan(&range, Order::Descending, limit + 1)? {
                let version: VersionRecord = decode(&record.value)?;
                if is_locked(&owner, version.created_at, call.now) {
                    // What is too old is not opened, so nobody can tell what the first change behind it was.
                    is_cut = true;
                    break;
                }
                contents.push(call.content(project.id, place.id(), version.number)?);
            }
            let has_more = contents.len() > limit;
            contents.truncate(limit + 1);
            let states: Vec<Opened> =
                contents.iter().map(|content| call.state(project, content)).collect::<Result<_>>()?;
            let before_all = Opened::default();
            let mut items = Vec::new();
            let shown = if is_cut { limit.min(contents.len().saturating_sub(1)) } else { limit };
            for (index, content) in contents.iter().enumerate().take(shown) {
                let (new, old) = (&states[index], states.get(index + 1).unwrap_or(&before_all));
                let old_names = old.entries.names_by_id();
                let differences = differences(&old.document, &new.document, |name| {
                    former_name(&old_names, &new.entries, name, &old.document)
                });
                // The same, sealed anew, is no change.
                if !differences.is_empty() {
                    items.push(Change {
                        id: version_id(project, content.number),
                        at: content.written_at,
                        by: content.written_by.clone(),
                        entries: differences.iter().map(ChangedEntry::from).collect(),
                    });
                }
            }
            let next = contents.get(limit - 1).filter(|_| has_more).map(|content| content.number.to_string());
            let details = Details::default().with("op", "changes").with("count", items.len());
            call.record(Action::Read, Resource::of(&place)?, details)?;
            Ok(Page { items, next })
        })
    }
}

impl Call<'_, '_> {
    fn state(&mut self, project: &ProjectRecord, content: &ContentRecord) -> Result<Opened> {
        match self.understood(project, content)? {
            Some(document) => Ok(Opened { document, entries: self.entries(project, content)? }),
            None => Ok(Opened::default()),
        }
    }
}

/// The name that an entry had before: that of the entry of the same id.
fn former_name(old: &BTreeMap<u32, &VarName>, new: &Entries, name: &VarName, document: &Document) -> Option<VarName> {
    match new.get(name) {
        Some(record) => old.get(&record.id).copied().cloned(),
        None => document.get(name.as_str()).map(|entry| entry.name().clone()),
    }
}
