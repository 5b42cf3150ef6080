//! Webhooks are delivered, over real sockets, whatever the receivers do.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::collections::HashMap;
use std::io::{self, BufRead as _, BufReader, Read as _, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, mpsc};
use std::thread;
use std::time::Duration;

use ioenv::http::{DeliveryError, OutboundPolicy, Resolver};
use ioenv::store::{KeyRange, Memory, Order, Sqlite, Store, StoreExt as _};
use ioenv::vault::{
    Action, Actor, At, Clock, NewEntry, NewOrganization, NewProject, NewWebhook, OrganizationId, Paging, ResourceKind,
    RootKey, Session, SystemClock, Timestamp, Vault, VaultOptions, WebhookId, WebhookLog, WebhookUpdate,
};
use ioenv::webhook::{self, Event};
use ioenv::worker::{WebhookTest, Worker};
use ioenv::{LevelPath, SecretString, SystemRandom};

/// One request, as a receiver saw it.
#[derive(Clone, Debug)]
struct Request {
    line: String,
    headers: HashMap<String, String>,
    body: Vec<u8>,
}

impl Request {
    fn read(stream: &TcpStream) -> io::Result<Self> {
        let mut reader = BufReader::new(stream);
        let mut line = String::new();
        reader.read_line(&mut line)?;
        let mut headers = HashMap::new();
        loop {
            let mut header = String::new();
            if reader.read_line(&mut header)? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            match header.trim_end().split_once(": ") {
                Some((name, value)) => headers.insert(name.to_ascii_lowercase(), value.to_owned()),
                None => break,
            };
        }
        let length = headers.get("content-length").map_or(0, |length| length.parse().unwrap());
        let mut body = vec![0; length];
        reader.read_exact(&mut body)?;
        Ok(Self { line: line.trim_end().to_owned(), headers, body })
    }

    fn event(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    fn verified(&self, secret: &SecretString, now: Timestamp) -> Event {
        webhook::verify(&self.body, &self.headers["stashbase-signature"], secret, now).unwrap()
    }
}

/// What listens somewhere, and remembers what it was sent.
struct Receiver {
    port: u16,
    requests: Arc<Mutex<Vec<Request>>>,
}

impl Receiver {
    /// Each request is answered in a thread of its own.
    fn new(answer: impl Fn(&Request, TcpStream) + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let requests = Arc::new(Mutex::new(Vec::new()));
        let (seen, answer) = (Arc::clone(&requests), Arc::new(answer));
        thread::spawn(move || {
            for stream in listener.incoming() {
                let (seen, answer) = (Arc::clone(&seen), Arc::clone(&answer));
                thread::spawn(move || {
                    let stream = stream.unwrap();
                    if let Ok(request) = Request::read(&stream) {
                        seen.lock().unwrap().push(request.clone());
                        answer(&request, stream);
                    }
                });
            }
        });
        Self { port, requests }
    }

    fn answering(status: u16, body: &'static str) -> Self {
        Self::new(move |_, stream| answer(stream, status, body))
    }

    fn url(&self) -> String {
        format!("http://127.0.0.1:{}/in", self.port)
    }

    fn requests(&self) -> Vec<Request> {
        self.requests.lock().unwrap().clone()
    }
}

fn answer(mut stream: TcpStream, status: u16, body: &str) {
    let length = body.len();
    let _ = write!(stream, "HTTP/1.1 {status} Whatever\r\ncontent-length: {length}\r\n\r\n{body}");
}

#[derive(Clone, Debug)]
struct TestClock(Arc<AtomicI64>);

impl Clock for TestClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.0.load(Ordering::Relaxed)).unwrap()
    }
}

/// A vault with a project `shop`, whose clock is set by hand.
struct World {
    vault: Vault,
    clock: TestClock,
    acme: OrganizationId,
}

const SECOND: i64 = 1000;

fn anywhere() -> OutboundPolicy {
    OutboundPolicy::new().allow_private_addresses().allow_http()
}

impl World {
    fn new(policy: OutboundPolicy) -> Self {
        Self::over(Memory::new(), &RootKey::generate(&SystemRandom).unwrap(), policy)
    }

    /// Makes the vault in an empty store.
    fn over(store: impl Store + 'static, root: &RootKey, policy: OutboundPolicy) -> Self {
        let clock = TestClock(Arc::new(AtomicI64::new(SystemClock.now().as_millis())));
        let vault = VaultOptions::new(root).clock(clock.clone()).create(store).unwrap().with_outbound(policy);
        let system = vault.session(Actor::system("test"));
        let acme = system.create_organization(&NewOrganization::new("Acme")).unwrap().id;
        let shop = NewProject::new("shop").has_base(true);
        system.create_project(acme, &shop).unwrap();
        drop(system);
        Self { vault, clock, acme }
    }

    /// Opens the vault that is in a store already.
    fn beside(store: impl Store + 'static, root: &RootKey, policy: OutboundPolicy) -> Self {
        let clock = TestClock(Arc::new(AtomicI64::new(SystemClock.now().as_millis())));
        let vault = VaultOptions::new(root).clock(clock.clone()).open(store).unwrap().with_outbound(policy);
        let acme = vault.session(Actor::system("test")).organizations().unwrap()[0].id;
        Self { vault, clock, acme }
    }

