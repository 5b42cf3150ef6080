use super::super::operation::OperationContext;
use super::super::page::no_such_page;
use super::super::place::Reach;
use super::super::records::{OrganizationRecord, decode, get};
use super::super::session::Session;
use super::super::use_case::UseCase;
use super::super::{Page, Paging, keys};
use super::{Index, SYSTEM, id_in};
use crate::Result;
use crate::core::{Action, AuditRecord, Details, Id, LevelPath, Resource, ResourceKind, Timestamp, VarName};
use crate::store::{KeyRange, Order};

/// Most records that are looked at for one page. A page may therefore hold less than it could, and still not be the last.
const MAX_EXAMINED: usize = 5_000;

/// Which records of an audit log are wanted. What is not given matches all.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct AuditFilter {
    /// Done by the user or the token of that id.
    pub actor: Option<Id>,
    /// Done by trusted programs.
    pub by_system: bool,
    /// What was done.
    pub action: Option<Action>,
    /// To what kind of thing.
    pub resource: Option<ResourceKind>,
    /// In that project, target or environment, or below it.
    pub path: Option<LevelPath>,
    /// To the entry of that name.
    pub name: Option<VarName>,
    /// At that time or later.
    pub since: Option<Timestamp>,
    /// Before that time.
    pub until: Option<Timestamp>,
}

impl Session<'_> {
    /// Records of the audit log, newest first, as far back as the plan goes.
    ///
    /// # Errors
    /// `NotFound`, without the path; `InvalidValue`, for a page that begins nowhere.
    pub fn audit(&self, organization: Id, filter: &AuditFilter, paging: &Paging) -> Result<Page<AuditRecord>> {
        self.read(UseCase::ListAudit, |operation| {
            let owner = operation.organization(organization)?;
            let page = operation.audit_page(&owner, filter, paging)?;
            let details = Details::default().with("op", "audit").with("count", page.items.len());
            operation.record(Action::Read, Resource::organization(organization), details)?;
            Ok(page)
        })
    }
}

impl OperationContext<'_, '_> {
    pub(super) fn audit_page(
        &mut self,
        owner: &OrganizationRecord,
        filter: &AuditFilter,
        paging: &Paging,
    ) -> Result<Page<AuditRecord>> {
        let place = match &filter.path {
            Some(path) => Some(self.place(owner.id, path, Reach::Inside)?.id()),
            // Whoever is bound to a place sees what was done there.
            None => {
                self.require()?;
                self.principal.scope().map(|scope| scope.node.unwrap_or(scope.project))
            }
        };
        let index = match (&filter.name, place, filter.actor) {
            (Some(name), ..) => Some((Index::Name, name.to_string())),
            (None, Some(place), _) => Some((Index::Place, place.to_string())),
            (None, None, Some(actor)) => Some((Index::Actor, actor.to_string())),
            (None, None, None) if filter.by_system => Some((Index::Actor, SYSTEM.to_owned())),
            (None, None, None) => filter.action.map(|action| (Index::Action, action.as_str().to_owned())),
        };
        let prefix = match &index {
            Some((index, value)) => keys::audits_by(index.as_str(), owner.id, value),
            None => keys::audits(owner.id),
        };
        let start = prefix.start.clone();
        let key = |id: Id| format!("{start}{id}");
        let mut range = prefix;
        if let Some(until) = filter.until {
            range = range.before(&key(Id::from_parts(until, [0; 10])));
        }
        if let Some(after) = &paging.after {
            let id = Id::parse(after).map_err(|_| no_such_page())?;
            range = range.before(&key(id));
        }
        let visible = owner.tier.retention().oldest_visible(self.now);
        let oldest = filter.since.map_or(visible, |since| since.max(visible));
        range.start = range.start.max(key(Id::from_parts(oldest, [0; 10])));
        self.examine(owner, filter, place, index.is_some(), range, paging.limit())
    }

    fn examine(
        &mut self,
        owner: &OrganizationRecord,
        filter: &AuditFilter,
        place: Option<Id>,
        is_index: bool,
        mut range: KeyRange,
        limit: usize,
    ) -> Result<Page<AuditRecord>> {
        let (retention, now) = (owner.tier.retention(), self.now);
        let is_visible = |record: &AuditRecord| retention.is_visible(record.timestamp, now);
        let mut items = Vec::new();
        let mut examined = 0;
        loop {
            // One more than is wanted tells whether there is another page.
            let wanted = limit + 1;
            let found = self.tx.scan(&range, Order::Descending, wanted)?;
            for candidate in &found {
                let id = id_in(&candidate.key)?;
                examined += 1;
                let record: Option<AuditRecord> =
                    if is_index { get(self.tx, &keys::audit(owner.id, id))? } else { Some(decode(&candidate.value)?) };
                let Some(record) = record.filter(|record| is_visible(record) && is_wanted(record, filter, place))
                else {
                    continue;
                };
                if items.len() == limit {
                    return Ok(Page { next: items.last().map(|record: &AuditRecord| record.id.to_string()), items });
                }
                items.push(record);
            }
            match found.last() {
                Some(last) if found.len() == wanted => {
                    if examined >= MAX_EXAMINED {
                        return Ok(Page { items, next: Some(id_in(&last.key)?.to_string()) });
                    }
                    range = range.before(&last.key);
                }
                _ => return Ok(Page { items, next: None }),
            }
        }
    }
}

/// What the index that was chosen has not sorted out.
fn is_wanted(record: &AuditRecord, filter: &AuditFilter, place: Option<Id>) -> bool {
    let resource = &record.resource;
    filter.actor.is_none_or(|actor| record.actor.id == Some(actor))
        && (!filter.by_system || record.actor.id.is_none())
        && filter.action.is_none_or(|action| record.action == action)
        && filter.resource.is_none_or(|kind| resource.kind == kind)
        && filter.name.as_ref().is_none_or(|name| resource.key.as_ref() == Some(name))
        // The order is that of ids, which after a clock went back is not quite that of time.
        && filter.since.is_none_or(|since| record.timestamp >= since)
        && filter.until.is_none_or(|until| record.timestamp < until)
        && place.is_none_or(|place| [resource.project, resource.target, resource.environment].contains(&Some(place)))
}
