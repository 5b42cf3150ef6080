//! The audit log: one record for each thing that was done, written together with it.

use std::collections::BTreeMap;
use std::io::Write;

use super::audit_index::Index;
use super::audit_index::SYSTEM;
use super::audit_index::indexed;
use super::diff::Difference;
use super::keys;
use super::operation::OperationContext;
use super::page::{Page, Paging, no_such_page};
use super::place::At;
use super::place::{Place, Reach};
use super::records::NodeRecord;
use super::records::id_in;
use super::records::{NodeKind, OrganizationRecord, TokenRecord, UserRecord, decode, encode, get, put};
use super::session::Session;
use super::setters::setters;
use super::use_case::UseCase;
use crate::core::audit::{Action, AuditRecord, Details, Resource, ResourceKind, Tier};
use crate::core::clock::Timestamp;
use crate::core::document::{Entry, Kind};
use crate::core::id::AuditRecordId;
use crate::core::id::Id;
use crate::core::id::LevelId;
use crate::core::id::OrganizationId;
use crate::core::id::ProjectId;
use crate::core::name::VarName;
use crate::core::path::LevelPath;
use crate::core::permission::{Permission, PermissionSet};
use crate::error::{Error, Result};
use crate::store::{KeyRange, Order, Precondition, StoreExt as _, Transaction};
use crate::vault::engine::Vault;

/// How permissions are written in the details of a record.
pub(super) fn words(permissions: PermissionSet) -> Vec<&'static str> {
    permissions.iter().map(Permission::as_str).collect()
}

/// Most records that are looked at for one page. A page may therefore hold less than it could, and still not be the last.
const MAX_EXAMINED: usize = 5_000;

/// Which records of an audit log are wanted. What is not set matches all.
#[derive(Clone, Debug, Default)]
pub struct AuditFilter {
    pub(crate) actor: Option<Id>,
    pub(crate) by_system: bool,
    pub(crate) action: Option<Action>,
    pub(crate) resource: Option<ResourceKind>,
    pub(crate) path: Option<LevelPath>,
    pub(crate) name: Option<VarName>,
    pub(crate) since: Option<Timestamp>,
    pub(crate) until: Option<Timestamp>,
}

impl AuditFilter {
    /// Creates a filter that every record passes.
    pub fn new() -> Self {
        Self::default()
    }

    setters! {
        /// Keeps the records of the user, token or account of that id.
        actor: Option<Id>;
        /// Sets whether to keep only the records of trusted programs.
        by_system: bool;
        /// Keeps the records of that action.
        action: Option<Action>;
        /// Keeps the records about that kind of resource.
        resource: Option<ResourceKind>;
        /// Keeps the records of that project, target or environment, and of what is below it.
        path: Option<LevelPath>;
        /// Keeps the records about the entry of that name.
        name: Option<VarName>;
        /// Keeps the records of that time or later.
        since: Option<Timestamp>;
        /// Keeps the records before that time.
        until: Option<Timestamp>;
    }
}

impl Session<'_> {
    /// Records of the audit log, newest first, as far back as the plan goes.
    ///
    /// # Errors
    /// `NotFound`, without the path; `InvalidValue`, for a page that begins nowhere.
    pub fn audit(
        &self,
        organization: OrganizationId,
        filter: &AuditFilter,
        paging: &Paging,
    ) -> Result<Page<AuditRecord>> {
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
    fn audit_page(
        &mut self,
        owner: &OrganizationRecord,
        filter: &AuditFilter,
        paging: &Paging,
    ) -> Result<Page<AuditRecord>> {
        let place = match &filter.path {
            Some(path) => Some(self.place(At::Path(owner.id, path), Reach::Inside)?.id()),
            // Whoever is bound to a place sees what was done there.
            None => {
                self.require()?;
                self.principal.scope().map(|scope| scope.node.unwrap_or(scope.project.into()))
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
        let mut page = self.examine(owner, filter, place, index.is_some(), range, paging.page_size())?;
        self.fill_names(owner.id, &mut page.items)?;
        Ok(page)
    }

    fn examine(
        &mut self,
        owner: &OrganizationRecord,
        filter: &AuditFilter,
        place: Option<LevelId>,
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
                let id: AuditRecordId = id_in(&candidate.key)?;
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
                        return Ok(Page { items, next: Some(id_in::<Id>(&last.key)?.to_string()) });
                    }
                    range = range.before(&last.key);
                }
                _ => return Ok(Page { items, next: None }),
            }
        }
    }
}

