//! What is sent to Vercel and to Cloudflare, to the byte, over real sockets; and what comes of their answers.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::collections::{BTreeMap, VecDeque};
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;

use ioenv::http::ServicePolicy;
use ioenv::store::Memory;
use ioenv::vault::{
    Actor, At, Clock, Desired, IntegrationUpdate, Mapping, NewIntegration, NewOrganization, NewProject, Provider,
    RootKey, SyncPlace, SyncTarget, Timestamp, Vault, VaultOptions,
};
use ioenv::worker::{CloudflareWorkers, Vercel, Worker};
use ioenv::{Document, Error, ErrorKind, Layer, LevelPath, SecretString, SystemRandom, merge};

const TOKEN: &str = "planted-token";

/// A service that answers what it is told to, in order, and remembers what it was sent.
#[derive(Clone)]
struct Service {
    port: u16,
    answers: Arc<Mutex<VecDeque<(u16, String)>>>,
    requests: Arc<Mutex<Vec<String>>>,
    /// Headers of each answer, each with its line end.
    headers: Arc<Mutex<String>>,
    connections: Arc<AtomicUsize>,
}

impl Service {
    fn new() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let (answers, requests) = (Arc::default(), Arc::default());
        let (headers, connections) = (Arc::default(), Arc::default());
        let service = Self { port, answers, requests, headers, connections };
        let this = service.clone();
        thread::spawn(move || {
            for stream in listener.incoming() {
                this.connections.fetch_add(1, Ordering::Relaxed);
                let (this, stream) = (this.clone(), stream.unwrap());
                thread::spawn(move || {
                    let mut reader = BufReader::new(stream);
                    while this.serve(&mut reader) {}
                });
            }
        });
        service
    }

    /// Remembers `METHOD path`, the headers that matter, and the body, each in a line; `false` at the connection's end.
    fn serve(&self, reader: &mut BufReader<TcpStream>) -> bool {
        let mut line = String::new();
        if !matches!(reader.read_line(&mut line), Ok(1..)) {
            return false;
        }
        let (mut length, mut headers) = (0, Vec::new());
        loop {
            let mut header = String::new();
            reader.read_line(&mut header).unwrap();
            let Some((name, value)) = header.trim_end().split_once(": ") else { break };
            match name.to_ascii_lowercase().as_str() {
                "content-length" => length = value.parse().unwrap(),
                name @ ("authorization" | "accept" | "content-type") => headers.push(format!("{name}: {value}")),
                _ => {}
            }
        }
        headers.sort();
        let mut body = vec![0; length];
        reader.read_exact(&mut body).unwrap();
        let line = line.trim_end().strip_suffix(" HTTP/1.1").unwrap();
        let request = format!("{line}\n{}\n{}", headers.join("\n"), String::from_utf8(body).unwrap());
        self.requests.lock().unwrap().push(request);
        let (status, answer) = self.answers.lock().unwrap().pop_front().unwrap_or((599, String::new()));
        let (headers, length) = (self.headers.lock().unwrap().clone(), answer.len());
        let answer = format!("HTTP/1.1 {status} X\r\n{headers}content-length: {length}\r\n\r\n{answer}");
        reader.get_mut().write_all(answer.as_bytes()).is_ok()
    }

    fn answers<const N: usize>(&self, answers: [(u16, &str); N]) {
        *self.answers.lock().unwrap() = answers.map(|(status, body)| (status, body.to_owned())).into();
    }

    /// What was sent since it was asked last: lines, and bodies behind them.
    fn requests(&self) -> Vec<String> {
        assert!(self.answers.lock().unwrap().is_empty(), "an answer was not asked for");
        std::mem::take(&mut *self.requests.lock().unwrap())
    }

    fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }
}

fn desired(text: &str, written: &[&str], removable: &[&str]) -> Desired {
    let document = Document::parse(text).unwrap();
    let mut desired = Desired::new(&merge(vec![Layer::new("shop".parse().unwrap(), document)]));
    for entry in &mut desired.entries {
        entry.is_written = written.contains(&entry.name.as_str());
    }
    desired.removable = removable.iter().map(|name| name.parse().unwrap()).collect();
    desired
}

struct Spot {
    settings: BTreeMap<String, String>,
    credentials: SecretString,
    name: &'static str,
}