    fn system(&self) -> Session<'_> {
        self.vault.session(Actor::system("test"))
    }

    /// A webhook of `shop/prod`, enabled.
    fn webhook(&self, url: &str) -> (WebhookId, SecretString) {
        let made =
            self.system().create_webhook(At::Path(self.acme, &prod()), &NewWebhook::new(url).enabled(true)).unwrap();
        (made.webhook.id, made.signing_secret)
    }

    fn change(&self, value: &str) {
        let entry = NewEntry::new("KEY".parse().unwrap(), value);
        self.system().set_entries(At::Path(self.acme, &prod()), &[entry]).unwrap();
    }

    fn pass(&self, millis: i64) {
        self.clock.0.fetch_add(millis, Ordering::Relaxed);
    }

    fn work(&self) -> usize {
        Worker::new(&self.vault).threads(4).run_once().unwrap()
    }

    /// Oldest first.
    fn logs(&self, id: WebhookId) -> Vec<WebhookLog> {
        let mut logs =
            self.system().webhook_logs(At::Path(self.acme, &prod()), id, &Paging::new().limit(200)).unwrap().items;
        logs.reverse();
        logs
    }

    fn is_enabled(&self, id: WebhookId) -> bool {
        self.system().webhook(At::Path(self.acme, &prod()), id).unwrap().enabled
    }

    fn test(&self, url: &str) -> WebhookTest {
        let id = self.webhook(url).0;
        self.system().test_webhook(At::Path(self.acme, &prod()), id).unwrap()
    }

    fn dump(&self, prefix: &str) -> String {
        let records = self.vault.store().read(|tx| tx.scan(&KeyRange::prefix(prefix), Order::Ascending, usize::MAX));
        let lines: Vec<String> =
            records.unwrap().into_iter().map(|record| format!("{} {}\n", record.key, record.value)).collect();
        lines.concat()
    }
}

fn prod() -> LevelPath {
    "shop/prod".parse().unwrap()
}

#[test]
fn a_change_is_told_signed_and_logged() {
    let receiver = Receiver::answering(200, "thanks");
    let world = World::new(anywhere());
    let (id, secret) = world.webhook(&receiver.url());
    assert_eq!(world.work(), 0, "nothing has changed");
    let changed_at = world.clock.now();
    world.change("planted-value");
    world.pass(5 * SECOND);
    assert_eq!(world.work(), 1);
    assert_eq!(world.work(), 0, "once");

    let requests = receiver.requests();
    let [request] = &requests[..] else { panic!("{requests:?}") };
    assert_eq!(request.line, "POST /in HTTP/1.1");
    assert_eq!(request.headers["content-type"], "application/json");
    assert_eq!(request.headers["stashbase-webhook-id"], id.to_prefixed("whk"));
    let now = world.clock.now();
    let signed_at = format!("{}.", now.as_millis() / 1000);
    assert!(request.headers["stashbase-signature"].starts_with(&signed_at), "the time of the attempt");
    let event = request.verified(&secret, now);
    assert_eq!(event.created_at.unwrap().as_millis(), changed_at.as_millis() / 1000 * 1000, "that of the event");
    assert!(!String::from_utf8_lossy(&request.body).contains("planted"));

    let system = world.system();
    let environment = system.environment(At::Path(world.acme, &prod())).unwrap();
    let project = system.project(At::Path(world.acme, &"shop".parse().unwrap())).unwrap();
    let logs = world.logs(id);
    let expected = format!(
        concat!(
            r#"{{"id":"{}","type":"secrets.updated","created_at":{},"live_mode":true,"data":{{"#,
            r#""workspace":{{"id":"{}","name":"Acme","slug":"acme"}},"project":{{"id":"{}","name":"shop"}},"#,
            r#""environment":{{"id":"{}","name":"{}","is_production":true}}}}}}"#
        ),
        logs[0].event.to_prefixed("evt"),
        changed_at.as_millis() / 1000,
        world.acme.to_prefixed("wks"),
        project.id.to_prefixed("proj"),
        environment.id.to_prefixed("env"),
        environment.name,
    );
    assert_eq!(String::from_utf8_lossy(&request.body), expected);
    assert_eq!(logs.len(), 1);
    assert_eq!((logs[0].attempt, logs[0].status, logs[0].error), (1, Some(200), None));
    assert_eq!((logs[0].response_body.as_deref(), logs[0].processed_at), (Some("thanks"), now));
    assert_eq!(system.webhook_log(At::Path(world.acme, &prod()), id, logs[0].id).unwrap(), logs[0]);
    assert!(world.dump("job").is_empty());

    let stored = world.dump("");
    assert!(!stored.contains(&secret.expose_secret()[6..]) && !stored.contains("planted-value"));
}

