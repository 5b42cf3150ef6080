//! What only the library itself asks: where things are, how much there is, pages by numbers, and what an update would change.

use super::*;
use crate::core::cipher::{Aes256Gcm, Cipher as _};
use crate::core::document::{Document, Kind};
use crate::core::dotenv_cloud::KeyProof;
use crate::core::key::LevelKey;
use crate::core::name::VarName;
use crate::core::path::LevelPath;
use crate::error::ErrorKind::{self, Denied, NotFound, Unauthenticated};
use crate::error::{Error, Result};
use crate::store::{KeyRange, Memory, Order, StoreExt as _};
use crate::system::SystemRandom;

const PROD: &str = "shop/api/prod";

type Ask<'a> = &'a dyn Fn(&Session<'_>, OrganizationId) -> Result<()>;

fn by_slug(text: &str) -> IdOrSlug {
    IdOrSlug::Slug(text.parse().unwrap())
}

fn path(text: &str) -> LevelPath {
    text.parse().unwrap()
}

fn name(text: &str) -> VarName {
    text.parse().unwrap()
}

fn entry(key: &str, value: &str) -> NewEntry {
    NewEntry::new(name(key), value)
}

/// The kind of the error that must have come.
#[track_caller]
fn refused<T: std::fmt::Debug>(result: Result<T>) -> ErrorKind {
    result.unwrap_err().kind()
}

/// A vault with an organization.
struct Stage {
    vault: Vault,
    acme: OrganizationId,
}

impl Stage {
    fn new() -> Self {
        let vault = Vault::create(Memory::new(), &RootKey::generate(&SystemRandom).unwrap()).unwrap();
        let acme = vault.session(Actor::system("stage")).create_organization(&NewOrganization::new("Acme")).unwrap().id;
        Self { vault, acme }
    }

    fn system(&self) -> Session<'_> {
        self.vault.session(Actor::system("test"))
    }

    /// A project `shop` with a target `api`, which has an environment `prod`, and an environment `dev` of its own.
    fn shop(&self) {
        let system = self.system();
        system.create_project(self.acme, &NewProject::new("shop")).unwrap();
        system.create_target(At::Path(self.acme, &path("shop")), &NewTarget::new("api")).unwrap();
        system.create_environment(At::Path(self.acme, &path("shop/api")), &NewEnvironment::new("prod")).unwrap();
        system.create_environment(At::Path(self.acme, &path("shop")), &NewEnvironment::new("dev")).unwrap();
    }

    /// A project with `_base`, `dev`, `staging` and `prod`.
    fn with_base(&self, name: &str) {
        let project = NewProject::new(name).has_base(true);
        self.system().create_project(self.acme, &project).unwrap();
    }

    fn issue(&self, permissions: PermissionSet, scope: Option<&str>) -> IssuedToken {
        let mut token = NewToken::new("worker", permissions);
        token.scope = scope.map(path);
        self.system().issue_token(self.acme, &token).unwrap()
    }

    fn session(&self, permissions: PermissionSet, scope: Option<&str>) -> Session<'_> {
        self.vault.session(self.issue(permissions, scope).token)
    }

    fn member(&self, email: &str, role: MemberRole) -> UserId {
        self.system().add_member(self.acme, &NewMember::new(email, "Ann", role)).unwrap().user
    }

    fn user(&self, id: UserId) -> Session<'_> {
        self.vault.session(Actor::User(id))
    }

    fn grant(&self, at: &str, grantee: Grantee, role: &str) {
        self.system().grant(At::Path(self.acme, &path(at)), grantee, role.parse().unwrap()).unwrap();
    }

    fn write(&self, at: &str, text: &str) {
        self.system().set_document(At::Path(self.acme, &path(at)), &Document::parse(text).unwrap()).unwrap();
    }

    /// How many audit records `work` leaves.
    fn logged(&self, work: impl FnOnce()) -> usize {
        let count = || {
            let records = KeyRange::prefix(format!("audit/{}/", self.acme));
            self.vault.store().read(|tx| tx.scan(&records, Order::Ascending, usize::MAX)).unwrap().len()
        };
        let before = count();
        work();
        count() - before
    }
}

