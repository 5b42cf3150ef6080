//! What a vault keeps when it is killed, crowded or grown.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use ioenv::store::{Access, KeyRange, Memory, Order, Record, Sqlite, Store, StoreExt as _, Work};
use ioenv::vault::{
    Actor, At, AuditFilter, Clock, Confirmation, Id, LevelScope, NewEntry, NewEnvironment, NewOrganization, NewProject,
    NewTarget, NewToken, OrganizationId, Paging, PermissionSet, PurgeScope, Restore, RootKey, SystemClock, Timestamp,
    Vault, VaultOptions, VersionAction,
};
use ioenv::{Document, Error, ErrorKind, Kind, LevelPath};

mod counting;
#[cfg(all(unix, feature = "postgres"))]
mod postgres;

use counting::Counting;

/// Where a child process finds its vault.
const CHILD: &str = "IOENV_TEST_VAULT_CHILD";

fn root() -> RootKey {
    RootKey::from_bytes(&[42; 32])
}

fn path() -> LevelPath {
    "store".parse().unwrap()
}

fn open(place: &str) -> Vault {
    #[cfg(all(unix, feature = "postgres"))]
    if place.starts_with("postgres") {
        return Vault::open(ioenv::store::Postgres::connect_single(place).unwrap(), &root()).unwrap();
    }
    Vault::open(Sqlite::open(place).unwrap(), &root()).unwrap()
}

fn prepare(store: impl Store + 'static) -> (Vault, OrganizationId) {
    let vault = Vault::create(store, &root()).unwrap();
    let session = vault.session(Actor::system("test"));
    let organization = session.create_organization(&NewOrganization::new("Acme")).unwrap().id;
    session.create_project(organization, &NewProject::new("store")).unwrap();
    (vault, organization)
}

/// The only organization there is.
fn organization(vault: &Vault) -> OrganizationId {
    vault.session(Actor::system("test")).organizations().unwrap()[0].id
}

/// Not a test of its own: sets one number after the other, and tells each one that was acknowledged.
#[test]
fn writer() {
    let Ok(place) = std::env::var(CHILD) else {
        return;
    };
    let vault = open(&place);
    let organization = organization(&vault);
    let session = vault.session(Actor::system("writer"));
    let document = session
        .read_level(At::Path(organization, &path()), LevelScope::Own)
        .unwrap()
        .into_document()
        .unwrap_or_default();
    let last = document.get("NUMBER").map_or(0, |entry| entry.value().expose_secret().parse::<u64>().unwrap());
    for number in last + 1.. {
        let entry = NewEntry::new("NUMBER".parse().unwrap(), number.to_string()).kind(Kind::Variable);
        session.set_entries(At::Path(organization, &path()), &[entry]).unwrap();
        println!("acknowledged {number}");
    }
}

fn start(what: &str, place: &str) -> Child {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", what, "--nocapture", "--test-threads=1"]).env(CHILD, place);
    command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap()
}

/// Kills a writer that often, each time at another moment after it has begun to write.
fn killed(place: &str, times: u64) {
    let mut seed = 0x9e37_79b9_7f4a_7c15_u64;
    for _ in 0..times {
        let mut child = start("writer", place);
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut acknowledged = None;
        let number = |line: &str| Some(line.split_once("acknowledged ")?.1.parse::<u64>().unwrap());
        for line in lines.by_ref().map_while(Result::ok) {
            acknowledged = number(&line);
            if acknowledged.is_some() {
                break;
            }
        }
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        thread::sleep(Duration::from_micros(seed >> 51));
        child.kill().unwrap();
        child.wait().unwrap();
        // Whatever the pipe still holds was acknowledged, too; but for a last line that was cut.
        for line in lines.map_while(Result::ok) {
            acknowledged = number(&line).filter(|number| Some(*number) > acknowledged).or(acknowledged);
        }
        let acknowledged = acknowledged.expect("the writer wrote");
        check(place, acknowledged);
    }
}

/// That all up to `acknowledged` is there with its record, and nothing in part.
fn check(place: &str, acknowledged: u64) {
    let vault = open(place);
    vault.store().check().unwrap();
    let organization = organization(&vault);
    let session = vault.session(Actor::system("test"));
    let document =
        session.read_level(At::Path(organization, &path()), LevelScope::Own).unwrap().into_document().unwrap();
    let value: u64 = document.get("NUMBER").unwrap().value().expose_secret().parse().unwrap();
    assert!(value >= acknowledged, "{acknowledged} was acknowledged, and {value} is there");

    let filter = AuditFilter::new().name("NUMBER".parse().unwrap());
    let newest = session.audit(organization, &filter, &Paging::new().limit(50)).unwrap().items;
    for (record, expected) in newest.iter().zip((1..=value).rev()) {
        assert_eq!(serde_json::to_value(&record.details).unwrap()["newValue"], expected.to_string());
    }
    let versions = session.versions(At::Path(organization, &path()), &Paging::new().limit(1)).unwrap();
    // Of each value but the last there is a version; ids count from the first one.
    assert_eq!(versions.items.first().map_or(0, |version| version.id & 0xffff_ffff), value - 1);
}

