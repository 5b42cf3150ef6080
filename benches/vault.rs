//! How a vault compares with bare durable transactions, and how it grows.
//!
//! `cargo bench --features sqlite --bench vault` prints the table of `docs/benchmarks.md`; with `--features
//! sqlite,postgres` and a server in `IOENV_TEST_POSTGRES` also its last row. Two things that are compared are run in
//! turns, because the machine is not the same from one second to the next; what is shown are medians of these turns.
#![expect(clippy::unwrap_used, reason = "a benchmark that cannot go on has nobody to tell but its reader")]
#![expect(clippy::disallowed_methods, reason = "these are for the core")]

use std::io::{Seek as _, Write as _};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
#[cfg(feature = "worker")]
use std::{
    io::{BufRead as _, BufReader, Read as _},
    net::{SocketAddr, TcpListener, TcpStream},
    sync::{Arc, atomic::AtomicUsize},
};

use ioenv::store::{self, KeyRange, Record, Sqlite, StoreExt as _};
use ioenv::vault::{
    Actor, At, AuditFilter, EnvironmentRole, GrantRole, Grantee, Id, LevelScope, MemberRole, NewEntry, NewEnvironment,
    NewMember, NewOrganization, NewProject, NewTarget, NewTeam, NewToken, OrganizationId, Paging, PermissionSet,
    RootKey, TeamId, Timestamp, Token, UserId, Vault, WorkspaceRole,
};
use ioenv::{Document, LevelPath, SystemRandom, VarName};

/// How long each side of a comparison is run for in one turn.
const TURN: Duration = Duration::from_millis(250);
const TURNS: usize = 21;

/// A vault on disk with one project, whose environments hold 50 secrets each.
struct Stage {
    directory: tempfile::TempDir,
    vault: Vault,
    organization: OrganizationId,
    token: Token,
}

impl Stage {
    fn new(environments: usize) -> Self {
        // Beside the build, which is on a disk; a temporary directory may not be.
        let directory = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
        let store = Sqlite::create(directory.path().join("vault/ioenv.vault")).unwrap();
        let vault = Vault::create(store, &RootKey::generate(&SystemRandom).unwrap()).unwrap();
        let session = vault.session(Actor::system("bench"));
        let organization = session.create_organization(&NewOrganization::new("Acme")).unwrap().id;
        session.create_project(organization, &NewProject::new("store")).unwrap();
        session.create_target(At::Path(organization, &"store".parse().unwrap()), &NewTarget::new("backend")).unwrap();
        for number in 0..environments {
            let new = NewEnvironment::new(format!("env-{number}"));
            session.create_environment(At::Path(organization, &path("store/backend")), &new).unwrap();
            session.set_document(At::Path(organization, &environment(number)), &document()).unwrap();
        }
        let token = session.issue_token(organization, &NewToken::new("bench", PermissionSet::ALL)).unwrap().token;
        Self { directory, vault, organization, token }
    }

    fn read(&self, number: usize) {
        let session = self.vault.session(self.token.clone());
        let env =
            session.read_level(At::Path(self.organization, &environment(number)), LevelScope::Chain).unwrap().resolve();
        assert_eq!(env.len(), 50);
    }

    fn set(&self, number: usize, value: usize) {
        let session = self.vault.session(self.token.clone());
        let entry = NewEntry::new(name(7), format!("another value {value:040}"));
        session.set_entries(At::Path(self.organization, &environment(number)), &[entry]).unwrap();
    }

    fn file(&self) -> PathBuf {
        self.directory.path().join("vault/ioenv.vault")
    }

    /// All records, by key.
    fn records(&self) -> Vec<Record> {
        let all = |tx: &mut dyn store::Transaction| tx.scan(&KeyRange::prefix(""), store::Order::Ascending, usize::MAX);
        self.vault.store().read(all).unwrap()
    }

    /// What one call of `work` writes: records that are new or other than before.
    fn written(&self, work: impl FnOnce(&Self)) -> Vec<Record> {
        let before = self.records();
        work(self);
        self.records().into_iter().filter(|record| !before.contains(record)).collect()
    }