/// What the index that was chosen has not sorted out.
fn is_wanted(record: &AuditRecord, filter: &AuditFilter, place: Option<LevelId>) -> bool {
    let resource = &record.resource;
    filter.actor.is_none_or(|actor| record.actor.id == Some(actor))
        && (!filter.by_system || record.actor.id.is_none())
        && filter.action.is_none_or(|action| record.action == action)
        && filter.resource.is_none_or(|kind| resource.kind == kind)
        && filter.name.as_ref().is_none_or(|name| resource.key.as_ref() == Some(name))
        // The order is that of ids, which after a clock went back is not quite that of time.
        && filter.since.is_none_or(|since| record.timestamp >= since)
        && filter.until.is_none_or(|until| record.timestamp < until)
        && place.is_none_or(|place| [resource.environment, resource.project.map(LevelId::from), resource.target.map(LevelId::from)]
                    .contains(&Some(place)))
}

/// How many records of a name are looked at at a time.
const PAGE: usize = 200;

impl OperationContext<'_, '_> {
    /// Records each entry that changed: the values of variables, and of secrets that they changed.
    pub(super) fn record_differences(&mut self, place: &Place, differences: &[Difference<'_>]) -> Result<()> {
        for difference in differences {
            let mut details = match (difference.old, difference.new) {
                (Some(old), Some(new)) if old.kind() != new.kind() => Details::kind_changed(old.kind(), new.kind()),
                (Some(old), Some(new)) => {
                    let changed = difference.changed();
                    let details = match (public_value(old), public_value(new)) {
                        (Some(old), Some(new)) if old != new => Details::variable_updated(old, new),
                        _ => Details::default(),
                    };
                    details.with("changed", changed)
                }
                (None, Some(new)) => public_value(new).map_or(Details::secret_changed(), Details::variable_created),
                (Some(old), None) => public_value(old).map_or(Details::secret_changed(), Details::variable_deleted),
                (None, None) => continue,
            };
            if let Some(old_name) = difference.old_name() {
                details = details.with("oldName", old_name.as_str());
            }
            let action = match (difference.old, difference.new) {
                (None, _) => Action::Create,
                (_, None) => Action::Delete,
                _ => Action::Update,
            };
            let kind = difference.new.or(difference.old).map_or(Kind::Secret, Entry::kind);
            self.record(action, Resource::of(place)?.entry(kind, difference.name()), details)?;
        }
        self.scrub_new_secrets(place, differences)
    }

    /// Records that an entry was set to what it was.
    pub(super) fn record_unchanged(&mut self, place: &Place, entry: &Entry) -> Result<()> {
        let resource = Resource::of(place)?.entry(entry.kind(), entry.name());
        self.record(Action::Update, resource, Details::changed(&[]))
    }

    /// Takes former values of variables that are secrets now out of the log.
    pub(super) fn scrub_new_secrets(&mut self, place: &Place, differences: &[Difference<'_>]) -> Result<()> {
        for difference in differences {
            if let (Some(old), Some(new)) = (difference.old, difference.new)
                && (old.kind(), new.kind()) == (Kind::Variable, Kind::Secret)
            {
                self.scrub(place, old.name())?;
            }
        }
        Ok(())
    }

    /// Takes the values of an entry of one level out of the log, also those it had under former names.
    fn scrub(&mut self, place: &Place, name: &VarName) -> Result<()> {
        let mut names = vec![(name.clone(), None)];
        // Up to when each was looked for.
        let mut done: BTreeMap<VarName, Option<AuditRecordId>> = BTreeMap::new();
        while let Some((name, until)) = names.pop() {
            if done.get(&name).is_some_and(|done| done.is_none_or(|done| until.is_some_and(|until| until <= done))) {
                continue;
            }
            self.scrub_name(place, &name, until, &mut names)?;
            done.insert(name, until);
        }
        Ok(())
    }

    /// The same for one name, before the record of that id; `renamed` gets the names it had before, and until when.
    fn scrub_name(
        &mut self,
        place: &Place,
        name: &VarName,
        until: Option<AuditRecordId>,
        renamed: &mut Vec<(VarName, Option<AuditRecordId>)>,
    ) -> Result<()> {
        let (organization, level) = (place.organization(), place.id());
        let mut range = keys::audits_by(Index::Name.as_str(), organization, name.as_str());
        if let Some(until) = until {
            range = range.before(&keys::audit_by(Index::Name.as_str(), organization, name.as_str(), until));
        }
        loop {
            let found = self.tx.scan(&range, Order::Ascending, PAGE)?;
            for mark in &found {
                let key = keys::audit(organization, id_in(&mark.key)?);
                let Some(mut record) = get::<AuditRecord>(self.tx, &key)? else {
                    continue;
                };
                if record.resource.environment != Some(level) {
                    continue;
                }
                let old_name = record.details.get("oldName").and_then(|name| name.as_str());
                if let Some(old_name) = old_name.and_then(|name| name.parse().ok()) {
                    renamed.push((old_name, Some(record.id)));
                }
                if record.details.scrub() {
                    put(self.tx, &key, &record, Precondition::Present)?;
                }
            }
            match found.last() {
                Some(last) if found.len() == PAGE => range = range.after(&last.key),
                _ => return Ok(()),
            }
        }
    }
}

fn public_value(entry: &Entry) -> Option<&str> {
    (entry.kind() == Kind::Variable).then(|| entry.value().expose_secret())
}

impl Session<'_> {
    /// Writes records of the audit log as JSON lines, newest first, and tells how many. What is recorded meanwhile may be
    /// among them or not.
    ///
    /// # Errors
    /// `NotFound`; `Io`, when writing fails.
    pub fn export_audit(&self, organization: OrganizationId, filter: &AuditFilter, out: &mut dyn Write) -> Result<u64> {
        let mut paging = Paging::new().limit(200);
        let mut count = 0;
        loop {
            let page = self.read(UseCase::ExportAudit, |operation| {
                let owner = operation.organization(organization)?;
                let page = operation.audit_page(&owner, filter, &paging)?;
                if paging.after.is_none() {
                    let details = Details::default().with("op", "export");
                    operation.record(Action::Read, Resource::organization(organization), details)?;
                }
                Ok(page)
            })?;
            for record in &page.items {
                writeln!(out, "{}", encode(record)?).map_err(|error| Error::io("cannot write the audit log", error))?;
                count += 1;
            }
            match page.next {
                Some(next) => paging = paging.after(next),
                None => return Ok(count),
            }
        }
    }
}

impl Resource {
    pub(super) fn organization(id: OrganizationId) -> Self {
        Self::new(ResourceKind::Organization, id)
    }