#[test]
fn after_five_failures_it_is_disabled() {
    let receiver = Receiver::answering(500, "no");
    let world = World::new(anywhere());
    let (id, secret) = world.webhook(&receiver.url());
    world.change("1");
    for (attempt, delay) in [(1, 0), (2, 10), (3, 60), (4, 300), (5, 1800)] {
        if delay > 0 {
            world.pass(delay * SECOND - 1);
            assert_eq!(world.work(), 0, "not before it is due");
            world.pass(1);
        }
        assert!(world.is_enabled(id));
        assert_eq!(world.work(), 1, "attempt {attempt}");
    }
    assert!(!world.is_enabled(id));
    world.pass(86_400 * SECOND);
    assert_eq!(world.work(), 0);
    assert!(world.dump("job").is_empty());
    let logs: Vec<_> = world.logs(id).iter().map(|log| (log.attempt, log.status, log.error)).collect();
    assert_eq!(logs, [1, 2, 3, 4, 5].map(|attempt| (attempt, Some(500), None)));
    // The same event each time, signed anew.
    let requests = receiver.requests();
    assert!(requests.iter().all(|request| request.body == requests[0].body));
    let signatures: Vec<_> = requests.iter().map(|request| &request.headers["stashbase-signature"]).collect();
    assert!(signatures.windows(2).all(|two| two[0] != two[1]));
    let last = &world.system().audit(world.acme, &ioenv::vault::AuditFilter::new(), &Paging::new().limit(200)).unwrap();
    let disabled = last
        .items
        .iter()
        .find(|record| record.action == Action::Update && record.resource.kind == ResourceKind::Webhook);
    let disabled = disabled.unwrap();
    assert_eq!((disabled.actor.name.as_deref(), disabled.resource.id), (Some("worker"), Some(id.into())));
    assert!(!serde_json::to_string(disabled).unwrap().contains(&secret.expose_secret()[6..]));
}

#[test]
fn a_failure_that_passes_is_forgotten() {
    let count = AtomicUsize::new(0);
    let receiver = Receiver::new(move |_, stream| {
        answer(stream, if count.fetch_add(1, Ordering::Relaxed) < 4 { 404 } else { 204 }, "");
    });
    let world = World::new(anywhere());
    let id = world.webhook(&receiver.url()).0;
    world.change("1");
    for _ in 0..5 {
        assert_eq!(world.work(), 1);
        world.pass(1800 * SECOND);
    }
    assert_eq!(world.work(), 0);
    assert!(world.is_enabled(id));
    assert_eq!(world.logs(id).last().unwrap().status, Some(204));
}

#[test]
fn the_latest_event_wins() {
    let receiver = Receiver::answering(503, "");
    let world = World::new(anywhere());
    let id = world.webhook(&receiver.url()).0;
    world.change("1");
    world.change("2");
    assert_eq!(world.work(), 1, "only the latest waits");
    world.pass(SECOND);
    world.change("3");
    assert_eq!(world.work(), 1, "the new one at once, in place of the one that would be tried again");
    let logs = world.logs(id);
    assert_eq!((logs[0].attempt, logs[1].attempt), (1, 1));
    assert_ne!(logs[0].event, logs[1].event);
    world.pass(10 * SECOND);
    assert_eq!(world.work(), 1);
    assert_eq!((world.logs(id)[2].attempt, world.logs(id)[2].event), (2, logs[1].event));
    let events: Vec<_> = receiver.requests().iter().map(|request| request.event()["id"].clone()).collect();
    assert_eq!(events[1], events[2]);
    assert_ne!(events[0], events[1]);
}

#[test]
fn what_changes_during_a_delivery_is_delivered_next() {
    for status in [200, 500] {
        let world = Arc::new(World::new(anywhere()));
        let (inside, count) = (Arc::clone(&world), AtomicUsize::new(0));
        let receiver = Receiver::new(move |_, stream| {
            if count.fetch_add(1, Ordering::Relaxed) == 0 {
                inside.change("2");
                answer(stream, status, "");
            } else {
                answer(stream, 200, "");
            }
        });
        let id = world.webhook(&receiver.url()).0;
        world.change("1");
        assert_eq!(world.work(), 2, "both, one after the other");
        let logs = world.logs(id);
        assert_eq!((logs[0].status, logs[1].status), (Some(status), Some(200)));
        assert_eq!((logs[0].attempt, logs[1].attempt), (1, 1));
        assert!(logs[0].event < logs[1].event);
        assert!(world.dump("job").is_empty());
    }
}

#[test]
fn what_is_disabled_or_deleted_during_a_delivery_stays_so() {
    for delete in [false, true] {
        let world = Arc::new(World::new(anywhere()));
        let inside = Arc::clone(&world);
        let receiver = Receiver::new(move |_, stream| {
            let id = inside.system().webhooks(At::Path(inside.acme, &prod())).unwrap()[0].id;
            if delete {
                inside.system().delete_webhook(At::Path(inside.acme, &prod()), id).unwrap();
            } else {
                inside.system().disable_webhook(At::Path(inside.acme, &prod()), id).unwrap();
            }
            answer(stream, 500, "");
        });
        let id = world.webhook(&receiver.url()).0;
        world.change("1");
        assert_eq!(world.work(), 1);
        world.pass(86_400 * SECOND);
        assert_eq!(world.work(), 0);
        assert!(world.dump("job").is_empty());
        if delete {
            assert!(world.dump("webhook").is_empty(), "no log of what is gone");
        } else {
            assert_eq!(world.logs(id).len(), 1, "the attempt was made");
        }
    }
}