impl Spot {
    fn new<const N: usize>(settings: [(&str, &str); N], name: &'static str) -> Self {
        let settings = settings.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
        Self { settings, credentials: TOKEN.into(), name }
    }

    /// Plans and applies; what was planned, and how far it came.
    fn sync(&self, target: &dyn SyncTarget, desired: &Desired) -> Result<(String, usize), Error> {
        let place = SyncPlace::new(&self.settings, &self.credentials, self.name);
        let plan = target.plan(&place, desired)?;
        let applied = target.apply(&place, &plan, desired);
        let shown = format!("{plan:?} {place:?} {desired:?} {target:?} {applied:?}");
        assert!(!shown.contains("planted"), "{shown}");
        let changes: Vec<_> = plan.changes.iter().map(|one| format!("{} {}", one.action, one.name)).collect();
        match applied.error {
            Some(error) => Err(error),
            None => Ok((changes.join(", "), applied.changes)),
        }
    }
}

const READ: &str = "accept: application/json\nauthorization: Bearer planted-token\n";
const WRITTEN: &str = "accept: application/json\nauthorization: Bearer planted-token\ncontent-type: application/json\n";

#[test]
fn vercel_is_sent_exactly_this() {
    let service = Service::new();
    let vercel = Vercel::at(&service.url(), ServicePolicy::new());
    let at = Spot::new([("project", "prj_1"), ("team", "team_9")], "production");
    service.answers([
        (
            200,
            r#"{"envs":[
            {"id":"e1","key":"CHANGED","type":"sensitive","target":["production"]},
            {"id":"e2","key":"SAME","type":"sensitive","target":["production"],"customEnvironmentIds":[]},
            {"id":"e3","key":"PLAIN","type":"plain","value":"80","target":"production"}
        ],"pagination":{"count":3,"next":17,"prev":null}}"#,
        ),
        (
            200,
            r#"{"envs":[
            {"id":"e4","key":"GONE","type":"encrypted","value":"x","target":["production"]},
            {"id":"e5","key":"FOREIGN","type":"sensitive","target":["production"]},
            {"id":"e6","key":"NEW","type":"sensitive","target":["preview"]},
            {"id":"e7","key":"NEW","type":"sensitive","target":["production"],"gitBranch":"main"},
            {"id":"e8","key":"SHARED","type":"plain","value":"x","target":["production","preview"]},
            {"id":"e9","key":"RAISED","type":"plain","value":"planted-r","target":["production"]}
        ],"pagination":{"count":6,"next":null,"prev":17}}"#,
        ),
        (200, "{}"),
        (201, r#"{"created":{},"failed":[]}"#),
        (200, "{}"),
        (200, "{}"),
        (200, "[]"),
    ]);
    let text =
        "CHANGED=planted-c\nNEW=\"planted \\\"n\\\"\"\n# ioenv: variable\nPLAIN=81\nSAME=planted-s\nRAISED=planted-r\n";
    let (plan, count) = at.sync(&vercel, &desired(text, &["SAME", "RAISED"], &["GONE", "SHARED", "NOWHERE"])).unwrap();
    assert_eq!(plan, "update CHANGED, create NEW, update PLAIN, update RAISED, delete GONE");
    assert_eq!(count, 5);
    assert_eq!(
        service.requests(),
        [
            format!("GET /v10/projects/prj_1/env?teamId=team_9\n{READ}"),
            format!("GET /v10/projects/prj_1/env?until=17&teamId=team_9\n{READ}"),
            format!(
                "PATCH /v9/projects/prj_1/env/e1?teamId=team_9\n{WRITTEN}{{\"value\":\"planted-c\",\"type\":\"sensitive\"}}"
            ),
            format!(
                "POST /v10/projects/prj_1/env?upsert=true&teamId=team_9\n{WRITTEN}{}",
                r#"{"key":"NEW","value":"planted \"n\"","type":"sensitive","target":["production"]}"#
            ),
            format!("PATCH /v9/projects/prj_1/env/e3?teamId=team_9\n{WRITTEN}{{\"value\":\"81\",\"type\":\"plain\"}}"),
            format!(
                "PATCH /v9/projects/prj_1/env/e9?teamId=team_9\n{WRITTEN}{{\"value\":\"planted-r\",\"type\":\"sensitive\"}}"
            ),
            format!("DELETE /v9/projects/prj_1/env/e4?teamId=team_9\n{READ}"),
        ]
    );
}