    /// A project, which is the level of its own, too.
    pub(super) fn project(organization: OrganizationId, id: ProjectId, slug: &str) -> Self {
        let mut resource = Self::new(ResourceKind::Project, organization);
        resource.project = Some(id);
        resource.environment = Some(id.into());
        resource.path = LevelPath::new(slug).ok();
        resource
    }

    /// What stands at a place.
    pub(super) fn of(place: &Place) -> Result<Self> {
        let mut resource = Self::project(place.organization(), place.project.id, &place.project.slug);
        if let Some(node) = place.nodes.last() {
            resource.kind = match node.kind {
                NodeKind::Target => ResourceKind::Target,
                NodeKind::Environment => ResourceKind::Environment,
            };
            resource.environment = Some(node.id);
            resource.target = place.nodes.first().filter(|first| first.id != node.id).map(NodeRecord::target_id);
            resource.path = Some(place.path()?);
        }
        Ok(resource)
    }

    /// Another kind of thing at the same place.
    pub(super) fn kind(mut self, kind: ResourceKind) -> Self {
        self.kind = kind;
        self
    }

    /// An entry of the level.
    pub(super) fn entry(mut self, kind: Kind, name: &VarName) -> Self {
        self.kind = kind.into();
        self.key = Some(name.clone());
        self
    }

