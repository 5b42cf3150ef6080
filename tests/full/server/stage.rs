//! What a scenario plays on: a server over a vault, and a client of it.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::thread;

use ioenv::http::OutboundPolicy;
use ioenv::server::Server;
use ioenv::store::{Memory, Sqlite, Store};
use ioenv::vault::{
    Actor, Clock, IpRange, NewOrganization, NewToken, OrganizationId, PermissionSet, RootKey, Session, Timestamp,
    Token, Vault, VaultOptions,
};
use ioenv::{LevelPath, Slug, SystemRandom};
use serde_json::Value;
use tempfile::TempDir;
use tokio::sync::oneshot;

use super::watched::Watched;

/// A clock that stands still until it is told to move.
#[derive(Clone, Debug)]
pub(crate) struct TestClock(Arc<AtomicI64>);

impl Clock for TestClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.0.load(Ordering::Relaxed)).unwrap()
    }
}

/// A vault in a SQLite file, with the organization Acme, and a server of it.
pub(crate) struct Stage {
    pub(crate) vault: Arc<Vault>,
    pub(crate) clock: TestClock,
    pub(crate) acme: OrganizationId,
    pub(crate) port: u16,
    stop: Option<oneshot::Sender<()>>,
    serving: Option<thread::JoinHandle<()>>,
    _directory: Option<TempDir>,
}

impl Stage {
    pub(crate) fn new() -> Self {
        Self::with(|server| server)
    }

    /// With a server that differs.
    pub(crate) fn with(change: impl FnOnce(Server) -> Server) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let store = Sqlite::create(directory.path().join("vault.db")).unwrap();
        Self::over(store, Some(directory), change)
    }

    /// In memory, for what does not depend on the store.
    pub(crate) fn memory() -> Self {
        Self::over(Memory::new(), None, |server| server)
    }

    /// In memory, with the store to watch.
    pub(crate) fn watched(change: impl FnOnce(Server) -> Server) -> (Self, Watched) {
        let store = Watched::default();
        (Self::over(store.clone(), None, change), store)
    }

    #[cfg(all(feature = "postgres", unix))]
    fn postgres() -> Self {
        let store = ioenv::store::Postgres::connect(&super::postgres::fresh()).unwrap();
        Self::over(store, None, |server| server)
    }

    /// In PostgreSQL at a URL.
    #[cfg(all(feature = "postgres", unix))]
    pub(crate) fn postgres_at(url: &str, change: impl FnOnce(Server) -> Server) -> Self {
        Self::over(ioenv::store::Postgres::connect(url).unwrap(), None, change)
    }

    /// One for each store, for what is to be seen on all of them.
    pub(crate) fn on_every_store() -> Vec<Self> {
        vec![
            Self::memory(),
            Self::new(),
            #[cfg(all(feature = "postgres", unix))]
            Self::postgres(),
        ]
    }

    /// In memory, at another address than loopback.
    pub(crate) fn listening(address: &str, change: impl FnOnce(Server) -> Server) -> Self {
        Self::at(address, Memory::new(), None, change)
    }

    fn over(store: impl Store + 'static, directory: Option<TempDir>, change: impl FnOnce(Server) -> Server) -> Self {
        Self::at("127.0.0.1:0", store, directory, change)
    }

    fn at(
        address: &str,
        store: impl Store + 'static,
        directory: Option<TempDir>,
        change: impl FnOnce(Server) -> Server,
    ) -> Self {
        let start: Timestamp = "2031-02-03T04:05:06.789Z".parse().unwrap();
        let clock = TestClock(Arc::new(AtomicI64::new(start.as_millis())));
        let root = RootKey::generate(&SystemRandom).unwrap();
        let vault = VaultOptions::new(&root).clock(clock.clone()).create(store).unwrap();
        let vault = Arc::new(vault.with_outbound(OutboundPolicy::new().allow_private_addresses().allow_http()));
        let acme = vault.session(Actor::system("stage")).create_organization(&NewOrganization::new("Acme")).unwrap().id;

        let listener = std::net::TcpListener::bind(address).unwrap();
        let port = listener.local_addr().unwrap().port();
        let server = change(Server::new(Arc::clone(&vault)));
        let (stop, stopped) = oneshot::channel();
        let serving = thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
            runtime.block_on(async {
                let stopped = async {
                    // Either way it is over.
                    let _ = stopped.await;
                };
                server.serve(listener, stopped).await.unwrap();
            });
        });
        Self { vault, clock, acme, port, stop: Some(stop), serving: Some(serving), _directory: directory }
    }

    pub(crate) fn system(&self) -> Session<'_> {
        self.vault.session(Actor::system("test"))
    }

    /// Moves the clock, perhaps back.
    pub(crate) fn pass(&self, millis: i64) {
        self.clock.0.fetch_add(millis, Ordering::Relaxed);
    }

    /// A token with these permissions, bound to that place.
    pub(crate) fn token(&self, permissions: PermissionSet, scope: Option<&str>) -> Token {
        let new = scope.map(path).into_iter().fold(NewToken::new("worker", permissions), NewToken::scope);
        self.system().issue_token(self.acme, &new).unwrap().token
    }

    /// A client with that token.
    pub(crate) fn client(&self, token: &Token) -> Client {
        Client::new(self.port, Some(token.expose_secret().to_owned()))
    }

    /// A client that may do everything in Acme.
    pub(crate) fn admin(&self) -> Client {
        self.client(&self.token(PermissionSet::ALL, None))
    }

    /// A client without a token.
    pub(crate) fn stranger(&self) -> Client {
        Client::new(self.port, None)
    }

    /// Ends the server, and waits for it.
    pub(crate) fn stop(&mut self) {
        drop(self.stop.take());
        if let Some(serving) = self.serving.take() {
            serving.join().unwrap();
        }
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(serving) = self.serving.take() {
            // A panic over there is shown by the test that waits for an answer.
            let _ = serving.join();
        }
    }
}