#[test]
fn vercel_is_not_written_to_when_all_is_there() {
    let service = Service::new();
    let vercel = Vercel::at(&service.url(), ServicePolicy::new());
    let at = Spot::new([("project", "p")], "development");
    let list = r#"{"envs":[{"id":"1","key":"A","type":"encrypted","value":"?","target":["development"]},
        {"id":"2","key":"B","type":"plain","value":"b","target":["development"]}]}"#;
    service.answers([(200, list)]);
    let text = "A=planted-a\n# ioenv: variable\nB=b\n";
    assert_eq!(at.sync(&vercel, &desired(text, &["A"], &[])).unwrap(), (String::new(), 0));
    assert_eq!(service.requests(), [format!("GET /v10/projects/p/env\n{READ}")]);
    // A variable that somebody hid stays hidden; a secret of development is as hidden as it gets there.
    service.answers([
        (200, r#"{"envs":[{"id":"1","key":"B","type":"sensitive","target":["development"]}]}"#),
        (200, "{}"),
        (201, "{}"),
    ]);
    at.sync(&vercel, &desired(text, &[], &[])).unwrap();
    let requests = service.requests();
    assert!(requests[1].ends_with(r#""type":"encrypted","target":["development"]}"#), "{requests:?}");
    assert!(requests[2].ends_with(r#"{"value":"b","type":"sensitive"}"#), "{requests:?}");
}

#[test]
fn what_stands_for_more_than_the_environment_is_not_touched() {
    let service = Service::new();
    let vercel = Vercel::at(&service.url(), ServicePolicy::new());
    let at = Spot::new([("project", "p")], "production");
    for found in [
        r#"{"id":"1","key":"A","type":"sensitive","target":["production","preview"]}"#,
        r#"{"id":"1","key":"A","type":"sensitive","target":["production"],"customEnvironmentIds":["env_1"]}"#,
        r#"{"id":"1","key":"A","type":"system","target":["production"]}"#,
    ] {
        service.answers([(200, &format!(r#"{{"envs":[{found}]}}"#))]);
        let error = at.sync(&vercel, &desired("A=planted\n", &[], &[])).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Conflict, "{found}");
        assert!(error.to_string().starts_with("A stands at Vercel"), "{error}");
        assert_eq!(service.requests().len(), 1);
    }
    // What did not fail as a whole may have failed in part.
    service.answers([(200, r#"{"envs":[]}"#), (201, r#"{"created":[],"failed":[{"error":{"value":"planted"}}]}"#)]);
    let error = at.sync(&vercel, &desired("A=planted\n", &[], &[])).unwrap_err();
    assert!(error.to_string().contains("did not take A") && !error.to_string().contains("planted"), "{error}");
}

#[test]
fn cloudflare_is_sent_exactly_this() {
    let service = Service::new();
    let cloudflare = CloudflareWorkers::at(&service.url(), ServicePolicy::new());
    let at = Spot::new([("account", "acc")], "shop-production");
    let ok = r#"{"success":true,"errors":[],"messages":[],"result":{"name":"x","type":"secret_text"}}"#;
    service.answers([
        (200, r#"{"success":true,"errors":[],"messages":[],"result":[
            {"name":"CHANGED","type":"secret_text"},{"name":"SAME","type":"secret_text"}],
            "result_info":{"page":1,"total_pages":2}}"#),
        (200, r#"{"success":true,"errors":[],"messages":[],"result":[
            {"name":"GONE","type":"secret_text"},{"name":"FOREIGN","type":"secret_text"},{"name":"KEY","type":"secret_key"}],
            "result_info":{"page":2,"total_pages":2}}"#),
        (200, ok),
        (200, ok),
        (200, r#"{"success":true,"errors":[],"messages":[],"result":null}"#),
    ]);
    let text = "CHANGED=planted-c\n# ioenv: variable\nNEW=\"a\\nb\"\nSAME=planted-s\n";
    let (plan, count) = at.sync(&cloudflare, &desired(text, &["SAME"], &["GONE", "KEY", "NOWHERE"])).unwrap();
    assert_eq!((plan.as_str(), count), ("update CHANGED, create NEW, delete GONE", 3));
    let path = "/client/v4/accounts/acc/workers/scripts/shop-production/secrets";
    assert_eq!(
        service.requests(),
        [
            format!("GET {path}\n{READ}"),
            format!("GET {path}?page=2\n{READ}"),
            format!("PUT {path}\n{WRITTEN}{}", r#"{"name":"CHANGED","text":"planted-c","type":"secret_text"}"#),
            format!("PUT {path}\n{WRITTEN}{}", r#"{"name":"NEW","text":"a\nb","type":"secret_text"}"#),
            format!("DELETE {path}/GONE\n{READ}"),
        ]
    );
    service.answers([(200, r#"{"success":true,"errors":[],"result":[{"name":"A","type":"secret_text"}]}"#)]);
    assert_eq!(at.sync(&cloudflare, &desired("A=planted\n", &["A"], &[])).unwrap().1, 0);
    assert_eq!(service.requests().len(), 1, "nothing to change is nothing written");
    service.answers([(200, r#"{"success":true,"errors":[],"result":[{"name":"A","type":"secret_key"}]}"#)]);
    let error = at.sync(&cloudflare, &desired("A=planted\n", &[], &[])).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Conflict);
}

#[test]
fn refusals_are_told_without_what_was_sent() {
    let service = Service::new();
    let (vercel, cloudflare) =
        (Vercel::at(&service.url(), ServicePolicy::new()), CloudflareWorkers::at(&service.url(), ServicePolicy::new()));
    let places: [(&dyn SyncTarget, Spot, &str); 2] = [
        (&vercel, Spot::new([("project", "p")], "production"), r#"{"envs":[]}"#),
        (&cloudflare, Spot::new([("account", "a")], "s"), r#"{"success":true,"errors":[],"result":[]}"#),
    ];
    let huge = format!("\"{}\"", "x".repeat(8 * 1024 * 1024));
    for (target, at, empty) in places {
        let wanted = desired("A=planted-value\n", &[], &[]);
        for (status, kind) in [
            (400, ErrorKind::InvalidValue),
            (401, ErrorKind::Denied),
            (403, ErrorKind::Denied),
            (404, ErrorKind::NotFound),
            (429, ErrorKind::RateLimited),
            (302, ErrorKind::InvalidValue),
            (500, ErrorKind::Unavailable),
            (503, ErrorKind::Unavailable),
        ] {
            // While it is planned, and while it is written; the body repeats what was sent.
            let echo = r#"{"success":false,"errors":[{"code":1,"message":"planted-value planted-token"}]}"#;
            service.answers([(status, echo)]);
            let planned = at.sync(target, &wanted).unwrap_err();
            service.answers([(200, empty), (status, echo)]);
            let applied = at.sync(target, &wanted).unwrap_err();
            service.requests();
            for error in [planned, applied] {
                assert_eq!(error.kind(), kind, "{status}: {error}");
                assert_eq!(error.is_retryable(), matches!(kind, ErrorKind::RateLimited | ErrorKind::Unavailable));
                assert!(error.to_string().contains(&status.to_string()) && !format!("{error:?}").contains("planted"));
            }
        }
        for garbage in ["", "planted", "[]", "{\"envs\":\"planted\"}", "{\"success\":\"planted\"}", "null"] {
            service.answers([(200, garbage)]);
            let error = at.sync(target, &wanted).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Corrupt, "{garbage}");
            assert!(!format!("{error:?}").contains("planted"));
        }
        service.answers([(200, &huge)]);
        assert_eq!(at.sync(target, &wanted).unwrap_err().kind(), ErrorKind::Limit);
        service.requests();
    }
    service.answers([(200, r#"{"success":false,"errors":[{"code":10053,"message":"planted"}],"result":null}"#)]);
    let error = CloudflareWorkers::at(&service.url(), ServicePolicy::new());
    let error = Spot::new([("account", "a")], "s").sync(&error, &desired("", &[], &[])).unwrap_err();
    assert_eq!(error.to_string(), "Cloudflare refused the request with its code 10053");
}

#[test]
fn a_base_without_tls_on_another_machine_takes_the_operators_leave() {
    // Nothing is sent, so nothing waits for an address that nobody has.
    let vercel = Vercel::at("http://192.0.2.1:8080/planted", ServicePolicy::new());
    let error = Spot::new([("project", "p")], "production").sync(&vercel, &desired("", &[], &[])).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Config);
    assert!(!error.is_retryable() && error.to_string().contains("https://"), "{error}");
    assert!(!format!("{error:?}").contains("planted"));
}

/// One sync after the other is sent over the connections that are there.
#[test]
fn connections_are_reused() {
    let service = Service::new();
    let vercel = Vercel::at(&service.url(), ServicePolicy::new());
    let at = Spot::new([("project", "p")], "production");
    for _ in 0..3 {
        service.answers([(200, r#"{"envs":[]}"#), (201, "{}"), (201, "{}")]);
        at.sync(&vercel, &desired("A=planted\nB=planted\n", &[], &[])).unwrap();
        assert_eq!(service.requests().len(), 3);
    }
    assert_eq!(service.connections.load(Ordering::Relaxed), 1);
}

#[test]
fn a_setting_leads_nowhere_else() {
    let service = Service::new();
    let vercel = Vercel::at(&service.url(), ServicePolicy::new());
    service.answers([(200, r#"{"envs":[]}"#)]);
    Spot::new([("project", "../x?y"), ("team", "a&b=c")], "production").sync(&vercel, &desired("", &[], &[])).unwrap();
    assert_eq!(service.requests(), [format!("GET /v10/projects/..%2Fx%3Fy/env?teamId=a%26b%3Dc\n{READ}")]);
}

/// From the change of a secret to the request, and nothing when it is unlinked.
#[test]
fn a_vault_keeps_vercel_up_to_date() {
    let service = Service::new();
    let root = RootKey::generate(&SystemRandom).unwrap();
    let vault = Vault::create(Memory::new(), &root).unwrap();
    let vault = vault.with_sync_target(Provider::Vercel, Vercel::at(&service.url(), ServicePolicy::new()));
    let system = vault.session(Actor::system("test"));
    let acme = system.create_organization(&NewOrganization::new("Acme")).unwrap().id;
    let project = NewProject::new("shop").has_base(true);
    system.create_project(acme, &project).unwrap();
    let (shop, prod) = ("shop".parse().unwrap(), "shop/prod".parse().unwrap());
    system.set_document(At::Path(acme, &prod), &Document::parse("A=planted\n").unwrap()).unwrap();
    let new = NewIntegration::new("Vercel", Provider::Vercel, TOKEN).setting("project", "prj").enabled(true);
    let new = new.environment(Mapping::suggested(prod.clone(), &Provider::Vercel).unwrap());
    let id = system.link_integration(At::Path(acme, &LevelPath::from(&shop)), &new).unwrap().id;
    let worker = Worker::new(&vault).threads(1);

    service.answers([(200, r#"{"envs":[]}"#), (201, "{}")]);
    worker.run_once().unwrap();
    assert_eq!(service.requests().len(), 2);
    let there = r#"{"envs":[{"id":"e","key":"A","type":"sensitive","target":["production"]}]}"#;
    system.set_document(At::Path(acme, &prod), &Document::parse("A=planted-2\n").unwrap()).unwrap();
    service.answers([(200, there), (200, "{}")]);
    worker.run_once().unwrap();
    assert!(service.requests()[1].ends_with(r#"{"value":"planted-2","type":"sensitive"}"#));
    // The same value again: it is asked, and nothing is written.
    system.set_document(At::Path(acme, &prod), &Document::parse("# again\nA=planted-2\n").unwrap()).unwrap();
    service.answers([(200, there)]);
    worker.run_once().unwrap();
    assert_eq!(service.requests().len(), 1);
    // What is too much is tried again later, and told.
    system.set_document(At::Path(acme, &prod), &Document::parse("A=planted-3\n").unwrap()).unwrap();
    service.answers([(429, "{}")]);
    worker.run_once().unwrap();
    let runs = system.integration_runs(At::Path(acme, &LevelPath::from(&shop)), id).unwrap();
    assert!(runs[0].error.as_ref().unwrap().contains("429"), "{runs:?}");
    service.requests();
    let paused = IntegrationUpdate::new().enabled(false);
    system.update_integration(At::Path(acme, &LevelPath::from(&shop)), id, &paused).unwrap();
    system.unlink_integration(At::Path(acme, &LevelPath::from(&shop)), id).unwrap();
    worker.run_once().unwrap();
    assert_eq!(service.requests().len(), 0, "unlinking sends nothing");
}

#[derive(Clone, Debug)]
struct TestClock(Arc<AtomicI64>);

impl Clock for TestClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.0.load(Ordering::Relaxed)).unwrap()
    }
}

/// The next attempt comes when the schedule has it, or later if the service asks for that, at most half an hour.
#[test]
fn a_service_is_given_the_time_that_it_asks_for() {
    let service = Service::new();
    let clock = TestClock(Arc::new(AtomicI64::new(1_760_000_000_000)));
    let root = RootKey::generate(&SystemRandom).unwrap();
    let vault = VaultOptions::new(&root).clock(clock.clone()).create(Memory::new()).unwrap();
    let vault = vault.with_sync_target(Provider::Vercel, Vercel::at(&service.url(), ServicePolicy::new()));
    let system = vault.session(Actor::system("test"));
    let acme = system.create_organization(&NewOrganization::new("Acme")).unwrap().id;
    let project = NewProject::new("shop").has_base(true);
    system.create_project(acme, &project).unwrap();
    let (path, prod) = ("shop".parse().unwrap(), "shop/prod".parse().unwrap());
    let shop = At::Path(acme, &path);
    let new = NewIntegration::new("Vercel", Provider::Vercel, TOKEN).setting("project", "prj").enabled(true);
    let id = system.link_integration(shop, &new.environment(Mapping::new(prod, "production"))).unwrap().id;
    let worker = Worker::new(&vault).threads(1);

    // What is asked for, with which status, and the seconds until the next attempt.
    for (header, status, wait) in [
        ("retry-after: 3\r\n", 429, 10),
        ("retry-after: 120\r\n", 429, 120),
        ("retry-after: 120\r\n", 500, 300),
        ("retry-after: 99999999999999999999\r\n", 503, 1800),
    ] {
        *service.headers.lock().unwrap() = header.to_owned();
        service.answers([(status, "{}")]);
        worker.run_once().unwrap();
        clock.0.fetch_add(wait * 1000 - 1, Ordering::Relaxed);
        worker.run_once().unwrap();
        assert_eq!(service.requests().len(), 1, "{header}");
        clock.0.fetch_add(1, Ordering::Relaxed);
    }
    service.answers([(200, r#"{"envs":[]}"#)]);
    worker.run_once().unwrap();
    let attempts: Vec<_> = system.integration_runs(shop, id).unwrap().iter().map(|run| run.attempt).collect();
    assert_eq!(attempts, [5, 4, 3, 2, 1].map(Some));
}

#[test]
fn a_name_that_the_service_does_not_take_is_named() {
    let service = Service::new();
    let vercel = Vercel::at(&service.url(), ServicePolicy::new());
    let cloudflare = CloudflareWorkers::at(&service.url(), ServicePolicy::new());
    let places: [(&dyn SyncTarget, Spot, &'static str); 2] = [
        (&vercel, Spot::new([("project", "p")], "production"), r#"{"envs":[]}"#),
        (&cloudflare, Spot::new([("account", "a")], "s"), r#"{"success":true,"errors":[],"result":[]}"#),
    ];
    for (target, at, empty) in places {
        service.answers([(200, empty)]);
        let wanted = desired("A=1\nspring.datasource.url=planted-value\n", &[], &[]);
        let error = at.sync(target, &wanted).unwrap_err();
        assert_eq!((error.kind(), error.names()[0].as_str()), (ErrorKind::InvalidName, "spring.datasource.url"));
        assert!(error.to_string().contains("rename spring.datasource.url"), "{error}");
    }
    let directory = tempfile::tempdir().unwrap();
    let files = ioenv::worker::EnvFiles::in_directory(directory.path());
    let at = Spot::new([], "app.env");
    at.sync(&files, &desired("spring.datasource.url='$1'\n", &[], &[])).unwrap();
    let text = std::fs::read_to_string(directory.path().join("app.env")).unwrap();
    assert_eq!(text, "spring.datasource.url='$1'\n");
}
