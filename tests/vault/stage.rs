//! What a scenario plays on: a vault over some store, with a clock that is set by hand.

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use ioenv::http::OutboundPolicy;
use ioenv::store::{KeyRange, Memory, Order, Sqlite, Store, StoreExt as _};
use ioenv::vault::{
    Actor, At, Clock, EntryScope, Grantee, Id, IssuedToken, LevelScope, MemberRole, NewEntry, NewEnvironment,
    NewMember, NewOrganization, NewProject, NewTarget, NewTeam, NewToken, OrganizationId, PermissionSet, Provider,
    ResourceKind, RootKey, Session, TeamId, Timestamp, UserId, Vault, VaultOptions,
};
use ioenv::{Document, Error, ErrorKind, LevelPath, Slug, SystemRandom, VarName};
use tempfile::TempDir;

use super::shelf::Shelf;

/// Makes of each scenario a module with one test for each store.
macro_rules! on_every_store {
    ($($(#[$meta:meta])* fn $name:ident($stage:ident: &Stage) $body:block)+) => {
        $(mod $name {
            #[allow(unused_imports, reason = "what a scenario uses differs")]
            use super::*;

            $(#[$meta])*
            fn scenario($stage: &Stage) $body

            #[test]
            fn memory() {
                scenario(&Stage::memory());
            }

            #[test]
            fn sqlite() {
                scenario(&Stage::sqlite());
            }

            #[cfg(all(feature = "postgres", unix))]
            #[test]
            fn postgres() {
                scenario(&Stage::postgres());
            }
        })+
    };
}

/// A clock that stands still until it is told to move.
#[derive(Clone, Debug)]
pub(crate) struct TestClock(Arc<AtomicI64>);

impl Clock for TestClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.0.load(Ordering::Relaxed)).unwrap()
    }
}

pub(crate) struct Stage {
    pub(crate) vault: Vault,
    pub(crate) store: Arc<dyn Store>,
    pub(crate) clock: TestClock,
    pub(crate) root: RootKey,
    /// The service called `shelf`.
    pub(crate) shelf: Shelf,
    /// The organization in which everything happens that has no reason to happen elsewhere.
    pub(crate) acme: OrganizationId,
    _directory: Option<TempDir>,
}

pub(crate) const SECOND: i64 = 1000;
pub(crate) const MINUTE: i64 = 60 * SECOND;
pub(crate) const DAY: i64 = 24 * 60 * MINUTE;

impl Stage {
    pub(crate) fn memory() -> Self {
        Self::over(Arc::new(Memory::new()), None)
    }

    pub(crate) fn sqlite() -> Self {
        let directory = tempfile::tempdir().unwrap();
        Self::over(Arc::new(Sqlite::create(directory.path().join("vault.db")).unwrap()), Some(directory))
    }

    #[cfg(all(feature = "postgres", unix))]
    pub(crate) fn postgres() -> Self {
        let store = ioenv::store::Postgres::connect_single(&super::postgres::fresh()).unwrap();
        Self::over(Arc::new(store), None)
    }

    pub(crate) fn over(store: Arc<dyn Store>, directory: Option<TempDir>) -> Self {
        let start: Timestamp = "2031-02-03T04:05:06.789Z".parse().unwrap();
        let clock = TestClock(Arc::new(AtomicI64::new(start.as_millis())));
        let root = RootKey::generate(&SystemRandom).unwrap();
        let vault = VaultOptions::new(&root).clock(clock.clone()).create(Arc::clone(&store)).unwrap();
        let vault = vault.with_outbound(OutboundPolicy::new().allow_private_addresses().allow_http());
        let shelf = Shelf::default();
        let vault = vault.with_sync_target(Provider::Other("shelf".to_owned()), shelf.clone());
        let acme = vault.session(Actor::system("stage")).create_organization(&NewOrganization::new("Acme")).unwrap().id;
        Self { vault, store, clock, root, shelf, acme, _directory: directory }
    }

    pub(crate) fn system(&self) -> Session<'_> {
        self.vault.session(Actor::system("test"))
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Moves the clock, perhaps back.
    pub(crate) fn pass(&self, millis: i64) {
        self.clock.0.fetch_add(millis, Ordering::Relaxed);
    }

    /// A project `shop` with a target `api`, which has an environment `prod`, and an environment `dev` of its own.
    pub(crate) fn shop(&self) {
        self.shop_with(|project| project);
    }

    pub(crate) fn shop_with(&self, change: impl FnOnce(NewProject) -> NewProject) {
        let system = self.system();
        system.create_project(self.acme, &change(NewProject::new("shop"))).unwrap();
        system.create_target(At::Path(self.acme, &path("shop")), &NewTarget::new("api")).unwrap();
        system.create_environment(At::Path(self.acme, &path("shop/api")), &NewEnvironment::new("prod")).unwrap();
        system.create_environment(At::Path(self.acme, &path("shop")), &NewEnvironment::new("dev")).unwrap();
    }

    /// A project with `_base`, `dev`, `staging` and `prod`.
    pub(crate) fn with_base(&self, name: &str) {
        let project = NewProject::new(name).has_base(true);
        self.system().create_project(self.acme, &project).unwrap();
    }