    /// Adds audit records like the newest one, until there are `count`; one in a thousand by another actor.
    fn fill_audit(&self, count: usize, other: OrganizationId) {
        let template = self.written(|stage| stage.read(0));
        let template: Vec<Record> = template.into_iter().filter(|record| record.key.starts_with("audit")).collect();
        let main = template.iter().find(|record| record.key.starts_with("audit/")).unwrap();
        let old_id = main.key.rsplit('/').next().unwrap().to_owned();
        let actor = template.iter().find(|record| record.key.starts_with("audit-actor/")).unwrap();
        let old_actor = actor.key.split('/').nth(2).unwrap().to_owned();
        let start = old_id.parse::<Id>().unwrap().timestamp().as_millis() - i64::try_from(count).unwrap();
        for batch in (0..count).collect::<Vec<_>>().chunks(2_000) {
            let mut records = Vec::new();
            for &number in batch {
                let at = Timestamp::from_millis(start + i64::try_from(number).unwrap()).unwrap();
                let id = Id::from_parts(at, [0; 10]).to_string();
                let actor = if number % 1_000 == 0 { other.to_string() } else { old_actor.clone() };
                for record in &template {
                    records.push(Record {
                        key: record.key.replace(&old_id, &id).replace(&old_actor, &actor),
                        value: record.value.replace(&old_id, &id).replace(&old_actor, &actor),
                    });
                }
            }
            self.vault.store().append(records).unwrap();
        }
    }
}

fn path(text: &str) -> LevelPath {
    text.parse().unwrap()
}

fn environment(number: usize) -> LevelPath {
    path(&format!("store/backend/env-{number}"))
}

fn name(number: usize) -> VarName {
    format!("SETTING_NUMBER_{number}").parse().unwrap()
}

fn document() -> Document {
    let mut document = Document::new();
    for number in 0..50 {
        document.set(name(number), format!("the value of the secret that has the number {number:04}")).unwrap();
    }
    document
}

/// The same rows read and written in one durable transaction, by SQLite alone.
struct Bare {
    connection: rusqlite::Connection,
    reads: Vec<String>,
    writes: Vec<Record>,
    turn: usize,
}

impl Bare {
    fn new(directory: &Path, reads: Vec<String>, writes: Vec<Record>, all: &[Record]) -> Self {
        let connection = rusqlite::Connection::open(directory.join("bare.db")).unwrap();
        connection.pragma_update(None, "journal_mode", "WAL").unwrap();
        connection.pragma_update(None, "synchronous", "FULL").unwrap();
        connection.execute_batch("CREATE TABLE record (key TEXT PRIMARY KEY, value TEXT NOT NULL)").unwrap();
        for record in all {
            connection
                .execute("INSERT INTO record (key, value) VALUES (?1, ?2)", (&record.key, &record.value))
                .unwrap();
        }
        Self { connection, reads, writes, turn: 0 }
    }

    fn run(&mut self) {
        self.turn += 1;
        self.connection.prepare_cached("BEGIN IMMEDIATE").unwrap().execute(()).unwrap();
        for key in &self.reads {
            let mut statement = self.connection.prepare_cached("SELECT value FROM record WHERE key = ?1").unwrap();
            let value: String = statement.query_row([key], |row| row.get(0)).unwrap();
            std::hint::black_box(value);
        }
        for record in &self.writes {
            // What has an id of its own gets a new key, as it does in a vault; the rest is written over.
            let is_new = ["audit", "content", "version"].iter().any(|kind| record.key.starts_with(kind));
            let key = if is_new {
                let (kept, _) = record.key.split_at(record.key.len() - 8);
                format!("{kept}{:08}", self.turn)
            } else {
                record.key.clone()
            };
            let sql = "INSERT INTO record (key, value) VALUES (?1, ?2) ON CONFLICT (key) DO UPDATE SET value = ?2";
            self.connection.prepare_cached(sql).unwrap().execute((&key, &record.value)).unwrap();
        }
        self.connection.prepare_cached("COMMIT").unwrap().execute(()).unwrap();
    }
}

/// Seconds that one call takes, in the mean of a turn.
fn timed(mut work: impl FnMut()) -> f64 {
    let start = Instant::now();
    let mut count = 0_u32;
    while start.elapsed() < TURN {
        work();
        count += 1;
    }
    start.elapsed().as_secs_f64() / f64::from(count)
}