#[test]
fn a_writer_killed_a_hundred_times_loses_nothing_sqlite() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("ioenv.vault");
    prepare(Sqlite::create(&file).unwrap());
    killed(file.to_str().unwrap(), 100);
}

#[cfg(all(unix, feature = "postgres"))]
#[test]
fn a_writer_killed_a_hundred_times_loses_nothing_postgres() {
    let url = postgres::fresh();
    prepare(ioenv::store::Postgres::connect_single(&url).unwrap());
    killed(&url, 100);
}

const ENVIRONMENTS: usize = 100;

fn target() -> LevelPath {
    "store/api".parse().unwrap()
}

/// A target with many environments, each with a content, a version and a token.
fn prepare_target(store: impl Store + 'static) {
    let (vault, organization) = prepare(store);
    let session = vault.session(Actor::system("test"));
    session.create_target(At::Path(organization, &"store".parse().unwrap()), &NewTarget::new("api")).unwrap();
    for number in 0..ENVIRONMENTS {
        let slug = format!("e{number}");
        session.create_environment(At::Path(organization, &target()), &NewEnvironment::new(&slug)).unwrap();
        let at: LevelPath = format!("store/api/{slug}").parse().unwrap();
        for value in 1..=2 {
            session
                .set_document(At::Path(organization, &at), &Document::parse(&format!("A={value}\n")).unwrap())
                .unwrap();
        }
        session.issue_token(organization, &NewToken::new(slug, PermissionSet::ALL).scope(at)).unwrap();
    }
}

/// Not a test of its own: deletes a target and restores it, again and again, and tells what was acknowledged.
#[test]
fn deleter() {
    let Ok(place) = std::env::var(CHILD) else {
        return;
    };
    let vault = open(&place);
    let organization = organization(&vault);
    let session = vault.session(Actor::system("deleter"));
    loop {
        match session.deleted(organization).unwrap().first() {
            Some(deleted) => {
                session.restore_target(organization, Id::from(deleted.id).into()).unwrap();
                println!("acknowledged 0");
            }
            None => {
                session.delete_target(At::Path(organization, &target())).unwrap();
                println!("acknowledged 1");
            }
        }
    }
}

/// That a target is there with all it had, or else gone with all of it. Then it is there.
fn check_target(place: &str) {
    let vault = open(place);
    vault.store().check().unwrap();
    let organization = organization(&vault);
    let session = vault.session(Actor::system("test"));
    let resting = |expected: usize| {
        let tokens = session.tokens(organization).unwrap();
        let resting = tokens.iter().filter(|token| token.deleted_with.is_some()).count();
        assert_eq!((tokens.len(), resting), (ENVIRONMENTS, expected));
    };
    if let Some(deleted) = session.deleted(organization).unwrap().first() {
        assert_eq!(session.target(At::Path(organization, &target())).unwrap_err().kind(), ErrorKind::NotFound);
        resting(ENVIRONMENTS);
        assert_eq!(vault.statistics().unwrap().levels, 1);
        session.restore_target(organization, Id::from(deleted.id).into()).unwrap();
    }
    resting(0);
    let environments = session.environments(At::Path(organization, &target())).unwrap();
    assert_eq!((environments.len(), vault.statistics().unwrap().versions), (ENVIRONMENTS, ENVIRONMENTS as u64));
    for environment in environments {
        let at: LevelPath = format!("store/api/{}", environment.slug).parse().unwrap();
        let document =
            session.read_level(At::Path(organization, &at), LevelScope::Own).unwrap().into_document().unwrap();
        assert_eq!(document.get("A").unwrap().value().expose_secret(), "2");
    }
    assert!(vault.check().unwrap().damaged.is_empty());
}

fn deleters_killed(place: &str, times: u64) {
    for round in 0..times {
        let mut child = start("deleter", place);
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
        assert!(lines.any(|line| line.contains("acknowledged")));
        thread::sleep(Duration::from_micros(round * 1_777 % 29_000));
        child.kill().unwrap();
        child.wait().unwrap();
        check_target(place);
    }
}