#[test]
fn a_test_is_sent_once_also_when_disabled() {
    let receiver = Receiver::answering(200, "tested");
    let world = World::new(anywhere());
    let made = world.system().create_webhook(At::Path(world.acme, &prod()), &NewWebhook::new(receiver.url())).unwrap();
    let id = made.webhook.id;
    let test = world.system().test_webhook(At::Path(world.acme, &prod()), id).unwrap();
    assert_eq!((test.url, test.status, test.error), (receiver.url(), Some(200), None));
    assert_eq!(test.response_body.as_deref(), Some("tested"));
    let event = receiver.requests()[0].verified(&made.signing_secret, world.clock.now());
    assert_eq!(event.live_mode, Some(false));
    assert!(world.logs(id).is_empty());
    assert_eq!(world.work(), 0);
    assert_eq!(receiver.requests().len(), 1);
}

#[test]
fn an_event_goes_to_the_url_and_with_the_secret_of_now() {
    let (old, new) = (Receiver::answering(500, ""), Receiver::answering(200, ""));
    let world = World::new(anywhere());
    let id = world.webhook(&old.url()).0;
    world.change("1");
    assert_eq!(world.work(), 1);
    let update = WebhookUpdate::new().url(new.url());
    world.system().update_webhook(At::Path(world.acme, &prod()), id, &update).unwrap();
    let secret = world.system().rotate_signing_secret(At::Path(world.acme, &prod()), id).unwrap();
    world.pass(10 * SECOND);
    assert_eq!(world.work(), 1);
    assert_eq!((old.requests().len(), new.requests().len()), (1, 1));
    new.requests()[0].verified(&secret, world.clock.now());
}

#[test]
fn the_last_thousand_attempts_are_kept() {
    let receiver = Receiver::answering(200, "");
    let world = World::new(anywhere());
    let id = world.webhook(&receiver.url()).0;
    for round in 0..1005 {
        world.change(&round.to_string());
        assert_eq!(world.work(), 1);
    }
    let (mut paging, mut seen) = (Paging::new().limit(200), Vec::new());
    loop {
        let page = world.system().webhook_logs(At::Path(world.acme, &prod()), id, &paging).unwrap();
        seen.extend(page.items.iter().map(|log| log.id));
        match page.next {
            Some(next) => paging = Paging::new().limit(200).after(next),
            None => break,
        }
    }
    assert_eq!(seen.len(), 1000);
    assert!(seen.windows(2).all(|two| two[0] > two[1]), "newest first");
    let first = receiver.requests()[5].event()["id"].as_str().unwrap().to_owned();
    let oldest = world.system().webhook_log(At::Path(world.acme, &prod()), id, *seen.last().unwrap()).unwrap();
    assert_eq!(oldest.event.to_prefixed("evt"), first);
}