/// Calls in a second of `threads` threads together.
fn throughput(threads: usize, work: impl Fn(usize) + Sync) -> f64 {
    let start = Instant::now();
    let counts: Vec<u32> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..threads)
            .map(|thread| {
                let work = &work;
                scope.spawn(move || {
                    let mut count = 0;
                    while start.elapsed() < TURN {
                        work(thread);
                        count += 1;
                    }
                    count
                })
            })
            .collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    f64::from(counts.iter().sum::<u32>()) / start.elapsed().as_secs_f64()
}

/// Both in turns: the median of each, and of their ratio.
fn compare(mut one: impl FnMut() -> f64, mut other: impl FnMut() -> f64) -> (f64, f64, f64) {
    let (mut ones, mut others, mut ratios) = (Vec::new(), Vec::new(), Vec::new());
    for turn in 0..=TURNS {
        let (a, b) = (one(), other());
        // The first turn warms up.
        if turn > 0 {
            ones.push(a);
            others.push(b);
            ratios.push(a / b);
        }
    }
    (median(ones), median(others), median(ratios))
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

fn micros(seconds: f64) -> String {
    format!("{:.0} µs", seconds * 1e6)
}

fn row(what: &str, ours: &str, compared: &str, theirs: &str, ratio: f64, target: &str, is_met: bool) {
    let met = if is_met { "yes" } else { "**no**" };
    println!("| {what} | {ours} | {compared} | {theirs} | {ratio:.2}x | {target} | {met} |");
}

fn main() {
    // `cargo bench ... -- set threads` measures these alone.
    let names: Vec<String> = std::env::args().skip(1).filter(|name| !name.starts_with('-')).collect();
    let wanted = |name: &str| names.is_empty() || names.iter().any(|wanted| wanted == name);
    println!("| what | ioenv | compared with | that | ratio | target | met |");
    println!("|---|---:|---|---:|---:|---|---|");

    let stage = Stage::new(10);
    stage.read(0);
    let derivations = stage.vault.derivations();
    if wanted("read") {
        reading(&stage);
    }
    if wanted("set") {
        setting(&stage);
    }
    if wanted("threads") {
        threads(&stage);
    }
    if wanted("environments") {
        growing(&stage);
    }
    if wanted("audit") {
        auditing();
    }
    if wanted("access") {
        granting();
    }
    #[cfg(feature = "worker")]
    if wanted("webhooks") {
        delivering();
    }
    stage.read(0);
    let more = stage.vault.derivations() - derivations;
    let met = if more == 0 { "yes" } else { "**no**" };
    println!("| keys stretched by all these reads | {more} | none | 0 | – | none | {met} |");
    #[cfg(feature = "postgres")]
    if wanted("postgres") {
        postgres();
    }
}

fn reading(stage: &Stage) {
    let all = stage.records();
    let taken = read_by_a_call(&all);
    let writes = stage.written(|stage| stage.read(0));
    let rows = format!("one durable transaction, {} rows read, {} written", taken.len(), writes.len());
    let mut bare = Bare::new(stage.directory.path(), taken, writes, &all);
    let (ours, theirs, ratio) = compare(|| timed(|| stage.read(0)), || timed(|| bare.run()));
    row(
        "read 50 secrets, warm, with its audit record",
        &micros(ours),
        &rows,
        &micros(theirs),
        ratio,
        "at most 3x",
        ratio <= 3.0,
    );
}

/// One record of each kind that a call looks at, whatever it does then.
fn read_by_a_call(all: &[Record]) -> Vec<String> {
    let mut taken: Vec<String> = Vec::new();
    for prefix in ["token/", "organization/", "project/", "node/", "node/", "level/", "content/"] {
        let found = all.iter().find(|record| record.key.starts_with(prefix) && !taken.contains(&record.key));
        taken.push(found.unwrap().key.clone());
    }
    taken
}

fn setting(stage: &Stage) {
    let all = stage.records();
    let writes = stage.written(|stage| stage.set(1, 0));
    let bytes: usize = writes.iter().map(|record| record.value.len()).sum();
    let reads = read_by_a_call(&all);
    let rows = format!("one durable transaction, {} rows read, {} of {bytes} bytes written", reads.len(), writes.len());
    // Another comparison may have left its own.
    let _ = std::fs::remove_file(stage.directory.path().join("bare.db"));
    let mut bare = Bare::new(stage.directory.path(), reads, writes, &all);
    let mut value = 0;
    let mut set = || {
        value += 1;
        stage.set(1, value);
    };
    let (ours, theirs, ratio) = compare(|| timed(&mut set), || timed(|| bare.run()));
    row("set one secret of 50", &micros(ours), &rows, &micros(theirs), ratio, "at most 1.3x", ratio <= 1.3);
}

/// A thousand events wait for webhooks at 50 hosts. Those of 49 are delivered while one hangs, and while none does.
#[cfg(feature = "worker")]
fn delivering() {
    use ioenv::http::{OutboundPolicy, Resolver};
    use ioenv::vault::NewWebhook;
    use ioenv::worker::Worker;

    const HOSTS: usize = 50;
    const WEBHOOKS: usize = 1000;

    /// All names are this machine's.
    #[derive(Debug)]
    struct Names;

    impl Resolver for Names {
        fn resolve(&self, _: &str, port: u16) -> std::io::Result<Vec<SocketAddr>> {
            Ok(vec![SocketAddr::from(([127, 0, 0, 1], port))])
        }
    }

    let receiver = Receiver::new();
    let directory = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let store = Sqlite::create(directory.path().join("vault/ioenv.vault")).unwrap();
    let policy = OutboundPolicy::new().allow_private_addresses().allow_http().resolver(Names);
    let vault = Vault::create(store, &RootKey::generate(&SystemRandom).unwrap()).unwrap().with_outbound(policy);
    let session = vault.session(Actor::system("bench"));
    let organization = session.create_organization(&NewOrganization::new("Acme")).unwrap().id;
    session.create_project(organization, &NewProject::new("store")).unwrap();
    session.create_target(At::Path(organization, &"store".parse().unwrap()), &NewTarget::new("backend")).unwrap();
    session.create_environment(At::Path(organization, &path("store/backend")), &NewEnvironment::new("env-0")).unwrap();
    for number in 0..WEBHOOKS {
        let new =
            NewWebhook::new(format!("http://h{}.example.test:{}/in", number % HOSTS, receiver.port)).enabled(true);
        session.create_webhook(At::Path(organization, &environment(0)), &new).unwrap();
    }
    let mut value = 0;
    let mut deliver = |hang: bool| {
        receiver.hangs.store(hang, Ordering::Relaxed);
        receiver.delivered.store(0, Ordering::Relaxed);
        value += 1;
        let entry = NewEntry::new("A".parse().unwrap(), value.to_string());
        session.set_entries(At::Path(organization, &environment(0)), &[entry]).unwrap();
        let stop = AtomicBool::new(false);
        std::thread::scope(|scope| {
            let begun = Instant::now();
            scope.spawn(|| Worker::new(&vault).run_until(&stop).unwrap());
            while receiver.delivered.load(Ordering::Relaxed) < WEBHOOKS - WEBHOOKS / HOSTS {
                std::thread::sleep(Duration::from_millis(1));
            }
            let taken = begun.elapsed().as_secs_f64();
            stop.store(true, Ordering::Relaxed);
            receiver.hangs.store(false, Ordering::Relaxed);
            taken
        })
    };
    deliver(false);
    let turns: Vec<(f64, f64)> = (0..5).map(|_| (deliver(true), deliver(false))).collect();
    let one_hangs = median(turns.iter().map(|turn| turn.0).collect());
    let none_does = median(turns.iter().map(|turn| turn.1).collect());
    let ratio = median(turns.iter().map(|turn| turn.0 / turn.1).collect());
    let what = "980 of 1,000 webhooks at 50 hosts delivered, while one hangs";
    let (ours, theirs) = (format!("{one_hangs:.2} s"), format!("{none_does:.2} s"));
    row(what, &ours, "none hangs", &theirs, ratio, "at most 1.2x", ratio <= 1.2);
}

/// What webhooks are sent to: it answers at once, but for the first host while that hangs.
#[cfg(feature = "worker")]
struct Receiver {
    port: u16,
    /// How many requests the other hosts have had.
    delivered: Arc<AtomicUsize>,
    hangs: Arc<AtomicBool>,
}

#[cfg(feature = "worker")]
impl Receiver {
    fn new() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let (delivered, hangs) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicBool::new(false)));
        let receiver = Self { port, delivered: Arc::clone(&delivered), hangs: Arc::clone(&hangs) };
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let (delivered, hangs) = (Arc::clone(&delivered), Arc::clone(&hangs));
                std::thread::spawn(move || Self::answer(stream, &delivered, &hangs));
            }
        });
        receiver
    }

    fn answer(mut stream: TcpStream, delivered: &AtomicUsize, hangs: &AtomicBool) {
        let mut reader = BufReader::new(&stream);
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") && reader.read_line(&mut head).unwrap_or_default() > 0 {}
        let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")).unwrap_or("0");
        let _ = reader.read_exact(&mut vec![0; length.parse().unwrap()]);
        if head.contains("host: h0.") {
            while hangs.load(Ordering::Relaxed) {
                std::thread::sleep(Duration::from_millis(5));
            }
        } else {
            delivered.fetch_add(1, Ordering::Relaxed);
        }
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n");
    }
}