#[test]
fn a_key_tells_whose_it_is() {
    let stage = &Stage::new();
    stage.shop();
    let system = stage.system();
    assert_eq!(system.own_key().unwrap(), None);

    let issued = stage.issue(Permission::SecretRead.into(), Some(PROD));
    let own = stage.vault.session(issued.token).own_key().unwrap().unwrap();
    assert_eq!((own.id, own.organization, own.owner), (issued.info.id.into(), stage.acme, KeyOwner::Token));
    assert_eq!((own.permissions, own.environment.unwrap().path), (Permission::SecretRead.into(), path(PROD)));
    for scope in [None, Some("shop"), Some("shop/api")] {
        let own = stage.session(Permission::SecretRead.into(), scope).own_key().unwrap().unwrap();
        assert_eq!((own.owner, own.environment), (KeyOwner::Token, None), "{scope:?}");
    }

    let made =
        system.create_account(At::Path(stage.acme, &path(PROD)), &NewAccount::new("runner", PermissionSet::EMPTY));
    let account = stage.vault.session(made.unwrap().key);
    let own = account.own_key().unwrap().unwrap();
    assert_eq!(own.owner, KeyOwner::Account);
    let at = own.environment.unwrap();
    let prod = system.environment(At::Path(stage.acme, &path(PROD))).unwrap();
    let shop = system.project(At::Path(stage.acme, &path("shop"))).unwrap().id;
    assert_eq!((at.project, at.id, at.path, at.is_production), (shop, prod.id, path(PROD), false));
    assert_eq!(at.rights, Permission::EnvironmentRead.into());

    let service = NewServiceAccount::new("ci", Permission::ProjectRead.into());
    let service = system.create_service_account(stage.acme, &service).unwrap().id;
    let key = system.create_service_key(stage.acme, service, &NewServiceKey::new("one")).unwrap();
    let own = stage.vault.session(key.key).own_key().unwrap().unwrap();
    assert_eq!((own.id, own.owner), (key.info.id.into(), KeyOwner::ServiceAccount(service)));

    let ann = stage.member("ann@example.test", "workspace:member".parse().unwrap());
    assert_eq!(stage.user(ann).own_key().unwrap(), None, "in person");
    let key = NewPersonalKey::new("laptop", PersonalKeyLevel::ReadOnly);
    let key = stage.user(ann).create_personal_key(stage.acme, &key).unwrap();
    let session = stage.vault.session(key.key);
    let own = session.own_key().unwrap().unwrap();
    assert_eq!(
        (own.id, own.owner, own.permissions),
        (key.info.id.into(), KeyOwner::User(ann), PersonalKeyLevel::ReadOnly.permissions())
    );

    system.delete_environment(At::Path(stage.acme, &path(PROD)), Confirmation::Missing).unwrap();
    assert_eq!(refused(account.own_key()), Unauthenticated);
}