/// What goes wrong on the way, and the code for it.
#[test]
fn failures_have_their_codes() {
    let world = World::new(anywhere().resolver(Names));
    let error = |url: &str| {
        let test = world.test(url);
        assert_eq!((test.status, test.response_body), (None, None), "{url}");
        test.error.unwrap()
    };
    let early = Receiver::new(|_, stream| drop(stream));
    assert_eq!(error(&early.url()), DeliveryError::Reset);
    let mid_header = Receiver::new(|_, mut stream| stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-").unwrap());
    assert_eq!(error(&mid_header.url()), DeliveryError::Reset);
    let no_http = Receiver::new(|_, mut stream| stream.write_all(b"SSH-2.0-OpenSSH_9.9\r\n\r\n").unwrap());
    assert_eq!(error(&no_http.url()), DeliveryError::Protocol);
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    assert_eq!(error(&format!("http://127.0.0.1:{closed}/")), DeliveryError::Refused);
    assert_eq!(error("http://nowhere.example.test/"), DeliveryError::NotFound);
    // What a server without TLS says to somebody who begins with it.
    let plain = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = plain.local_addr().unwrap().port();
    thread::spawn(move || {
        let (mut stream, _) = plain.accept().unwrap();
        stream.read_exact(&mut [0; 100]).unwrap();
        answer(stream.try_clone().unwrap(), 400, "");
        let _ = stream.read_to_end(&mut Vec::new());
    });
    assert_eq!(error(&format!("https://127.0.0.1:{port}/")), DeliveryError::Protocol);

    let big_header = Receiver::new(|_, mut stream| {
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\n");
        let line = format!("x: {}\r\n", "y".repeat(1000));
        while stream.write_all(line.as_bytes()).is_ok() {}
    });
    assert_eq!(error(&big_header.url()), DeliveryError::Protocol);

    // A body that breaks off behind a status is an answer.
    let short = Receiver::new(|_, mut stream| {
        stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nonly this").unwrap();
    });
    let test = world.test(&short.url());
    assert_eq!((test.status, test.error, test.response_body.as_deref()), (Some(200), None, Some("only this")));
    // So is one that is no text.
    let binary = Receiver::new(|_, mut stream| {
        stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\n\xff\0A").unwrap();
    });
    let test = world.test(&binary.url());
    assert_eq!(test.response_body.as_deref(), Some("\u{fffd}\u{fffd}A"));
}

/// Knows the hosts of one domain, which are all here.
#[derive(Debug)]
struct Names;

impl Resolver for Names {
    fn resolve(&self, host: &str, port: u16) -> io::Result<Vec<SocketAddr>> {
        let address =
            host.strip_suffix(".hosts.test").map(|_| "127.0.0.1").or(host.parse().ok().map(|_: std::net::IpAddr| host));
        address
            .map(|address| vec![SocketAddr::new(address.parse().unwrap(), port)])
            .ok_or(io::ErrorKind::NotFound.into())
    }
}

/// Never finds out.
#[derive(Debug)]
struct Silent;

impl Resolver for Silent {
    fn resolve(&self, _: &str, _: u16) -> io::Result<Vec<SocketAddr>> {
        thread::sleep(Duration::from_secs(30));
        Err(io::ErrorKind::TimedOut.into())
    }
}

/// Each of these receivers goes on until the worker closes the connection.
#[test]
fn who_does_not_answer_is_given_up_on() {
    let hang = Receiver::new(|_, stream| _ = io::copy(&mut &stream, &mut io::sink()));
    let drip = Receiver::new(|_, mut stream| {
        for byte in b"HTTP/1.1 200 OK\r\nx-drip: ".iter().chain(std::iter::repeat(&b'y')) {
            if stream.write_all(&[*byte]).is_err() {
                break;
            }
            thread::sleep(Duration::from_millis(300));
        }
    });
    let body = Receiver::new(|_, mut stream| {
        stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n").unwrap();
        while stream.write_all(b"z").is_ok() {
            thread::sleep(Duration::from_millis(300));
        }
    });
    let world = World::new(anywhere());
    let nameless = World::new(anywhere().resolver(Silent));
    thread::scope(|scope| {
        scope.spawn(|| {
            assert_eq!(nameless.test("http://hooks.example.test/").error, Some(DeliveryError::Aborted));
        });
        for (receiver, status) in [(&hang, None), (&drip, None), (&body, Some(200))] {
            let world = &world;
            scope.spawn(move || {
                let test = world.test(&receiver.url());
                let expected = if status.is_none() { Some(DeliveryError::Aborted) } else { None };
                assert_eq!((test.status, test.error), (status, expected));
            });
        }
    });
}

#[test]
fn an_answer_of_ten_gibibytes_costs_nothing() {
    let sent = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&sent);
    let (closed, is_closed) = mpsc::channel();
    let receiver = Receiver::new(move |_, mut stream| {
        let length = 10_u64 << 30;
        write!(stream, "HTTP/1.1 200 OK\r\ncontent-length: {length}\r\n\r\n").unwrap();
        let chunk = vec![b'a'; 64 * 1024];
        while let Ok(count) = stream.write(&chunk) {
            if count == 0 {
                break;
            }
            counter.fetch_add(count, Ordering::Relaxed);
        }
        closed.send(()).unwrap();
    });
    let world = World::new(anywhere());
    let id = world.webhook(&receiver.url()).0;
    world.change("1");
    assert_eq!(world.work(), 1);
    let log = &world.logs(id)[0];
    assert_eq!((log.status, log.response_body.as_ref().map(String::len)), (Some(200), Some(4096)));
    is_closed.recv_timeout(Duration::from_secs(10)).unwrap();
    assert!(sent.load(Ordering::Relaxed) < 64 << 20, "what the sockets hold, and no more");
}

#[test]
fn a_redirect_leads_nowhere() {
    let inside = Receiver::answering(200, "the metadata");
    for status in [301, 302, 303, 307, 308] {
        let location = inside.url();
        let receiver = Receiver::new(move |_, mut stream| {
            write!(stream, "HTTP/1.1 {status} Found\r\nlocation: {location}\r\ncontent-length: 0\r\n\r\n").unwrap();
        });
        let test = World::new(anywhere()).test(&receiver.url());
        assert_eq!((test.status, test.error), (Some(status), None));
    }
    assert!(inside.requests().is_empty());
}

/// Answers each look-up with the next of its addresses, and the last one from then on.
#[derive(Debug)]
struct Turning(Mutex<Vec<SocketAddr>>);

impl Resolver for Turning {
    fn resolve(&self, _: &str, _: u16) -> io::Result<Vec<SocketAddr>> {
        let mut addresses = self.0.lock().unwrap();
        Ok(vec![if addresses.len() > 1 { addresses.remove(0) } else { addresses[0] }])
    }
}

#[test]
fn a_name_that_leads_inside_is_refused_whenever_it_does() {
    let inside = Receiver::answering(200, "the metadata");
    let public: SocketAddr = "[2001:4860:4860::8888]:9".parse().unwrap();
    for addresses in [
        vec![SocketAddr::from(([127, 0, 0, 1], inside.port))],
        vec![public, SocketAddr::from(([127, 0, 0, 1], inside.port))],
    ] {
        let turns = addresses.len();
        let lookup = Turning(Mutex::new(addresses));
        let world = World::new(OutboundPolicy::new().allow_http().resolver(lookup));
        let id = world.webhook("http://hooks.example.test/").0;
        world.change("1");
        for _ in 0..3 {
            assert_eq!(world.work(), 1);
            world.pass(400 * SECOND);
        }
        let logs = world.logs(id);
        assert!(logs.iter().all(|log| log.status.is_none()));
        let refused = logs.iter().filter(|log| log.error == Some(DeliveryError::HostUnreachable));
        assert!(refused.count() >= 4 - turns);
    }
    assert!(inside.requests().is_empty(), "what was checked is what is connected to");
}

