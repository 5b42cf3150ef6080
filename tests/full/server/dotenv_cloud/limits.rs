use ioenv::server::Server;
use ioenv::vault::{NewOrganization, NewProject, NewToken, PermissionSet};
use serde_json::json;

use super::super::stage::{Answer, Stage};
use super::super::watched::Act;
use super::shape::{Cloud, code};

fn numbers(answer: &Answer) -> (u32, u32) {
    let number = |name| answer.header(name).unwrap().parse::<u32>().unwrap();
    assert!(number("x-ratelimit-reset") > 1_700_000_000, "seconds since 1970");
    (number("x-ratelimit-limit"), number("x-ratelimit-remaining"))
}

#[test]
fn an_organization_has_a_hundred_requests_a_minute() {
    let stage = Stage::with(Server::rate_limited);
    let other = stage.system().create_organization(&NewOrganization::new("Other")).unwrap().id;
    let clients = [Cloud::admin(&stage), Cloud::admin(&stage)];
    let o = stage.acme;
    for at in 0..100 {
        let client = &clients[at % 2];
        // Whatever comes of it.
        let answer = match at % 5 {
            0 => client.get("/api/v1/organization"),
            1 => client.get(&format!("/api/v1/{o}/nothing")),
            2 => client.get(&format!("/api/v1/{other}/projects")),
            3 => client.post(&format!("/api/v1/{o}/projects"), &json!({})),
            _ => client.get("/api/v1/user"),
        };
        assert_eq!(answer.status, [200, 404, 404, 422, 200][at % 5]);
        assert_eq!(numbers(&answer), (100, 99 - u32::try_from(at).unwrap()));
        assert_eq!(answer.header("retry-after"), None);
    }
    for path in ["organization", &format!("{o}/projects"), &format!("{other}/projects")] {
        let answer = clients[0].get(&format!("/api/v1/{path}"));
        assert_eq!(code(&answer, 429), "rate_limited");
        assert_eq!(numbers(&answer), (100, 0));
        let wait: u32 = answer.header("retry-after").unwrap().parse().unwrap();
        assert!((1..=60).contains(&wait));
    }
    let theirs = stage.system().issue_token(other, &NewToken::new("t", PermissionSet::ALL)).unwrap().token;
    Cloud::new(stage.client(&theirs)).get("/api/v1/organization").json(200);
}

#[test]
fn whoever_is_not_known_has_thirty() {
    let stage = Stage::with(Server::rate_limited);
    let known = Cloud::admin(&stage);
    let unknown = Cloud::new(stage.stranger().with("authorization", "Bearer ioenv_0123456789abcdef"));
    let stranger = Cloud::new(stage.stranger());
    for at in 0..30 {
        let answer = if at % 2 == 0 { &unknown } else { &stranger }.get("/api/v1/organization");
        assert_eq!(code(&answer, 401), "unauthenticated");
        assert_eq!(numbers(&answer), (30, 29 - at));
    }
    let projects = format!("/api/v1/{}/projects", stage.acme);
    for client in [&stranger, &unknown] {
        let answer = client.get(&projects);
        assert_eq!(code(&answer, 429), "rate_limited");
        assert!(answer.header("retry-after").is_some());
    }
    // Whoever is known does not suffer for others at the same address.
    known.get(&projects).json(200);
}

#[test]
fn telemetry_counts_by_itself() {
    let stage = Stage::with(Server::rate_limited);
    let stranger = Cloud::new(stage.stranger());
    for at in 0..60 {
        let answer = stranger.post("/api/v1/cli/telemetry", &json!({}));
        answer.empty(204);
        assert_eq!(numbers(&answer), (60, 59 - at));
    }
    assert_eq!(code(&stranger.post("/api/v1/cli/telemetry", &json!({})), 429), "rate_limited");
    Cloud::admin(&stage).get("/api/v1/organization").json(200);
}

#[test]
fn what_is_wrong_is_told_a_hundred_times_at_most() {
    let stage = Stage::memory();
    let (admin, o) = (Cloud::admin(&stage), stage.acme);
    for (path, body) in [
        (format!("/api/v1/{o}/shop/secrets/re-encrypt-history"), json!({ "versions": vec![0; 1000] })),
        (format!("/api/v1/{o}/shop/secrets/rotate-client-keys"), json!({ "secrets": vec![json!({}); 1000] })),
        (format!("/api/v1/organizations/{o}/api-keys"), json!({ "name": "x", "abilities": vec!["secret:raed"; 1000] })),
    ] {
        stage.system().create_project(o, &NewProject::new("shop")).ok();
        let answer = admin.post(&path, &body);
        assert_eq!(code(&answer, 422), "validation_failed");
        assert!(answer.json(422)["errors"].as_object().unwrap().len() <= 100 && answer.text.len() < 50_000, "{path}");
    }
}