/// What asks, over connections of its own.
#[derive(Clone)]
pub(crate) struct Client {
    agent: ureq::Agent,
    base: String,
    headers: Vec<(String, String)>,
}

/// What was answered.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: ureq::http::HeaderMap,
    pub(crate) text: String,
}

impl Client {
    fn new(port: u16, token: Option<String>) -> Self {
        let config = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .allow_non_standard_methods(true)
            .proxy(None)
            .build();
        let headers = token.map(|token| ("authorization".to_owned(), format!("Bearer {token}"))).into_iter().collect();
        Self { agent: config.into(), base: format!("http://127.0.0.1:{port}"), headers }
    }

    /// The same, with another header in each request.
    pub(crate) fn with(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    pub(crate) fn get(&self, path: &str) -> Answer {
        self.send("GET", path, None)
    }

    pub(crate) fn delete(&self, path: &str) -> Answer {
        self.send("DELETE", path, None)
    }

    pub(crate) fn post(&self, path: &str, body: &Value) -> Answer {
        self.send("POST", path, Some(&body.to_string()))
    }

    pub(crate) fn put(&self, path: &str, body: &Value) -> Answer {
        self.send("PUT", path, Some(&body.to_string()))
    }

    pub(crate) fn patch(&self, path: &str, body: &Value) -> Answer {
        self.send("PATCH", path, Some(&body.to_string()))
    }

    /// Any method, with that body as JSON, or none.
    pub(crate) fn send(&self, method: &str, path: &str, body: Option<&str>) -> Answer {
        let url = format!("{}{path}", self.base);
        let mut response = match (method, body) {
            // A body where most have none.
            ("DELETE", Some(body)) => {
                let mut request = self.agent.delete(url).force_send_body().content_type("application/json");
                for (name, value) in &self.headers {
                    request = request.header(name, value);
                }
                request.send(body).unwrap()
            }
            _ => {
                let mut request = ureq::http::Request::builder().method(method).uri(url);
                for (name, value) in &self.headers {
                    request = request.header(name, value);
                }
                match body {
                    Some(body) => {
                        if !self.headers.iter().any(|(name, _)| name == "content-type") {
                            request = request.header("content-type", "application/json");
                        }
                        self.agent.run(request.body(body.to_owned()).unwrap()).unwrap()
                    }
                    None => self.agent.run(request.body(()).unwrap()).unwrap(),
                }
            }
        };
        let text = response.body_mut().read_to_string().unwrap();
        Answer { status: response.status().as_u16(), headers: response.headers().clone(), text }
    }
}

impl Answer {
    /// The body, which must be JSON, of an answer that must have that status.
    #[track_caller]
    pub(crate) fn json(&self, status: u16) -> Value {
        assert_eq!(self.status, status, "{}", self.text);
        assert_eq!(self.header("content-type"), Some("application/json; charset=utf-8"));
        serde_json::from_str(&self.text).unwrap()
    }

    /// An answer that must have that status and no body.
    #[track_caller]
    pub(crate) fn empty(&self, status: u16) {
        assert_eq!((self.status, self.text.as_str()), (status, ""));
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }
}

pub(crate) const SECOND: i64 = 1000;
pub(crate) const DAY: i64 = 24 * 60 * 60 * SECOND;

pub(crate) fn path(text: &str) -> LevelPath {
    text.parse().unwrap()
}

pub(crate) fn slug(text: &str) -> Slug {
    text.parse().unwrap()
}

pub(crate) fn ranges<const N: usize>(texts: [&str; N]) -> Vec<IpRange> {
    texts.iter().map(|text| text.parse().unwrap()).collect()
}