    /// A member of an organization.
    pub(super) fn member(organization: OrganizationId, user: &UserRecord) -> Self {
        Self::named(ResourceKind::Member, organization, user.id.into(), &user.name)
    }

    /// Something of an organization that has an id and a name.
    pub(super) fn named(kind: ResourceKind, organization: OrganizationId, id: Id, name: &str) -> Self {
        let mut resource = Self::new(kind, organization);
        resource.id = Some(id);
        resource.name = Some(name.to_owned());
        resource
    }

    /// A token, which belongs to what it is bound to.
    pub(super) fn token(token: &TokenRecord) -> Self {
        let mut resource = Self::new(ResourceKind::Token, token.organization);
        resource.id = Some(token.id);
        resource.project = token.scope.as_ref().map(|scope| scope.project);
        resource.environment = token.scope.as_ref().and_then(|scope| scope.node);
        resource.name = Some(token.name.clone());
        resource
    }
}

/// How many audit records are removed in one transaction.
const PURGED_AT_ONCE: usize = 500;

impl Vault {
    /// Removes the audit records that are older than their organization's plan keeps them, and tells how many. Of
    /// organizations that are gone, they are kept as long as the longest plan says. And it removes for good what was
    /// deleted more than 30 days ago, which is recorded as done by `sweep`.
    ///
    /// Nobody sees any of that anyway; call this every hour or so to get their room back. It works in small
    /// transactions, and may be stopped and called again at any time, also by several processes.
    ///
    /// # Errors
    /// What the store says.
    pub fn sweep(&self) -> Result<u64> {
        self.purge_due()?;
        let mut count = 0;
        self.for_each_organization("audit", |organization| {
            count += self.sweep_organization(organization)?;
            Ok(())
        })?;
        // After the records that refer to them.
        self.for_each_organization("audit-names-day", |organization| {
            let oldest = self.store.read(|tx| self.oldest_visible(tx, organization))?;
            self.sweep_names(organization, oldest)
        })?;
        Ok(count)
    }

    /// Calls `work` for each organization that has records of that kind.
    fn for_each_organization(&self, kind: &str, mut work: impl FnMut(OrganizationId) -> Result<()>) -> Result<()> {
        let mut after = format!("{kind}/");
        loop {
            // The first record of the next organization that has any.
            let range = KeyRange::prefix(format!("{kind}/")).after(&after);
            let Some(first) = self.store.read(|tx| Ok(tx.scan(&range, Order::Ascending, 1)?.pop()))? else {
                return Ok(());
            };
            let organization = first.key.split('/').nth(1).unwrap_or_default();
            work(OrganizationId::parse(organization)?)?;
            after = format!("{kind}/{organization}/\u{10ffff}");
        }
    }

    /// Returns the time from which on audit records of an organization are kept.
    fn oldest_visible(&self, tx: &mut dyn Transaction, organization: OrganizationId) -> Result<Timestamp> {
        let owner: Option<OrganizationRecord> = self.authenticator.get(tx, &keys::organization(organization))?;
        let tier = owner.map_or(Tier::Team, |owner| owner.tier);
        Ok(tier.retention().oldest_visible(self.now()))
    }

    fn sweep_organization(&self, organization: OrganizationId) -> Result<u64> {
        let mut count = 0;
        loop {
            let removed = self.store.write(|tx| {
                let oldest = self.oldest_visible(tx, organization)?;
                let mut range = keys::audits(organization);
                range = range.before(&keys::audit(organization, Id::from_parts(oldest, [0; 10]).into()));
                let records = tx.scan(&range, Order::Ascending, PURGED_AT_ONCE)?;
                for stored in &records {
                    let record: AuditRecord = decode(&stored.value)?;
                    for (index, value) in indexed(&record) {
                        tx.delete(&keys::audit_by(index.as_str(), organization, &value, id_in(&stored.key)?))?;
                    }
                    tx.delete(&stored.key)?;
                }
                Ok(records.len())
            })?;
            count += removed as u64;
            if removed < PURGED_AT_ONCE {
                return Ok(count);
            }
        }
    }
}