#[test]
fn places_are_found_by_slug_and_by_id() {
    let stage = &Stage::new();
    stage.shop();
    stage.with_base("based");
    let system = stage.system();
    let shop = system.project(At::Path(stage.acme, &path("shop"))).unwrap().id;
    let dev = system.environment(At::Path(stage.acme, &path("shop/dev"))).unwrap().id;
    let prod = system.environment(At::Path(stage.acme, &path(PROD))).unwrap().id;
    let based = system.project(At::Path(stage.acme, &path("based"))).unwrap().id;
    let records = stage.logged(|| {
        for project in [by_slug("shop"), IdOrSlug::Id(shop.into())] {
            let found = system.find_project(stage.acme, &project).unwrap();
            assert_eq!((found.id, found.slug.as_str(), found.rights), (shop, "shop", PermissionSet::ALL));
            for environment in [by_slug("dev"), IdOrSlug::Id(dev.into())] {
                let found = system.find_environment(stage.acme, &project, &environment).unwrap();
                assert_eq!((found.project, found.id, found.path), (shop, dev, path("shop/dev")));
            }
            // A target, what stands below one, and a project.
            for other in [by_slug("api"), IdOrSlug::Id(prod.into()), IdOrSlug::Id(shop.into()), by_slug("none")] {
                assert_eq!(refused(system.find_environment(stage.acme, &project, &other)), NotFound);
            }
        }
        for base in [by_slug("_base"), IdOrSlug::Id(based.into())] {
            assert_eq!(refused(system.find_environment(stage.acme, &by_slug("based"), &base)), NotFound);
        }
        assert_eq!(
            refused(system.find_environment(stage.acme, &by_slug("based"), &IdOrSlug::Id(dev.into()))),
            NotFound
        );
        assert_eq!(refused(system.find_project(stage.acme, &IdOrSlug::Id(dev.into()))), NotFound);
    });
    assert_eq!(records, 0);
    let other = system.create_organization(&NewOrganization::new("Other")).unwrap().id;
    assert_eq!(refused(system.find_project(other, &IdOrSlug::Id(shop.into()))), NotFound);

    let ann = stage.member("ann@example.test", "workspace:member".parse().unwrap());
    let session = stage.user(ann);
    assert_eq!(refused(session.find_project(stage.acme, &IdOrSlug::Id(shop.into()))), NotFound);
    stage.grant("shop/dev", Grantee::User(ann), "viewer");
    let found = session.find_environment(stage.acme, &IdOrSlug::Id(shop.into()), &by_slug("dev")).unwrap();
    assert!(found.rights.contains(Permission::SecretRead) && !found.rights.contains(Permission::SecretWrite));
    let found = session.find_project(stage.acme, &by_slug("shop")).unwrap();
    assert!(found.rights.contains(Permission::ProjectRead) && !found.rights.contains(Permission::SecretRead));
    let bound = stage.session(PermissionSet::ALL, Some("shop/api"));
    assert_eq!(refused(bound.find_environment(stage.acme, &by_slug("shop"), &by_slug("dev"))), NotFound);
}

#[test]
fn summaries_count_what_may_be_known() {
    let stage = &Stage::new();
    stage.shop();
    stage.with_base("based");
    stage.write("shop/dev", "A=1\nB=2\n");
    let (system, acme) = (stage.system(), stage.acme);
    let project = |session: &Session<'_>, at: &str| session.project_summary(At::Path(acme, &path(at)));
    let level = |session: &Session<'_>, at: &str| session.level_summary(At::Path(acme, &path(at)));
    let records = stage.logged(|| {
        let (shop, based) = (project(&system, "shop").unwrap(), project(&system, "based").unwrap());
        assert_eq!((shop.environments, based.environments, shop.rights), (1, 3, PermissionSet::ALL));
        assert_eq!(refused(project(&system, "none")), NotFound);
        let counts = ["shop/dev", PROD].map(|at| level(&system, at).unwrap().entries);
        assert_eq!(counts, [2, 0]);
        assert_eq!(refused(level(&system, "shop/none")), NotFound);
    });
    assert_eq!(records, 0);
    let metadata = system.entry_metadata(At::Path(acme, &path("shop/dev"))).unwrap();
    assert_eq!(metadata[0].last_accessed_at, None, "counting is no access");

    let ann = stage.member("ann@example.test", "workspace:member".parse().unwrap());
    stage.grant(PROD, Grantee::User(ann), "viewer");
    let session = stage.user(ann);
    assert_eq!(project(&session, "shop").unwrap().environments, 0);
    assert_eq!(refused(project(&session, "based")), NotFound);
    assert_eq!(refused(level(&session, "shop/dev")), NotFound);
    // What only its people can open is not counted.
    let key = LevelKey::from_bytes(&[7; 32]);
    let proof = KeyProof::of(&key).to_text();
    let mut theirs = NewProject::new("theirs");
    theirs.key = NewKey::Client { derivation: None, proof: proof.clone(), hint: None };
    system.create_project(acme, &theirs).unwrap();
    let blob = Aes256Gcm.seal(&key, b"A=1\n", &SystemRandom).unwrap();
    system.set_blob(At::Path(acme, &path("theirs")), &NewBlob::new(blob).key_proof(proof)).unwrap();
    assert_eq!(level(&system, "theirs").unwrap().entries, 0);
    // A caller who may not read secrets may know how many there are.
    let counter = stage.session(Permission::EnvironmentRead.into(), None);
    assert_eq!(level(&counter, "shop/dev").unwrap().entries, 2);
}

