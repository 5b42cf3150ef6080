//! How often a request asks the store who its caller is, where requests are counted.

use ioenv::Document;
use ioenv::server::Server;
use ioenv::vault::{At, EnvironmentRole, NewAccount, NewEnvironment, NewProject, NewTarget, PermissionSet};
use serde_json::json;

use super::stage::{Client, Stage, path};
use super::watched::{Counts, Watched};

/// A project in which there is something, and a client that may do everything.
fn counted() -> (Stage, Watched, Client) {
    let (stage, store) = Stage::watched(Server::rate_limited);
    let (system, acme) = (stage.system(), stage.acme);
    for name in ["shop", "bank", "bar"] {
        let project = NewProject::new(name).has_base(name == "shop");
        system.create_project(acme, &project).unwrap();
        for target in ["api", "web"] {
            system.create_target(At::Path(acme, &path(name)), &NewTarget::new(target)).unwrap();
        }
        let live = NewEnvironment::new("live");
        system.create_environment(At::Path(acme, &path(name)), &live).unwrap();
        let document = Document::parse("A=1\n").unwrap();
        system.set_document(At::Path(acme, &path(&format!("{name}/live"))), &document).unwrap();
    }
    let client = stage.client(&stage.token(PermissionSet::ALL, None));
    (stage, store, client)
}

/// What a request asks of the store when its token was used a moment before.
fn ask(store: &Watched, client: &Client, method: &str, address: &str, body: Option<&str>) -> (usize, usize) {
    assert!(client.send(method, address, body).status < 300, "{method} {address}");
    let mut status = 0;
    let counts: Counts = store.count(|| status = client.send(method, address, body).status);
    assert!(status < 300, "{method} {address}: {status}");
    // Each transaction authenticates its caller, and reads the record of the token for that.
    assert_eq!(counts.tokens, counts.reads + counts.writes, "{method} {address}");
    (counts.reads, counts.writes + counts.appends)
}

#[test]
fn the_caller_is_looked_up_once_a_request() {
    let (stage, store, client) = counted();
    let acme = stage.acme;
    let live = stage.system().environment(At::Path(acme, &path("shop/live"))).unwrap().id.to_prefixed("env");
    let blobs = stage.system().blobs(At::Path(acme, &path("shop"))).unwrap();
    assert_eq!(blobs.levels.len(), 1);

    // The first transaction of each finds the caller, for the limit; then ioenv and Stashbase find the place, and one does
    // the work. What reads writes into the audit log after it.
    let cost = |method: &str, address: &str, body: Option<&str>| ask(&store, &client, method, address, body);
    let variables = format!("/api/v1/env/{live}/variables");
    assert_eq!(cost("GET", &variables, None), (3, 1));
    assert_eq!(cost("PUT", &format!("{variables}/KEY"), Some(r#"{"value":"x"}"#)), (2, 1));

    let here = format!("/api/v1/{acme}");
    assert_eq!(cost("GET", &format!("{here}/shop/secrets"), None), (2, 1));
    assert_eq!(cost("PATCH", &format!("{here}/shop/api"), Some(r#"{"description":"x"}"#)), (2, 1), "with its counts");

    let live = "/v1/projects/shop/environments/live";
    assert_eq!(cost("GET", &format!("{live}/secrets"), None), (3, 1));
    assert_eq!(cost("PUT", &format!("{live}/secrets"), Some(r#"[{"name":"KEY","value":"y"}]"#)), (2, 1));
    let account = NewAccount::new("runner", EnvironmentRole::ACCOUNT);
    let key = stage.system().create_account(At::Path(acme, &path("shop/live")), &account).unwrap().key;
    let own = stage.client(&key);
    assert_eq!(ask(&store, &own, "GET", "/v1/environment/secrets", None), (2, 1), "no place to find");
}

#[test]
fn a_list_comes_with_its_counts() {
    let (stage, store, client) = counted();
    let here = format!("/api/v1/{}", stage.acme);
    for (address, finds) in [
        (format!("{here}/projects"), 0),
        (format!("{here}/projects?per_page=1"), 0),
        (format!("{here}/shop/targets"), 0),
        (format!("{here}/shop/api/environments"), 0),
        ("/v1/projects".to_owned(), 0),
        ("/v1/projects?sort_by=environment_count".to_owned(), 0),
        ("/v1/projects/shop/environments".to_owned(), 1),
    ] {
        assert_eq!(ask(&store, &client, "GET", &address, None), (2 + finds, 1), "{address}");
    }
    let projects = client.get(&format!("{here}/projects")).json(200);
    let counts = |index: usize, what: &str| projects["data"][index]["attributes"][what].clone();
    assert_eq!([0, 1, 2].map(|index| counts(index, "target_count")), [2, 2, 2].map(|count| json!(count)));
    assert_eq!(counts(2, "environment_count"), 4);
    assert_eq!(counts(2, "secret_count"), 1);
}