/// Requests that are answered in every way, each with its status, and the limit that it counts for.
fn requests(stage: &Stage) -> Vec<(&'static str, String, Option<&'static str>, u16)> {
    let o = stage.acme;
    vec![
        ("GET", "/api/v1/organization".to_owned(), None, 200),
        ("HEAD", "/api/v1/organization".to_owned(), None, 200),
        ("GET", format!("/api/v1/organizations/{o}/projects"), None, 200),
        ("POST", format!("/api/v1/{o}/projects"), Some("{}"), 422),
        ("POST", format!("/api/v1/{o}/projects"), Some("planted"), 400),
        ("GET", format!("/api/v1/{o}/none"), None, 404),
        ("GET", format!("/api/v1/{o}/%ff"), None, 404),
        ("DELETE", format!("/api/v1/organizations/{o}/projects"), None, 405),
        ("OPTIONS", "/api/v1/user".to_owned(), None, 405),
        ("GET", "/api/v1/organizations/x/y/z".to_owned(), None, 404),
        ("GET", "/api/v1".to_owned(), None, 404),
        ("GET", "/api/v2/organizations".to_owned(), None, 404),
        ("GET", "/none".to_owned(), None, 404),
    ]
}

#[test]
fn every_response_says_how_many_requests_are_left() {
    for stage in [Stage::memory(), Stage::with(Server::rate_limited)] {
        let admin = stage.admin();
        let mut left = 100;
        for (method, path, body, status) in requests(&stage) {
            for (client, status) in [(admin.clone(), status), (admin.clone().with("x-api-version", "2"), 400)] {
                let answer = client.send(method, &path, body);
                // What is no route, or no method of one, is said whatever the version.
                assert!(
                    [status, 404, 405].contains(&answer.status),
                    "{method} {path}: {} {}",
                    answer.status,
                    answer.text
                );
                left -= 1;
                assert_eq!(numbers(&answer), (100, left), "{method} {path}: {}", answer.status);
            }
        }
        let long = "x".repeat((4 << 20) + 1);
        let answer = admin.send("POST", &format!("/api/v1/{}/projects", stage.acme), Some(&long));
        assert_eq!((answer.status, numbers(&answer)), (413, (100, left - 1)));
    }
}

#[test]
fn unknown_callers_see_how_many_requests_are_left() {
    for stage in [Stage::memory(), Stage::with(Server::rate_limited)] {
        let stranger = stage.stranger();
        let unknown = stage.stranger().with("authorization", "Bearer ioenv_0123456789abcdef");
        let mut left = 30;
        for (method, path, body, status) in requests(&stage).into_iter().take(10) {
            for (client, version) in [(&stranger, "1"), (&unknown, "1"), (&stranger, "2")] {
                let answer = client.clone().with("x-api-version", version).send(method, &path, body);
                let expected = if version == "2" { 400 } else { 401 };
                let shown = (method, &path, version, answer.status);
                assert!([expected, 404, 405].contains(&answer.status) && answer.status != 200, "{shown:?} {status}");
                left -= 1;
                assert_eq!(numbers(&answer), (30, left), "{shown:?}");
            }
        }
    }
}

#[test]
fn refusals_that_come_first_count_for_the_limit() {
    let stage = Stage::with(Server::rate_limited);
    let admin = stage.admin();
    let old = admin.clone().with("x-api-version", "2");
    for at in 0..100 {
        let (client, path, status) = [
            (&old, "/api/v1/organization", 400),
            (&admin, "/api/v1/none/of/these/routes/is/there", 404),
            (&old, "/api/v1/none/of/these/routes/is/there", 404),
            (&admin, "/api/v1/cli/none", 404),
        ][at % 4];
        assert_eq!(client.get(path).status, status, "{path}");
    }
    for (client, path) in [(&old, "/api/v1/organization"), (&admin, "/api/v2"), (&admin, "/api/v1/organization")] {
        let answer = Cloud::new(client.clone()).get(path);
        assert_eq!((code(&answer, 429).as_str(), numbers(&answer)), ("rate_limited", (100, 0)), "{path}");
        assert!(answer.header("retry-after").is_some());
    }
}

#[test]
fn where_nothing_is_limited_nothing_is_refused() {
    let stage = Stage::memory();
    let (admin, stranger) = (Cloud::admin(&stage), Cloud::new(stage.stranger()));
    for at in 0..130_u32 {
        let answer = admin.get("/api/v1/organization");
        assert_eq!((answer.status, numbers(&answer)), (200, (100, 99_u32.saturating_sub(at))));
        let answer = stranger.get("/api/v1/organization");
        assert_eq!((answer.status, numbers(&answer)), (401, (30, 29_u32.saturating_sub(at))));
        assert_eq!(answer.header("retry-after"), None);
    }
    let rotate = format!("/api/v1/{}/none/encryption-key/rotate", stage.acme);
    for at in 0..12_u32 {
        let answer = admin.post(&rotate, &json!({}));
        assert_eq!((answer.status, numbers(&answer)), (404, (10, 9_u32.saturating_sub(at))));
    }
}

#[test]
fn what_the_server_fails_at_says_how_many_requests_are_left() {
    let (stage, store) = Stage::watched(|server| server);
    let (admin, projects) = (Cloud::admin(&stage), format!("/api/v1/{}/projects", stage.acme));
    assert_eq!(numbers(&admin.get(&projects)), (100, 99));
    for act in [|| Act::Fail, || Act::Panic] {
        // Before the caller is known, and after that.
        for skip in [0, 1] {
            store.arm(skip, act());
            assert_eq!(code(&admin.get(&projects), 500), "server_error");
        }
    }
    assert_eq!(admin.get(&projects).status, 200);
}