#[test]
fn what_is_only_on_the_way_is_not_counted() {
    let stage = &Stage::new();
    stage.shop();
    for at in ["shop", "shop/api", PROD, "shop/dev"] {
        stage.write(at, "A=1\n");
    }
    let acme = stage.acme;
    let ann = stage.member("ann@example.test", "workspace:member".parse().unwrap());
    stage.grant(PROD, Grantee::User(ann), "viewer");
    for session in [stage.user(ann), stage.session(PermissionSet::ALL, Some(PROD))] {
        for (at, contents) in [("shop", 1), ("shop/api", 1), (PROD, 1)] {
            assert_eq!(session.counts(At::Path(acme, &path(at))).unwrap().contents, contents, "{at}");
        }
        let level = |at: &str| session.level_summary(At::Path(acme, &path(at)));
        assert_eq!(["shop", "shop/api", PROD].map(|at| level(at).unwrap().entries), [0, 0, 1]);
        assert_eq!(refused(level("shop/dev")), NotFound);
    }
    let all = stage.session(PermissionSet::ALL, Some("shop")).counts(At::Path(acme, &path("shop"))).unwrap();
    assert_eq!((all.targets, all.environments, all.contents), (1, 2, 4));
}

#[test]
fn calls_of_one_use_case_take_the_same_where_they_are_done() {
    let stage = &Stage::new();
    stage.shop();
    stage.write(PROD, "A=1\n");
    let (system, acme) = (stage.system(), stage.acme);
    let other = system.create_organization(&NewOrganization::new("Other")).unwrap().id;
    let webhook =
        system.create_webhook(At::Path(acme, &path(PROD)), &NewWebhook::new("https://a.example.com/in")).unwrap();
    let webhook = webhook.webhook.id;
    system.create_environment(At::Path(acme, &path("shop/api")), &NewEnvironment::new("test")).unwrap();
    let asked: [(UseCase, Ask<'_>); 7] = [
        (UseCase::ResolveLevel, &|session, id| {
            session.read_level(At::Path(id, &path(PROD)), LevelScope::Chain).map(drop)
        }),
        (UseCase::OpenBlobs, &|session, id| session.opened_blobs(At::Path(id, &path(PROD))).map(drop)),
        (UseCase::CompareEntries, &|session, id| {
            session.compare_entries(At::Path(id, &path(PROD)), &[EntryUpdate::new(name("A"))]).map(drop)
        }),
        (UseCase::ListVersions, &|session, id| session.versions_from(At::Path(id, &path(PROD)), 0, 9).map(drop)),
        (UseCase::ListChanges, &|session, id| session.changes_from(At::Path(id, &path(PROD)), 0, 9).map(drop)),
        (UseCase::ListWebhookLogs, &|session, id| {
            session.webhook_logs_from(At::Path(id, &path(PROD)), webhook, 0, 9).map(drop)
        }),
        (UseCase::SetEntry, &|session, id| {
            session
                .set_entry(At::Path(id, &path(PROD)), &entry("A", "1"), Kind::Variable, &EntryPrecondition::new())
                .map(drop)
        }),
    ];
    for (use_case, ask) in asked {
        let needed = use_case.permissions();
        let records = stage.logged(|| ask(&stage.session(needed, Some(PROD)), acme).unwrap());
        // Setting what is there already changes nothing.
        assert!(records > 0 || use_case == UseCase::SetEntry, "{use_case:?} is recorded");
        for permission in needed.iter() {
            let session = stage.session(PermissionSet::ALL.difference(permission.into()), None);
            assert_eq!(refused(ask(&session, acme)), Denied, "{use_case:?} without {permission}");
        }
        for elsewhere in ["shop/dev", "shop/api/test"] {
            let session = stage.session(PermissionSet::ALL, Some(elsewhere));
            assert_eq!(refused(ask(&session, acme)), NotFound, "{use_case:?} from {elsewhere}");
        }
        assert_eq!(refused(ask(&stage.session(PermissionSet::ALL, None), other)), NotFound, "{use_case:?}");
    }
}

#[test]
fn what_takes_no_permission_tells_nothing_of_what_is_elsewhere() {
    let stage = &Stage::new();
    stage.shop();
    let (system, acme) = (stage.system(), stage.acme);
    let other = system.create_organization(&NewOrganization::new("Other")).unwrap().id;
    system.create_project(acme, &NewProject::new("beside")).unwrap();
    let [prod, dev] = [PROD, "shop/dev"].map(|at| system.environment(At::Path(acme, &path(at))).unwrap().id);
    let theirs = system.create_project(other, &NewProject::new("shop")).unwrap().id;
    let beside = system.project(At::Path(acme, &path("beside"))).unwrap().id;
    let session = stage.session(PermissionSet::ALL, Some(PROD));
    for (organization, at) in [(acme, "shop/dev"), (acme, "beside"), (acme, "none"), (other, "shop"), (other, "none")] {
        let (at, named) = (path(at), by_slug(path(at).project()));
        let none = |error: Error| assert_eq!(error.kind(), NotFound, "{at}");
        none(session.counts(At::Path(organization, &at)).unwrap_err());
        none(session.chain(At::Path(organization, &at)).unwrap_err());
        none(session.own_rights(At::Path(organization, &at)).unwrap_err());
        none(session.check_rights(organization, Some(&at), PermissionSet::EMPTY).unwrap_err());
        if path("shop") != path(at.project()) || organization == other {
            none(session.find_project(organization, &named).unwrap_err());
        }
        none(session.find_environment(organization, &named, &by_slug("dev")).unwrap_err());
        none(session.level_summary(At::Path(organization, &at)).unwrap_err());
    }
    for id in [LevelId::from(dev), theirs.into(), beside.into()] {
        let words = [session.locate(id).unwrap_err(), session.locate_environment(Id::from(id).into()).unwrap_err()];
        let unknown = Id::from_parts(stage.vault.now(), [7; 10]);
        let nothing =
            [session.locate(unknown.into()).unwrap_err(), session.locate_environment(unknown.into()).unwrap_err()];
        assert_eq!(words.map(|error| error.to_string()), nothing.map(|error| error.to_string()));
    }
    let find = |id| session.find_environment(acme, &by_slug("shop"), &IdOrSlug::Id(id)).unwrap_err().to_string();
    assert_eq!(find(dev.into()), find(Id::from_parts(stage.vault.now(), [7; 10])));
    assert_eq!(session.locate_environment(prod).unwrap(), (acme, path(PROD)));
    // Not even what is above may be asked for as if it were inside.
    assert_eq!(refused(session.check_rights(acme, Some(&path("shop")), PermissionSet::EMPTY)), NotFound);
}

#[test]
fn changes_are_paged_by_numbers_too() {
    let stage = &Stage::new();
    stage.shop();
    for number in 0..50 {
        stage.write(PROD, &format!("A={number}\n"));
    }
    let system = stage.system();
    let (all, count) = system.changes_from(At::Path(stage.acme, &path(PROD)), 0, 1000).unwrap();
    assert_eq!((all.len(), count), (50, 50));
    let (some, count) = system.changes_from(At::Path(stage.acme, &path(PROD)), 19, 3).unwrap();
    assert_eq!((some.len(), count), (3, 50));
    assert_eq!(some[0].id, all[19].id);
    assert_eq!(some[0].entries[0].new_value.as_ref().unwrap().expose_secret(), "30");
    let (none, count) = system.changes_from(At::Path(stage.acme, &path(PROD)), 50, 3).unwrap();
    assert_eq!((none.len(), count), (0, 50));
    let (none, count) = system.changes_from(At::Path(stage.acme, &path("shop/dev")), 0, 3).unwrap();
    assert_eq!((none.len(), count), (0, 0));
    let reader = stage.session(Permission::SecretRead.into(), None);
    assert_eq!(refused(reader.changes_from(At::Path(stage.acme, &path(PROD)), 0, 3)), Denied);
}

#[test]
fn logs_of_webhooks_are_paged_by_numbers_too() {
    let stage = &Stage::new();
    stage.shop();
    let (system, acme) = (stage.system(), stage.acme);
    let webhook =
        system.create_webhook(At::Path(acme, &path(PROD)), &NewWebhook::new("https://a.example.com/in")).unwrap();
    let id = webhook.webhook.id;
    let (logs, count) = system.webhook_logs_from(At::Path(acme, &path(PROD)), id, 0, 10).unwrap();
    assert_eq!((logs.len(), count), (0, 0));
    assert_eq!(refused(system.webhook_logs_from(At::Path(acme, &path("shop/dev")), id, 0, 10)), NotFound);
    let other = stage.session(Permission::SecretRead.into(), None);
    assert_eq!(refused(other.webhook_logs_from(At::Path(acme, &path(PROD)), id, 0, 10)), Denied);
}

#[test]
fn whoever_knows_of_a_level_may_know_what_it_inherits_from() {
    let stage = &Stage::new();
    stage.shop();
    let system = stage.system();
    let project = system.project(At::Path(stage.acme, &path("shop"))).unwrap().id;
    let target = system.target(At::Path(stage.acme, &path("shop/api"))).unwrap().id;
    let environment = system.environment(At::Path(stage.acme, &path("shop/api/prod"))).unwrap().id;
    let bound = stage.session(Permission::Scan.into(), Some("shop/api/prod"));
    for session in [&system, &bound] {
        assert_eq!(session.chain(At::Path(stage.acme, &path("shop"))).unwrap(), [project.into()]);
        assert_eq!(session.chain(At::Path(stage.acme, &path("shop/api"))).unwrap(), [project.into(), target.into()]);
        assert_eq!(
            session.chain(At::Path(stage.acme, &path("shop/api/prod"))).unwrap(),
            [project.into(), target.into(), environment.into()]
        );
    }
    assert_eq!(refused(bound.chain(At::Path(stage.acme, &path("shop/dev")))), NotFound);
    assert_eq!(refused(system.chain(At::Path(stage.acme, &path("shop/none")))), NotFound);
}

#[test]
fn an_environment_is_found_by_its_id_and_nothing_else() {
    let stage = &Stage::new();
    stage.shop();
    stage.with_base("based");
    let system = stage.system();
    for at in ["shop/api/prod", "shop/dev", "based/prod", "based"] {
        let id = system.environment(At::Path(stage.acme, &path(at))).unwrap().id;
        assert_eq!(system.locate_environment(id).unwrap(), (stage.acme, path(at)));
    }
    let project = system.projects(stage.acme).unwrap().into_iter().find(|one| one.slug == "shop").unwrap().id;
    let target = system.target(At::Path(stage.acme, &path("shop/api"))).unwrap().id;
    for other in [Id::from(project), target.into(), stage.acme.into()] {
        assert_eq!(refused(system.locate_environment(other.into())), NotFound);
    }
    let bound = NewToken::new("b", Permission::Scan.into()).scope(path("based"));
    let bound = stage.vault.session(Actor::Token(system.issue_token(stage.acme, &bound).unwrap().token));
    let id = |at: &str| system.environment(At::Path(stage.acme, &path(at))).unwrap().id;
    assert!(bound.locate_environment(id("based/prod")).is_ok());
    assert_eq!(refused(bound.locate_environment(id("shop/dev"))), NotFound);
    assert_eq!(refused(bound.read_level(At::Path(stage.acme, &path("based/prod")), LevelScope::Chain)), Denied);
}

#[test]
fn versions_are_paged_by_numbers_too() {
    let stage = &Stage::new();
    stage.shop();
    for number in 0..7 {
        stage.write("shop", &format!("A={number}\n"));
    }
    let all = stage.system().versions(At::Path(stage.acme, &path("shop")), &Paging::new()).unwrap().items;
    let paged: Vec<u64> = all.iter().map(|version| version.id).collect();
    for (offset, limit, expected) in
        [(0, 4, 0..4), (4, 4, 4..6), (5, usize::MAX, 5..6), (6, 4, 6..6), (usize::MAX, 4, 6..6), (0, 0, 0..0)]
    {
        let (some, total) = stage.system().versions_from(At::Path(stage.acme, &path("shop")), offset, limit).unwrap();
        let ids: Vec<u64> = some.iter().map(|version| version.id).collect();
        assert_eq!((ids.as_slice(), total), (&paged[expected], 6));
    }
}
