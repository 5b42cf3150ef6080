//! What a failure of the server leaves behind: its cause in the access log, under the id that the response has.

use std::sync::{Arc, Mutex};

use ioenv::vault::{At, NewProject, PermissionSet};
use serde_json::Value;

use super::stage::{Answer, Client, Stage, path};
use super::watched::{Act, Watched};

/// A request, as the log has it.
#[derive(Debug)]
struct Logged {
    route: String,
    status: u16,
    request_id: String,
    cause: Option<String>,
    line: String,
}

/// A server of a store that can fail, the requests that were logged, a client and an address of each service.
struct Failing {
    store: Watched,
    log: Arc<Mutex<Vec<Logged>>>,
    client: Client,
    addresses: [String; 3],
    _stage: Stage,
}

impl Failing {
    fn new() -> Self {
        let log = Arc::new(Mutex::new(Vec::new()));
        let lines = Arc::clone(&log);
        let (stage, store) = Stage::watched(|server| {
            server.log(move |entry| {
                lines.lock().unwrap().push(Logged {
                    route: entry.route.to_owned(),
                    status: entry.status,
                    request_id: entry.request_id.to_owned(),
                    cause: entry.cause.map(str::to_owned),
                    line: entry.to_string(),
                });
            })
        });
        let project = NewProject::new("shop").has_base(true);
        stage.system().create_project(stage.acme, &project).unwrap();
        let dev = stage.system().environment(At::Path(stage.acme, &path("shop/dev"))).unwrap().id;
        let addresses = [
            format!("/api/v1/env/{}/variables", dev.to_prefixed("env")),
            format!("/api/v1/{}/projects", stage.acme),
            "/v1/projects".to_owned(),
        ];
        let client = stage.client(&stage.token(PermissionSet::ALL, None));
        Self { store, log, client, addresses, _stage: stage }
    }

    /// What is answered at an address, and logged of it.
    fn get(&self, address: &str) -> (Answer, Logged) {
        let answer = self.client.get(address);
        (answer, self.log.lock().unwrap().pop().unwrap())
    }
}

#[test]
fn every_response_has_the_id_that_the_log_has() {
    let failing = Failing::new();
    let mut seen = Vec::new();
    for address in failing.addresses.iter().map(String::as_str).chain(["/", "/health", "/v1/none", "/api/v1/none"]) {
        let (answer, logged) = failing.get(address);
        assert_eq!(answer.header("x-request-id"), Some(logged.request_id.as_str()), "{address}");
        assert!(logged.request_id.len() == 26 && logged.line.ends_with(&format!(" ms {}", logged.request_id)));
        assert_eq!(logged.cause, None);
        seen.push(logged.request_id);
    }
    seen.sort();
    seen.dedup();
    assert_eq!(seen.len(), 7, "each has its own");
    let given = "01ARZ3NDEKTSV4RRFFQ69G5FAV";
    let answer = failing.client.clone().with("x-request-id", given).get("/health");
    assert_ne!(answer.header("x-request-id"), Some(given), "a client does not choose it");
}

#[test]
fn a_store_that_fails_is_the_cause_in_the_log() {
    let failing = Failing::new();
    for address in &failing.addresses {
        assert_eq!(failing.get(address).0.status, 200);
        failing.store.arm(0, Act::Fail);
        let (answer, logged) = failing.get(address);
        assert_eq!((answer.status, logged.status), (500, 500), "{address}");
        let cause = "Io: cannot read the store: the disk was unplugged";
        assert_eq!(logged.cause.as_deref(), Some(cause), "{}", logged.route);
        assert!(logged.line.ends_with(&format!(" ms {}: {cause}", logged.request_id)), "{}", logged.line);
        told_no_more_than_the_id(&answer, &logged);
    }
}

#[test]
fn a_panic_is_the_cause_in_the_log() {
    let failing = Failing::new();
    for address in &failing.addresses {
        failing.store.arm(0, Act::Panic);
        let (answer, logged) = failing.get(address);
        assert_eq!((answer.status, logged.status), (500, 500), "{address}");
        assert_eq!(logged.cause.as_deref(), Some("a panic: a planted panic"));
        told_no_more_than_the_id(&answer, &logged);
        assert_eq!(failing.get(address).0.status, 200, "the next request is answered");
    }
}

/// The client learns the id of the request, and nothing of the cause.
fn told_no_more_than_the_id(answer: &Answer, logged: &Logged) {
    assert_eq!(answer.header("x-request-id"), Some(logged.request_id.as_str()));
    assert_eq!(answer.header("x-content-type-options"), Some("nosniff"));
    assert!(!answer.text.contains("unplugged") && !answer.text.contains("planted"), "{}", answer.text);
    if logged.route.starts_with("/v1/") {
        let body: Value = answer.json(500);
        assert_eq!(body["error"]["code"], "server.internal_error");
        assert_eq!(body["error"]["details"]["request_id"], logged.request_id.as_str());
    }
}