#[test]
fn a_host_that_hangs_holds_up_itself_alone() {
    const HOSTS: usize = 50;
    // What hangs is held here, without an answer.
    let (held, most_held) = (Arc::new(Mutex::new(Vec::new())), Arc::new(AtomicUsize::new(0)));
    let (delivered, deliveries) = mpsc::channel();
    let receiver = Receiver::new({
        let (held, most_held) = (Arc::clone(&held), Arc::clone(&most_held));
        move |request, stream| {
            if request.headers["host"].starts_with("h0.") {
                let mut held = held.lock().unwrap();
                held.retain(is_open);
                held.push(stream);
                most_held.fetch_max(held.len(), Ordering::Relaxed);
            } else {
                answer(stream, 200, "");
                delivered.send(()).unwrap();
            }
        }
    });
    let world = World::new(anywhere().resolver(Names));
    for number in 0..1000 {
        world.webhook(&format!("http://h{}.hosts.test:{}/in", number % HOSTS, receiver.port));
    }
    world.change("1");
    let stop = AtomicBool::new(false);
    thread::scope(|scope| {
        let worker = Worker::new(&world.vault).threads(8).poll_every(Duration::from_millis(50));
        let stop = &stop;
        let running = scope.spawn(move || worker.run_until(stop));
        // As long as something arrives now and then, the worker goes on.
        let arrived = (0..980).take_while(|_| deliveries.recv_timeout(Duration::from_secs(60)).is_ok()).count();
        stop.store(true, Ordering::Relaxed);
        held.lock().unwrap().clear();
        running.join().unwrap().unwrap();
        assert_eq!(arrived, 980);
    });
    let most_held = most_held.load(Ordering::Relaxed);
    assert!((1..=2).contains(&most_held), "{most_held} at a time");
}

#[test]
fn an_organization_holds_up_no_other_at_the_same_host() {
    let held = Arc::new(Mutex::new(Vec::new()));
    let (delivered, deliveries) = mpsc::channel();
    let receiver = Receiver::new({
        let held = Arc::clone(&held);
        move |request, stream| {
            if request.headers["host"].starts_with("h0.") && request.line.contains("/hang") {
                held.lock().unwrap().push(stream);
            } else {
                answer(stream, 200, "");
                delivered.send(()).unwrap();
            }
        }
    });
    let world = World::new(anywhere().resolver(Names));
    let url = |path: &str| format!("http://h0.hosts.test:{}/{path}", receiver.port);
    for number in 0..20 {
        world.webhook(&url(&format!("hang/{number}")));
    }
    world.change("1");
    let system = world.system();
    let beta = system.create_organization(&NewOrganization::new("Beta")).unwrap().id;
    system.create_project(beta, &NewProject::new("shop").has_base(true)).unwrap();
    let webhook = NewWebhook::new(url("in")).enabled(true);
    system.create_webhook(At::Path(beta, &prod()), &webhook).unwrap();
    system.set_entries(At::Path(beta, &prod()), &[NewEntry::new("KEY".parse().unwrap(), "1")]).unwrap();
    let stop = AtomicBool::new(false);
    thread::scope(|scope| {
        let worker = Worker::new(&world.vault).poll_every(Duration::from_millis(50));
        let stop = &stop;
        let running = scope.spawn(move || worker.run_until(stop));
        let arrived = deliveries.recv_timeout(Duration::from_secs(60));
        // Before any of those that hang was given up.
        let all_hang = held.lock().unwrap().iter().all(is_open);
        stop.store(true, Ordering::Relaxed);
        held.lock().unwrap().clear();
        running.join().unwrap().unwrap();
        arrived.unwrap();
        assert!(all_hang);
    });
}

/// Whether the other side has not closed the connection.
fn is_open(stream: &TcpStream) -> bool {
    stream.set_nonblocking(true).unwrap();
    stream.peek(&mut [0]).is_err_and(|error| error.kind() == io::ErrorKind::WouldBlock)
}

#[test]
fn several_workers_do_each_job_once() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("vault.db");
    let root = RootKey::generate(&SystemRandom).unwrap();
    // One worker alone sends four requests at a time, so the fifth shows that both are at work.
    let (arrived, fifth) = (Mutex::new(0), Condvar::new());
    let receiver = Receiver::new(move |_, stream| {
        let mut arrived = arrived.lock().unwrap();
        *arrived += 1;
        fifth.notify_all();
        drop(fifth.wait_timeout_while(arrived, Duration::from_secs(60), |arrived| *arrived < 5).unwrap());
        answer(stream, 200, "");
    });
    // Each has a connection and a memory of its own, like processes.
    let first = World::over(Sqlite::create(&file).unwrap(), &root, anywhere());
    let second = World::beside(Sqlite::open(&file).unwrap(), &root, anywhere());
    let ids: Vec<WebhookId> = (0..60).map(|_| first.webhook(&receiver.url()).0).collect();
    first.change("1");
    second.clock.0.store(first.clock.now().as_millis(), Ordering::Relaxed);
    let counts = thread::scope(|scope| {
        let workers = [&first, &second].map(|world| {
            scope.spawn(|| Worker::new(&world.vault).threads(4).per_organization(4).per_host(4).run_once().unwrap())
        });
        workers.map(|worker| worker.join().unwrap())
    });
    assert_eq!(counts.iter().sum::<usize>(), 60);
    assert!(counts.iter().all(|count| *count > 0), "{counts:?}: both had something to do");
    assert_eq!(receiver.requests().len(), 60);
    assert!(ids.iter().all(|id| first.logs(*id).len() == 1));
    assert!(first.dump("job").is_empty());
}

