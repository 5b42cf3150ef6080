//! How often a request waits for PostgreSQL.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;

use ioenv::server::Server;
use ioenv::vault::{At, EnvironmentRole, NewEntry, PermissionSet, Token};

use super::postgres::fresh;
use super::stage::{Stage, path};
use super::stashbase::{AT, OWN, Scene};

/// A proxy before the database, which counts how often something is sent after something was received.
struct Counted {
    url: String,
    trips: Arc<AtomicUsize>,
}

impl Counted {
    fn new(url: &str) -> Self {
        let (before, rest) = url.split_once('@').unwrap();
        let (server, rest) = rest.split_once('/').unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("{before}@{}/{rest}", listener.local_addr().unwrap());
        let (server, trips) = (server.to_owned(), Arc::new(AtomicUsize::new(0)));
        let counted = Arc::clone(&trips);
        thread::spawn(move || {
            for client in listener.incoming() {
                let (client, server) = (client.unwrap(), TcpStream::connect(&server).unwrap());
                let has_answered = Arc::new(AtomicBool::new(true));
                let (trips, answered) = (Arc::clone(&counted), Arc::clone(&has_answered));
                pump(client.try_clone().unwrap(), server.try_clone().unwrap(), move || {
                    trips.fetch_add(usize::from(answered.swap(false, Ordering::SeqCst)), Ordering::SeqCst);
                });
                pump(server, client, move || has_answered.store(true, Ordering::SeqCst));
            }
        });
        Self { url, trips }
    }

    fn count(&self, work: impl FnOnce()) -> usize {
        let before = self.trips.load(Ordering::SeqCst);
        work();
        self.trips.load(Ordering::SeqCst) - before
    }
}

/// Passes on what comes, and calls `note` for each piece before that.
fn pump(mut from: TcpStream, mut to: TcpStream, note: impl Fn() + Send + 'static) {
    from.set_nodelay(true).unwrap();
    to.set_nodelay(true).unwrap();
    thread::spawn(move || {
        let mut piece = vec![0; 1 << 16];
        while let Ok(length @ 1..) = from.read(&mut piece) {
            note();
            if to.write_all(&piece[..length]).is_err() {
                break;
            }
        }
        let _ = to.shutdown(Shutdown::Both);
    });
}

/// A scene over a database whose round trips are counted.
fn scene(change: impl FnOnce(Server) -> Server) -> (Scene, Counted) {
    let counted = Counted::new(&fresh());
    let scene = Scene::on(Stage::postgres_at(&counted.url, change));
    for at in ["billing", "billing/api-dev"] {
        let entries = ["AA", "BB", "CC"].map(|name| NewEntry::new(name.parse().unwrap(), "1"));
        scene.stage.system().set_entries(At::Path(scene.stage.acme, &path(at)), &entries).unwrap();
    }
    (scene, counted)
}

/// Reads of each service: the token, and the path.
fn reads(scene: &Scene) -> Vec<(Token, String)> {
    let token = |scope| scene.stage.token(PermissionSet::ALL, scope);
    vec![
        (token(None), format!("/api/v1/env/{}/variables", scene.environment)),
        (token(Some("billing/api-dev")), format!("/api/v1/env/{}/variables/export", scene.environment)),
        (token(None), format!("/api/v1/{}/billing/secrets?decrypt=true", scene.stage.acme)),
        (scene.service_key(PermissionSet::ALL), format!("{AT}/secrets")),
        (scene.account_key(EnvironmentRole::ACCOUNT), format!("{OWN}/secrets/AA")),
    ]
}

fn check(scene: &Scene, counted: &Counted) {
    for (token, path) in reads(scene) {
        let client = scene.stage.client(&token);
        let first = client.get(&path);
        assert_eq!(first.status, 200, "{path}: {}", first.text);
        for _ in 0..3 {
            let trips = counted.count(|| assert_eq!(client.get(&path).status, 200));
            assert!((1..=4).contains(&trips), "{path}: {trips} round trips");
        }
        let later = format!("later-{}", path.len());
        change(scene, &later);
        let changed = client.get(&path);
        assert!(changed.text.contains(&later), "{path}: {}", changed.text);
        if path.starts_with("/api/") {
            let session = scene.stage.vault.session(token);
            scene.stage.system().revoke_token(scene.stage.acme, session.own_token().unwrap().id).unwrap();
            assert_eq!(client.get(&path).status, 401, "{path}");
        }
    }
}

/// Gives what all of the reads have another value.
fn change(scene: &Scene, value: &str) {
    for at in ["billing", "billing/api-dev"] {
        let entry = NewEntry::new("AA".parse().unwrap(), value);
        scene.stage.system().set_entries(At::Path(scene.stage.acme, &path(at)), &[entry]).unwrap();
    }
}

#[test]
fn a_read_that_finds_everything_as_it_was_takes_four_round_trips() {
    let (scene, counted) = scene(|server| server);
    check(&scene, &counted);
}

#[test]
fn limits_cost_no_further_ones() {
    let (scene, counted) = scene(Server::rate_limited);
    check(&scene, &counted);
}
