use ioenv::server::Server;
use ioenv::vault::{NewOrganization, NewProject, NewToken, PermissionSet};
use serde_json::json;

use super::super::stage::{Answer, Stage};
use super::shape::{Cloud, code};

fn numbers(answer: &Answer) -> (u32, u32) {
    let number = |name| answer.header(name).unwrap().parse::<u32>().unwrap();
    assert!(number("x-ratelimit-reset") > 1_700_000_000, "seconds since 1970");
    (number("x-ratelimit-limit"), number("x-ratelimit-remaining"))
}

#[test]
fn an_organization_has_a_hundred_requests_a_minute() {
    let stage = Stage::with(Server::rate_limited);
    let other = stage.system().create_organization(NewOrganization::new("Other")).unwrap().id;
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
        stage.system().create_project(o, NewProject::new("shop")).ok();
        let answer = admin.post(&path, &body);
        assert_eq!(code(&answer, 422), "validation_failed");
        assert!(answer.json(422)["errors"].as_object().unwrap().len() <= 100 && answer.text.len() < 50_000, "{path}");
    }
}