#[test]
fn what_is_killed_while_it_deletes_has_deleted_all_or_nothing_sqlite() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("ioenv.vault");
    prepare_target(Sqlite::create(&file).unwrap());
    deleters_killed(file.to_str().unwrap(), 30);
}

#[cfg(all(unix, feature = "postgres"))]
#[test]
fn what_is_killed_while_it_deletes_has_deleted_all_or_nothing_postgres() {
    let url = postgres::fresh();
    prepare_target(ioenv::store::Postgres::connect_single(&url).unwrap());
    deleters_killed(&url, 15);
}

/// A clock that is 31 days ahead.
#[derive(Debug)]
struct Ahead;

impl Clock for Ahead {
    fn now(&self) -> Timestamp {
        SystemClock.now().checked_add(Duration::from_secs(31 * 24 * 60 * 60)).unwrap()
    }
}

/// A store that tells of each transaction that was committed.
#[derive(Debug)]
struct Telling(Sqlite);

impl Store for Telling {
    fn transaction(&self, access: Access, work: &mut Work<'_>) -> Result<(), Error> {
        self.0.transaction(access, work)?;
        if access == Access::Write {
            println!("acknowledged 0");
        }
        Ok(())
    }

    fn check(&self) -> Result<(), Error> {
        self.0.check()
    }
}

/// Not a test of its own: sweeps a vault a month later.
#[test]
fn sweeper() {
    let Ok(place) = std::env::var(CHILD) else {
        return;
    };
    let vault = VaultOptions::new(&root()).clock(Ahead).open(Telling(Sqlite::open(place).unwrap())).unwrap();
    vault.sweep().unwrap();
}

#[test]
fn a_sweep_that_is_killed_goes_on_where_it_was() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("ioenv.vault");
    let (vault, organization) = prepare(Sqlite::create(&file).unwrap());
    let session = vault.session(Actor::system("test"));
    for text in ["A=1\n", "A=2\n"] {
        session.set_document(At::Path(organization, &path()), &Document::parse(text).unwrap()).unwrap();
    }
    multiply(&vault, 20_000);
    let id = session.project(At::Path(organization, &"store".parse().unwrap())).unwrap().id;
    session.delete_project(At::Path(organization, &"store".parse().unwrap())).unwrap();
    let later = VaultOptions::new(&root()).clock(Ahead).open(Sqlite::open(&file).unwrap()).unwrap();
    let rows = || {
        let all = vault.store().read(|tx| tx.scan(&KeyRange::prefix("content/"), Order::Ascending, usize::MAX));
        all.unwrap().len()
    };
    let mut steps = Vec::new();
    while rows() > 0 {
        let mut child = start("sweeper", file.to_str().unwrap());
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
        // After one step more each time, or at its end.
        let _ = lines.by_ref().filter(|line| line.contains("acknowledged")).nth(steps.len());
        child.kill().unwrap();
        child.wait().unwrap();
        vault.store().check().unwrap();
        steps.push(rows());
        // Begun is begun, also for a clock that is right.
        for vault in [&vault, &later] {
            let session = vault.session(Actor::system("test"));
            assert_eq!(
                session.project(At::Path(organization, &"store".parse().unwrap())).unwrap_err().kind(),
                ErrorKind::NotFound
            );
            if steps.last().is_some_and(|left| *left < 20_002) {
                assert_eq!(session.restore_project(organization, id).unwrap_err().kind(), ErrorKind::NotFound);
            }
        }
    }
    assert!(steps.iter().any(|left| (1..20_002).contains(left)), "killed between two steps: {steps:?}");
    later.sweep().unwrap();
    let left = vault.store().read(|tx| tx.scan(&KeyRange::prefix(""), Order::Ascending, usize::MAX)).unwrap();
    let left: Vec<String> = left.into_iter().map(|record| record.key).collect();
    let of_it = left.iter().filter(|key| key.contains(&id.to_string()) && !key.starts_with("audit")).count();
    assert_eq!(of_it, 0);
    let page = session.audit(organization, &AuditFilter::new(), &Paging::new().limit(200)).unwrap().items;
    let purges = page.iter().filter(|record| record.details.operation() == Some("purge")).count();
    assert_eq!(purges, 1, "it was recorded once");
}