fn threads(stage: &Stage) {
    let measure =
        || compare(|| throughput(8, |thread| stage.read(thread)), || throughput(1, |thread| stage.read(thread)));
    let show = |what: &str, (eight, one, ratio): (f64, f64, f64)| {
        row(what, &format!("{eight:.0}"), "1 thread", &format!("{one:.0}"), ratio, "at least 6x", ratio >= 6.0);
    };
    show("reads with audit a second, 8 threads", measure());
    // What commits share is the wait for the disk, so it tells where there is one.
    let is_done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let mut file = std::fs::File::create(stage.directory.path().join("busy")).unwrap();
            let block = vec![7; 2 * 1024 * 1024];
            while !is_done.load(Ordering::Relaxed) {
                file.set_len(0).unwrap();
                file.rewind().unwrap();
                file.write_all(&block).unwrap();
                file.sync_all().unwrap();
            }
        });
        show("the same, while another program syncs files of its own", measure());
        is_done.store(true, Ordering::Relaxed);
    });
}

fn growing(small: &Stage) {
    let large = Stage::new(10_000);
    let mut number = 0;
    let mut many = || {
        number = (number + 1) % 10_000;
        large.read(number);
    };
    let (ours, theirs, ratio) = compare(|| timed(&mut many), || timed(|| small.read(3)));
    row(
        "read, one of 10,000 environments after the other",
        &micros(ours),
        "of 10",
        &micros(theirs),
        ratio,
        "at most 1.3x",
        ratio <= 1.3,
    );
}

