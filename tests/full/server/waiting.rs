//! Receivers of webhooks that never answer, beside callers who do not wait for them.

use std::io::Read as _;
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::Duration;

use ioenv::vault::{At, NewOrganization, NewProject, NewToken, NewWebhook, OrganizationId, PermissionSet};

use super::stage::{Answer, Client, Stage, path};

/// So many tests of webhooks of one organization may wait.
const PER_ORGANIZATION: usize = 4;
/// How many requests are served at once.
const SLOTS: usize = 64;

/// A receiver that takes requests and keeps them.
struct Silent {
    url: String,
    taken: mpsc::Receiver<TcpStream>,
    _port: TcpListener,
}

impl Silent {
    fn new() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/in", listener.local_addr().unwrap());
        let (sender, taken) = mpsc::channel();
        let port = listener.try_clone().unwrap();
        thread::spawn(move || {
            for stream in listener.incoming() {
                let mut stream = stream.unwrap();
                if stream.read_exact(&mut [0; 4]).is_ok() && sender.send(stream).is_err() {
                    return;
                }
            }
        });
        Self { url, taken, _port: port }
    }

    /// The next request.
    fn take(&self) -> TcpStream {
        self.taken.recv_timeout(Duration::from_secs(30)).expect("a test reaches the receiver")
    }
}

/// An organization with one webhook, and who may do everything in it.
#[derive(Clone)]
struct Tenant {
    client: Client,
    test: String,
}

impl Tenant {
    fn new(stage: &Stage, organization: OrganizationId, url: &str) -> Self {
        let system = stage.system();
        system.create_project(organization, &NewProject::new("shop").has_base(true)).unwrap();
        let new = NewWebhook::new(url);
        let webhook = system.create_webhook(At::Path(organization, &path("shop/dev")), &new).unwrap().webhook;
        let token = system.issue_token(organization, &NewToken::new("all", PermissionSet::ALL)).unwrap().token;
        let id = webhook.id.to_string();
        let listed = stage.client(&token).get("/v1/projects/shop/environments/dev/webhooks").json(200);
        assert_eq!(listed.as_array().unwrap().len(), 1, "{id}");
        let test = format!("/v1/projects/shop/environments/dev/webhooks/{}/test", listed[0]["id"].as_str().unwrap());
        Self { client: stage.client(&token), test }
    }

    fn others(stage: &Stage, count: usize, url: &str) -> Vec<Self> {
        let make = |number| {
            let new = NewOrganization::new(format!("Other {number}"));
            Self::new(stage, stage.system().create_organization(&new).unwrap().id, url)
        };
        (0..count).map(make).collect()
    }

    fn test(&self) -> Answer {
        self.client.send("POST", &self.test, None)
    }
}

#[test]
fn tests_of_one_organization_hold_up_itself_alone() {
    let stage = Stage::memory();
    let silent = Silent::new();
    let acme = Tenant::new(&stage, stage.acme, &silent.url);
    let other = &Tenant::others(&stage, 1, &silent.url)[0];
    thread::scope(|scope| {
        let begun: Vec<_> = (0..PER_ORGANIZATION).map(|_| scope.spawn(|| acme.test())).collect();
        let held: Vec<_> = (0..PER_ORGANIZATION).map(|_| silent.take()).collect();
        for _ in 0..SLOTS {
            let refused = acme.test();
            let details = refused.refused(429, "rate_limit.too_many_requests");
            assert_eq!(details["retry_after"]["seconds"], 10);
            assert_eq!(refused.headers["retry-after"], "10");
        }
        // What does not wait for anybody is served.
        acme.client.get("/v1/projects").json(200);
        let of_other = scope.spawn(|| other.test());
        drop(silent.take());
        assert_eq!(of_other.join().unwrap().json(200)["error"], "ECONNRESET");
        drop(held);
        for test in begun {
            assert_eq!(test.join().unwrap().json(200)["error"], "ECONNRESET");
        }
        // Those that are over make room.
        let again = scope.spawn(|| acme.test());
        drop(silent.take());
        again.join().unwrap().json(200);
    });
}

#[test]
fn those_who_wait_for_another_network_hold_no_place() {
    let stage = Stage::memory();
    let silent = Silent::new();
    let tenants = Tenant::others(&stage, SLOTS / PER_ORGANIZATION + 1, &silent.url);
    let over = Arc::new(AtomicUsize::new(0));
    thread::scope(|scope| {
        for tenant in &tenants {
            for _ in 0..PER_ORGANIZATION {
                let over = Arc::clone(&over);
                scope.spawn(move || {
                    tenant.test();
                    over.fetch_add(1, Ordering::Relaxed);
                });
            }
        }
        let held: Vec<_> = (0..tenants.len() * PER_ORGANIZATION).map(|_| silent.take()).collect();
        assert!(held.len() > SLOTS);
        tenants[0].client.get("/v1/projects").json(200);
        assert_eq!(over.load(Ordering::Relaxed), 0, "all of them still wait");
        drop(held);
    });
}