/// Runs this test in a process of its own: the child of the two below.
fn child(name: &str) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", name, "--nocapture"]).stdout(Stdio::null()).stderr(Stdio::null());
    command
}

/// Not a test of its own: delivers what is due in a vault.
#[test]
fn child_that_delivers() {
    let Ok(file) = std::env::var("TEST_VAULT") else {
        return;
    };
    let root = RootKey::parse(&std::env::var("TEST_ROOT").unwrap()).unwrap();
    let vault = Vault::open(Sqlite::open(Path::new(&file)).unwrap(), &root).unwrap().with_outbound(anywhere());
    Worker::new(&vault).run_once().unwrap();
}

#[test]
fn a_worker_that_is_killed_leads_to_another_attempt() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("vault.db");
    let root = RootKey::generate(&SystemRandom).unwrap();
    let (arrived, is_there) = mpsc::channel();
    let count = AtomicUsize::new(0);
    let receiver = Receiver::new(move |_, stream| {
        if count.fetch_add(1, Ordering::Relaxed) == 0 {
            arrived.send(()).unwrap();
            thread::sleep(Duration::from_secs(30));
        }
        answer(stream, 200, "");
    });
    let world = World::over(Sqlite::create(&file).unwrap(), &root, anywhere());
    let id = world.webhook(&receiver.url()).0;
    world.change("1");
    let text = root.to_text();
    let mut worker =
        child("child_that_delivers").env("TEST_VAULT", &file).env("TEST_ROOT", text.expose_secret()).spawn().unwrap();
    is_there.recv_timeout(Duration::from_secs(20)).unwrap();
    worker.kill().unwrap();
    worker.wait().unwrap();

    assert_eq!(world.work(), 0, "it may be alive");
    assert!(world.logs(id).is_empty());
    world.pass(61 * SECOND);
    assert_eq!(world.work(), 1);
    let logs: Vec<_> = world.logs(id).iter().map(|log| (log.attempt, log.status, log.error)).collect();
    assert_eq!(logs, [(1, None, Some(DeliveryError::Aborted)), (1, Some(200), None)]);
    let requests = receiver.requests();
    assert_eq!(requests.len(), 2);
    assert_eq!(requests[0].body, requests[1].body, "the receiver can tell that it is the same event");
}

/// Where a worker is when it is killed.
#[derive(Clone, Copy, Debug)]
enum Moment {
    /// So many milliseconds after its process was started: before, in or after any step.
    After(u64),
    /// It is connected, and nothing it sent was read.
    Connected,
    /// The headers of its request were read.
    Headers,
    /// All of it was read, and nothing answered.
    Request,
    /// Half of an answer is on its way.
    HalfAnAnswer,
    /// The whole answer is.
    Answer,
}

/// A worker in a process of its own is killed there; then another one has its turn.
fn kill_a_worker(moment: Moment) {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("vault.db");
    let root = RootKey::generate(&SystemRandom).unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://127.0.0.1:{}/in", listener.local_addr().unwrap().port());
    let world = World::over(Sqlite::create(&file).unwrap(), &root, anywhere());
    let (id, secret) = world.webhook(&url);
    world.change("1");

    let text = root.to_text();
    let mut command = child("child_that_delivers");
    command.env("TEST_VAULT", &file).env("TEST_ROOT", text.expose_secret());
    let mut worker = command.spawn().unwrap();
    let requests = Mutex::new(Vec::new());
    match moment {
        Moment::After(millis) => while_receiving(&listener, &requests, || {
            thread::sleep(Duration::from_millis(millis));
            worker.kill().unwrap();
            worker.wait().unwrap();
        }),
        _ => {
            let (mut stream, _) = listener.accept().unwrap();
            match moment {
                Moment::Connected | Moment::After(_) => {}
                Moment::Headers => {
                    let mut reader = BufReader::new(&stream);
                    let mut line = String::new();
                    while reader.read_line(&mut line).unwrap() > 2 {
                        line.clear();
                    }
                }
                Moment::Request | Moment::HalfAnAnswer | Moment::Answer => {
                    requests.lock().unwrap().push(Request::read(&stream).unwrap());
                }
            }
            match moment {
                Moment::HalfAnAnswer => stream.write_all(b"HTTP/1.1 200 Fine\r\ncontent-le").unwrap(),
                Moment::Answer => stream.write_all(b"HTTP/1.1 200 Fine\r\ncontent-length: 0\r\n\r\n").unwrap(),
                _ => {}
            }
            worker.kill().unwrap();
            worker.wait().unwrap();
        }
    }

    // What it had taken is another worker's after a minute.
    world.pass(61 * SECOND);
    while_receiving(&listener, &requests, || {
        world.work();
    });

    let requests = requests.lock().unwrap();
    let now = world.clock.now();
    let events: Vec<String> = requests.iter().map(|request| request.event()["id"].to_string()).collect();
    assert!(!events.is_empty(), "{moment:?}: delivered at least once");
    assert!(events.iter().all(|event| *event == events[0]), "{moment:?}: {events:?}");
    let verified = requests.iter().all(|request| request.verified(&secret, now).live_mode == Some(true));
    assert!(verified, "{moment:?}");
    let logs = world.logs(id);
    let states: Vec<_> = logs.iter().map(|log| (log.attempt, log.status, log.error)).collect();
    let (end, lost) = states.split_last().unwrap();
    assert_eq!(*end, (1, Some(200), None), "{moment:?}: {states:?}");
    assert!(lost.iter().all(|one| *one == (1, None, Some(DeliveryError::Aborted))), "{moment:?}: {states:?}");
    assert!(lost.len() <= 1 && requests.len() <= states.len(), "{moment:?}: each request is in the log: {states:?}");
    assert!(world.dump("job").is_empty(), "{moment:?}: nothing is left to be done");
}