fn auditing() {
    let other = Id::from_parts(Timestamp::from_millis(0).unwrap(), [7; 10]);
    let [short, long] = [1_000, 1_000_000].map(|count| {
        let stage = Stage::new(10);
        stage.fill_audit(count, other.into());
        stage
    });
    let (ours, theirs, ratio) = compare(|| timed(|| long.read(3)), || timed(|| short.read(3)));
    row(
        "read, behind 1,000,000 audit records",
        &micros(ours),
        "behind 1,000",
        &micros(theirs),
        ratio,
        "at most 1.3x",
        ratio <= 1.3,
    );

    let page = |filter: &AuditFilter, expected: usize| {
        let session = long.vault.session(long.token.clone());
        let page = session.audit(long.organization, filter, &Paging::new().limit(50)).unwrap();
        assert_eq!(page.items.len(), expected);
    };
    let all = AuditFilter::new();
    let rare = AuditFilter::new().actor(other);
    let (ours, theirs, ratio) = compare(|| timed(|| page(&rare, 50)), || timed(|| page(&all, 50)));
    row(
        "50 of 1,000,000 audit records, 1 in 1,000 matches",
        &micros(ours),
        "no filter",
        &micros(theirs),
        ratio,
        "under 5x",
        ratio < 5.0,
    );
    let bytes = std::fs::metadata(long.file()).unwrap().len() / 1_000_000;
    println!("| bytes on disk, an audit record | {bytes} | – | – | – | – | – |");
}