    pub(crate) fn issue(&self, permissions: PermissionSet, scope: Option<&str>) -> IssuedToken {
        let token = scope.map(path).into_iter().fold(NewToken::new("worker", permissions), NewToken::scope);
        self.system().issue_token(self.acme, &token).unwrap()
    }

    pub(crate) fn session(&self, permissions: PermissionSet, scope: Option<&str>) -> Session<'_> {
        self.vault.session(self.issue(permissions, scope).token)
    }

    pub(crate) fn write(&self, at: &str, text: &str) {
        self.system().set_document(At::Path(self.acme, &path(at)), &Document::parse(text).unwrap()).unwrap();
    }

    /// What a level says itself, as text.
    pub(crate) fn text(&self, at: &str) -> Option<String> {
        let document =
            self.system().read_level(At::Path(self.acme, &path(at)), LevelScope::Own).unwrap().into_document();
        document.map(|document| document.to_text().expose_secret().to_owned())
    }

    /// What a level amounts to: `A=1 B=2`.
    pub(crate) fn resolved(&self, at: &str) -> String {
        let resolved = self.system().read_level(At::Path(self.acme, &path(at)), LevelScope::Chain).unwrap().resolve();
        let all: Vec<String> =
            resolved.iter().map(|one| format!("{}={}", one.name(), one.value().expose_secret())).collect();
        all.join(" ")
    }

    /// A user who has that role in the organization, and is called as the address is up to the `@`.
    pub(crate) fn member(&self, email: &str, role: MemberRole) -> UserId {
        let name = email.split('@').next().unwrap();
        self.system().add_member(self.acme, &NewMember::new(email, name, role)).unwrap().user
    }

    /// A session of a user in person.
    pub(crate) fn user(&self, id: UserId) -> Session<'_> {
        self.vault.session(Actor::User(id))
    }

    pub(crate) fn team(&self, name: &str, members: &[UserId]) -> TeamId {
        let team = self.system().create_team(self.acme, &NewTeam::new(name)).unwrap().id;
        for user in members {
            self.system().add_team_member(self.acme, team, *user).unwrap();
        }
        team
    }

    pub(crate) fn grant(&self, at: &str, grantee: Grantee, role: &str) {
        self.system().grant(At::Path(self.acme, &path(at)), grantee, role.parse().unwrap()).unwrap();
    }

    /// Removes for good what could still be restored, in any organization.
    pub(crate) fn purge_deleted(&self) {
        let system = self.system();
        for organization in system.organizations().unwrap() {
            while let Some(one) = system.deleted(organization.id).unwrap().first() {
                let purged = match one.kind {
                    ResourceKind::Project => system.purge_project(organization.id, Id::from(one.id).into()),
                    ResourceKind::Target => system.purge_target(organization.id, Id::from(one.id).into()),
                    _ => system.purge_environment(organization.id, Id::from(one.id).into()),
                };
                purged.unwrap();
            }
        }
    }

    pub(crate) fn revision(&self, at: &str) -> u64 {
        self.system().entries(At::Path(self.acme, &path(at)), EntryScope::Resolved).unwrap().revision
    }

    /// All records, with values in one spelling.
    pub(crate) fn records(&self, prefix: &str) -> BTreeMap<String, serde_json::Value> {
        let records = self.store.read(|tx| tx.scan(&KeyRange::prefix(prefix), Order::Ascending, usize::MAX)).unwrap();
        records.into_iter().map(|record| (record.key, serde_json::from_str(&record.value).unwrap())).collect()
    }

    /// All that is stored, as one text to be searched.
    pub(crate) fn dump(&self, prefix: &str) -> String {
        let lines: Vec<String> = self.records(prefix).iter().map(|(key, value)| format!("{key} {value}\n")).collect();
        lines.concat()
    }

    /// The audit records of the organization, oldest first.
    pub(crate) fn log(&self) -> Vec<ioenv::vault::AuditRecord> {
        let records = self.records(&format!("audit/{}/", self.acme));
        records.into_values().map(|value| serde_json::from_value(value).unwrap()).collect()
    }

    /// The audit records that `work` leaves.
    pub(crate) fn logged(&self, work: impl FnOnce()) -> Vec<ioenv::vault::AuditRecord> {
        let before = self.log().len();
        work();
        self.log().split_off(before)
    }
}

pub(crate) fn name(text: &str) -> VarName {
    text.parse().unwrap()
}

pub(crate) fn names<const N: usize>(texts: [&str; N]) -> Vec<VarName> {
    texts.map(name).to_vec()
}

pub(crate) fn path(text: &str) -> LevelPath {
    text.parse().unwrap()
}

pub(crate) fn slug(text: &str) -> Slug {
    text.parse().unwrap()
}

pub(crate) fn entry(key: &str, value: &str) -> NewEntry {
    NewEntry::new(name(key), value)
}

pub(crate) fn after(time: Timestamp, millis: i64) -> Timestamp {
    time.checked_add(Duration::from_millis(millis.unsigned_abs())).unwrap()
}

/// The kind of the error that must have come.
#[track_caller]
pub(crate) fn refused<T: Debug>(result: Result<T, Error>) -> ErrorKind {
    result.unwrap_err().kind()
}