/// Takes requests and answers each with 200, while `work` is done.
fn while_receiving(listener: &TcpListener, requests: &Mutex<Vec<Request>>, work: impl FnOnce()) {
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            while let Ok((stream, _)) = listener.accept() {
                if done.load(Ordering::Relaxed) {
                    return;
                }
                // Whoever was killed may have left half of a request.
                if let Ok(request) = Request::read(&stream) {
                    requests.lock().unwrap().push(request);
                    answer(stream, 200, "");
                }
            }
        });
        work();
        done.store(true, Ordering::Relaxed);
        // It looks whether it is done when somebody connects.
        drop(TcpStream::connect(listener.local_addr().unwrap()));
    });
}

#[test]
fn a_worker_killed_at_each_step_loses_nothing() {
    let steps = [Moment::Connected, Moment::Headers, Moment::Request, Moment::HalfAnAnswer, Moment::Answer];
    steps.into_iter().for_each(kill_a_worker);
}

#[test]
fn a_worker_killed_at_any_moment_loses_nothing() {
    (0..20).map(|step| Moment::After(step * 4)).for_each(kill_a_worker);
}

/// Serves one connection over TLS after another, with a certificate for `receiver.hosts.test`.
fn tls(certified: &rcgen::CertifiedKey<rcgen::KeyPair>) -> (u16, Arc<AtomicUsize>) {
    let key = rustls::pki_types::PrivateKeyDer::try_from(certified.signing_key.serialize_der()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certified.cert.der().clone()], key)
        .unwrap();
    let (config, listener) = (Arc::new(config), TcpListener::bind("127.0.0.1:0").unwrap());
    let port = listener.local_addr().unwrap().port();
    let count = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&count);
    thread::spawn(move || {
        for stream in listener.incoming() {
            let connection = rustls::ServerConnection::new(Arc::clone(&config)).unwrap();
            let mut stream = rustls::StreamOwned::new(connection, stream.unwrap());
            let mut request = Vec::new();
            let mut byte = [0];
            // One that does not trust the certificate hangs up.
            while !request.ends_with(b"}}}") && stream.read_exact(&mut byte).is_ok() {
                request.push(byte[0]);
            }
            if request.ends_with(b"}}}") {
                counter.fetch_add(1, Ordering::Relaxed);
                let _ = stream.write_all(b"HTTP/1.1 202 Accepted\r\ncontent-length: 0\r\n\r\n");
                stream.conn.send_close_notify();
                let _ = stream.flush();
            }
        }
    });
    (port, count)
}

/// Not a test of its own: sends a test to where it is told, and trusts whom the environment names.
#[test]
fn child_that_trusts_what_it_is_told_to() {
    let Ok(port) = std::env::var("TEST_PORT") else {
        return;
    };
    // Https alone, as operators have it.
    let world = World::new(OutboundPolicy::new().allow_private_addresses().resolver(Names));
    let test = |host: &str| {
        let test = world.test(&format!("https://{host}:{port}/in"));
        (test.status, test.error)
    };
    let right = test("receiver.hosts.test");
    assert_eq!(test("other.hosts.test"), (None, Some(DeliveryError::Protocol)), "the name is another one");
    match std::env::var_os("SSL_CERT_FILE") {
        Some(_) => assert_eq!(right, (Some(202), None)),
        None => assert_eq!(right, (None, Some(DeliveryError::Protocol)), "nobody trusts it"),
    }
}

#[test]
fn certificates_are_those_that_the_machine_trusts() {
    let certified = rcgen::generate_simple_self_signed(["receiver.hosts.test".to_owned()]).unwrap();
    let (port, received) = tls(&certified);
    let port = port.to_string();
    let directory = tempfile::tempdir().unwrap();
    let trusted = directory.path().join("trusted.pem");
    std::fs::write(&trusted, certified.cert.pem()).unwrap();
    let run = |command: &mut Command| command.env("TEST_PORT", &port).status().unwrap().success();
    assert!(run(child("child_that_trusts_what_it_is_told_to").env("SSL_CERT_FILE", &trusted)));
    assert_eq!(received.load(Ordering::Relaxed), 1);
    assert!(run(child("child_that_trusts_what_it_is_told_to").env_remove("SSL_CERT_FILE")));
    assert_eq!(received.load(Ordering::Relaxed), 1, "nothing is sent to whom nobody trusts");
}