/// One member with one grant, and many of both.
fn granting() {
    let member = |stage: &Stage, number: usize, teams: Vec<TeamId>| {
        let role = MemberRole::Workspace(WorkspaceRole::Member);
        let new = NewMember::new(format!("m{number}@example.com"), format!("Member {number}"), role).teams(teams);
        stage.vault.session(Actor::system("bench")).add_member(stage.organization, &new).unwrap().user
    };
    let grant = |stage: &Stage, grantee: Grantee, number: usize| {
        let role = GrantRole::Environment(EnvironmentRole::Viewer);
        let session = stage.vault.session(Actor::system("bench"));
        session.grant(At::Path(stage.organization, &environment(number)), grantee, role).unwrap();
    };
    let read = |stage: &Stage, user: UserId| {
        let env = stage
            .vault
            .session(Actor::User(user))
            .read_level(At::Path(stage.organization, &environment(3)), LevelScope::Chain)
            .unwrap()
            .resolve();
        assert_eq!(env.len(), 50);
    };
    let small = Stage::new(10);
    let alone = member(&small, 0, Vec::new());
    grant(&small, Grantee::User(alone), 3);

    let large = Stage::new(10);
    let mut reader = None;
    for team in 0..500 {
        let session = large.vault.session(Actor::system("bench"));
        let id = session.create_team(large.organization, &NewTeam::new(format!("Team {team}"))).unwrap().id;
        // None of the teams may read what the members were granted themselves.
        (4..9).for_each(|number| grant(&large, Grantee::Team(id), number));
        for number in 0..20 {
            let user = member(&large, team * 20 + number, vec![id]);
            if number < 5 {
                grant(&large, Grantee::User(user), 3);
                reader = Some(user);
            }
        }
    }
    let reader = reader.unwrap();
    let (ours, theirs, ratio) = compare(|| timed(|| read(&large, reader)), || timed(|| read(&small, alone)));
    row(
        "read by one of 10,000 members, 500 teams, 5,000 grants",
        &micros(ours),
        "by one member with one grant",
        &micros(theirs),
        ratio,
        "at most 2x",
        ratio <= 2.0,
    );
}

#[cfg(feature = "postgres")]
fn postgres() {
    let Ok(url) = std::env::var("IOENV_TEST_POSTGRES") else {
        eprintln!("IOENV_TEST_POSTGRES names no server: the row about PostgreSQL is left out");
        return;
    };
    let store = store::Postgres::connect(&url).unwrap();
    let root = RootKey::from_bytes(&[7; 32]);
    let vault = Vault::create(store, &root).unwrap();
    let session = vault.session(Actor::system("bench"));
    let organization = session.create_organization(&NewOrganization::new("Bench")).unwrap().id;
    for number in 0..8 {
        session.create_project(organization, &NewProject::new(format!("p{number}"))).unwrap();
        session.set_document(At::Path(organization, &path(&format!("p{number}"))), &document()).unwrap();
    }
    let token = session.issue_token(organization, &NewToken::new("bench", PermissionSet::ALL)).unwrap().token;
    let set = |thread: usize| {
        let session = vault.session(token.clone());
        let entry = NewEntry::new(name(7), format!("{:?}", Instant::now()));
        session.set_entries(At::Path(organization, &path(&format!("p{thread}"))), &[entry]).unwrap();
    };
    let (eight, one, ratio) = compare(|| throughput(8, set), || throughput(1, set));
    row(
        "secrets set a second, PostgreSQL, 8 threads in 8 projects",
        &format!("{eight:.0}"),
        "1 thread",
        &format!("{one:.0}"),
        ratio,
        "at least 4x",
        ratio >= 4.0,
    );
    let read = |thread: usize| {
        let session = vault.session(token.clone());
        drop(session.read_level(At::Path(organization, &path(&format!("p{thread}"))), LevelScope::Chain).unwrap());
    };
    let (eight, one, ratio) = compare(|| throughput(8, read), || throughput(1, read));
    row(
        "reads a second, PostgreSQL, 8 clients",
        &format!("{eight:.0}"),
        "1 client",
        &format!("{one:.0}"),
        ratio,
        "at least 3x",
        ratio >= 3.0,
    );
}