#[test]
fn a_purge_does_not_disturb_readers() {
    let directory = tempfile::tempdir().unwrap();
    let (vault, organization) = prepare(Sqlite::create(directory.path().join("ioenv.vault")).unwrap());
    let (vault, is_done) = (&vault, AtomicBool::new(false));
    let session = || vault.session(Actor::system("test"));
    session().set_document(At::Path(organization, &path()), &Document::parse("A=0\n").unwrap()).unwrap();
    thread::scope(|scope| {
        let readers: Vec<_> = (0..4)
            .map(|_| {
                scope.spawn(|| {
                    let mut count = 0;
                    while !is_done.load(Ordering::Relaxed) {
                        let document = session()
                            .read_level(At::Path(organization, &path()), LevelScope::Own)
                            .unwrap()
                            .into_document()
                            .unwrap();
                        assert_eq!(document.len(), 1);
                        let page =
                            session().versions(At::Path(organization, &path()), &Paging::new().limit(200)).unwrap();
                        for version in page.items {
                            match session().version(organization, version.id) {
                                Ok(content) => assert_eq!(content.version.action, VersionAction::Update),
                                // Gone since it was listed: told as such, and not as damage.
                                Err(error) => assert_eq!(error.kind(), ErrorKind::NotFound, "{error}"),
                            }
                        }
                        count += 1;
                    }
                    count
                })
            })
            .collect();
        for number in 0..100 {
            let document = Document::parse(&format!("A={number}\n")).unwrap();
            session().set_document(At::Path(organization, &path()), &document).unwrap();
            if number % 10 == 9 {
                session()
                    .purge_versions(At::Path(organization, &path()), PurgeScope::Level, Confirmation::Given)
                    .unwrap();
            }
        }
        is_done.store(true, Ordering::Relaxed);
        assert!(readers.into_iter().map(|reader| reader.join().unwrap()).sum::<u32>() > 0);
    });
    assert_eq!(session().versions(At::Path(organization, &path()), &Paging::new()).unwrap().items.len(), 0);
}

/// Adds versions like the one there is, without writing each.
fn multiply(vault: &Vault, count: u32) {
    let found = vault
        .store()
        .read(|tx| tx.scan(&KeyRange::prefix("version/"), Order::Ascending, 1))
        .unwrap()
        .pop()
        .expect("a version to copy");
    let content_key = |number: u32| {
        let project = found.key.split('/').nth(1).unwrap();
        format!("content/{project}/{number:010}")
    };
    let content = vault.store().read(|tx| tx.get(&content_key(1))).unwrap().unwrap();
    for numbers in (10..10 + count).collect::<Vec<_>>().chunks(2_000) {
        let mut records = Vec::new();
        for &number in numbers {
            let (prefix, _) = found.key.rsplit_once('/').unwrap();
            let numbered = |text: &str| text.replacen("\"number\":1,", &format!("\"number\":{number},"), 1);
            records.push(Record { key: format!("{prefix}/{number:010}"), value: numbered(&found.value) });
            records.push(Record { key: content_key(number), value: numbered(&content) });
        }
        vault.store().append(records).unwrap();
    }
}

#[test]
fn a_level_of_a_hundred_thousand_versions_is_like_any_other() {
    let store = Arc::new(Counting::all(Memory::new()));
    let (vault, organization) = prepare(Arc::clone(&store));
    let session = vault.session(Actor::system("test"));
    for text in ["A=1\n", "A=2\n"] {
        session.set_document(At::Path(organization, &path()), &Document::parse(text).unwrap()).unwrap();
    }
    multiply(&vault, 100_000);
    let before = store.records_read();
    let page = session.versions(At::Path(organization, &path()), &Paging::new().limit(200)).unwrap();
    assert_eq!(page.items.len(), 200);
    assert_eq!(page.items[0].id & 0xffff_ffff, 100_009);
    let next =
        session.versions(At::Path(organization, &path()), &Paging::new().limit(200).after(page.next.unwrap())).unwrap();
    assert_eq!(next.items[0].id & 0xffff_ffff, 99_809);

    // The oldest is a version of its own; the copies are told as damage, because they stand where they do not belong.
    let oldest = (page.items[0].id & !0xffff_ffff) | 1;
    session.restore_version(organization, oldest, &Restore::new()).unwrap();
    let document =
        session.read_level(At::Path(organization, &path()), LevelScope::Own).unwrap().into_document().unwrap();
    assert_eq!(document.get("A").unwrap().value().expose_secret(), "1");
    let copied = session.restore_version(organization, page.items[0].id, &Restore::new()).unwrap_err();
    assert_eq!(copied.kind(), ErrorKind::Corrupt);
    let read = store.records_read() - before;
    assert!(read < 1_000, "{read} records were read: none of this goes through all versions");

    let purged =
        session.purge_versions(At::Path(organization, &path()), PurgeScope::Level, Confirmation::Given).unwrap();
    assert_eq!(purged, 100_002);
}
