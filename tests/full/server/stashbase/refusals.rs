//! What every address has in common.

use ioenv::vault::{NewOrganization, NewServiceAccount, NewServiceKey, PermissionSet, Vocabulary};
use serde_json::{Value, json};

use super::{AT, Scene, words};

/// Of an environment: method, address, body, the permission it takes.
const OF_ENVIRONMENT: &[(&str, &str, &str, &str)] = &[
    ("GET", "/secrets", "", "secrets.read"),
    ("GET", "/secrets?include_value=false", "", "secrets.read"),
    ("GET", "/secrets/AA", "", "secrets.read"),
    ("GET", "/secrets/AA/metadata", "", "secrets.read"),
    ("GET", "/secrets/metadata", "", "secrets.read"),
    ("POST", "/secrets", r#"[{"name":"AA","value":"1"}]"#, "secrets.write"),
    ("PUT", "/secrets", r#"[{"name":"AA","value":"1"}]"#, "secrets.write"),
    ("PATCH", "/secrets", r#"[{"name":"AA","value":"1"}]"#, "secrets.write"),
    ("POST", "/secrets/delete", r#"["AA"]"#, "secrets.delete"),
    ("POST", "/secrets/delete/all", "", "secrets.delete"),
    ("DELETE", "/secrets/all", "", "secrets.delete"),
    ("GET", "/webhooks", "", "webhooks.read"),
    ("POST", "/webhooks", r#"{"url":"https://a.example.com"}"#, "webhooks.create"),
    ("GET", "/webhooks/{webhook}", "", "webhooks.read"),
    ("PATCH", "/webhooks/{webhook}", r#"{"description":"x"}"#, "webhooks.update"),
    ("PATCH", "/webhooks/{webhook}/status", r#"{"enabled":true}"#, "webhooks.update"),
    ("GET", "/webhooks/{webhook}/signing-secret", "", "webhooks.read"),
    ("POST", "/webhooks/{webhook}/signing-secret", "", "webhooks.update"),
    ("POST", "/webhooks/{webhook}/test", "", "webhooks.test"),
    ("GET", "/webhooks/{webhook}/logs", "", "webhooks.read"),
    ("GET", "/webhooks/{webhook}/logs/whlog_0000000000000000000000", "", "webhooks.read"),
    ("DELETE", "/webhooks/{webhook}", "", "webhooks.delete"),
    // There is no word for these.
    ("GET", "/changelog", "", ""),
    ("GET", "/changelog/chng_0000000000000000000000", "", ""),
    ("POST", "/changelog/chng_0000000000000000000000/revert", "", ""),
];

const OF_WORKSPACE: &[(&str, &str, &str, &str)] = &[
    ("GET", "/v1/projects", "", "projects.read"),
    ("POST", "/v1/projects", r#"{"name":"new"}"#, "projects.write"),
    ("GET", "/v1/projects/billing", "", "projects.read"),
    ("PATCH", "/v1/projects/billing", r#"{"description":"x"}"#, "projects.write"),
    ("DELETE", "/v1/projects/billing", "", "projects.delete"),
    ("GET", "/v1/projects/billing/secrets/search?name=AA", "", "secrets.read"),
    ("GET", "/v1/projects/billing/environments", "", "environment.read"),
    ("POST", "/v1/projects/billing/environments", r#"{"name":"new"}"#, "environment.write"),
    ("GET", "/v1/projects/billing/environments/api-dev", "", "environment.read"),
    ("PATCH", "/v1/projects/billing/environments/api-dev", r#"{"description":"x"}"#, "environment.write"),
    ("DELETE", "/v1/projects/billing/environments/api-dev", "", "environment.delete"),
    ("GET", "/v1/projects/billing/environments/api-dev/compare/other", "", "secrets.read"),
];

struct Route {
    method: &'static str,
    path: String,
    body: &'static str,
    word: &'static str,
}

fn routes(webhook: &str) -> Vec<Route> {
    let route = |(method, path, body, word): &(&'static str, &str, &'static str, &'static str), prefix: &str| Route {
        method,
        path: format!("{prefix}{}", path.replace("{webhook}", webhook)),
        body,
        word,
    };
    let mut routes: Vec<Route> = OF_WORKSPACE.iter().map(|one| route(one, "")).collect();
    for prefix in [super::OWN, AT] {
        routes.extend(OF_ENVIRONMENT.iter().map(|one| route(one, prefix)));
    }
    routes.push(route(&("GET", "/v1/environment", "", "environment.read"), ""));
    routes.push(route(&("GET", "/v1/whoami", "", ""), ""));
    routes
}

fn webhook(scene: &Scene) -> String {
    let made = scene.own().post("/v1/environment/webhooks", &json!({"url": "https://hooks.example.com"})).json(201);
    made["id"].as_str().unwrap().to_owned()
}

#[test]
fn every_address_takes_a_key_of_the_workspace_with_the_permission() {
    let scene = Scene::new();
    let system = scene.stage.system();
    let webhook = webhook(&scene);
    let other = system.create_organization(&NewOrganization::new("Other")).unwrap().id;
    let account = system.create_service_account(other, &NewServiceAccount::new("ci", PermissionSet::ALL)).unwrap().id;
    let foreign = system.create_service_key(other, account, &NewServiceKey::new("one")).unwrap().key;
    let foreign = scene.stage.client(&foreign);
    let nothing = words(["scans.scan"]);
    let (no_workspace, no_environment) =
        (scene.stage.client(&scene.service_key(nothing)), scene.stage.client(&scene.account_key(nothing)));

    for Route { method, path, body, word } in routes(&webhook) {
        let body = Some(body).filter(|body| !body.is_empty());
        let about = format!("{method} {path}");
        let stranger = scene.stage.stranger().send(method, &path, body);
        assert_eq!(stranger.refused(401, "auth.unauthorized"), json!({}), "{about}");

        let is_own = path.starts_with(super::OWN);
        if path == "/v1/whoami" || path == "/v1/environment" {
            continue;
        }
        let lacking = if is_own { &no_environment } else { &no_workspace };
        let needed = match word {
            "" if path.ends_with("/revert") => "secret:restore",
            "" => "secret:history",
            word => word,
        };
        let expected = json!({"required_permissions": [needed]});
        for body in [body, Some("not JSON")] {
            let details = lacking.send(method, &path, body).refused(403, "access.missing_permission");
            assert_eq!(details, expected, "{about}");
        }
        // With it the same request comes through, or finds nothing; with all others it does not.
        if !word.is_empty() {
            let needed = Vocabulary::Stashbase.parse([word]).unwrap();
            let all = ioenv::vault::EnvironmentRole::ACCOUNT.difference(needed);
            if is_own {
                let client = scene.stage.client(&scene.account_key(all));
                client.send(method, &path, body).refused(403, "access.missing_permission");
            } else {
                let client = scene.stage.client(&scene.service_key(PermissionSet::ALL.difference(needed)));
                client.send(method, &path, body).refused(403, "access.missing_permission");
            }
        }
        if !is_own && path != "/v1/projects" {
            for body in [body, Some("not JSON")] {
                foreign.send(method, &path, body).refused(404, "resource.project_not_found");
            }
        }
    }
    assert_eq!(foreign.get("/v1/projects").json(200)["data"], json!([]));

    // With the permission alone, each is answered; what it deletes comes last.
    let mut all = routes(&webhook);
    all.sort_by_key(|route| (route.method == "DELETE", route.path.len() < 60));
    for Route { method, path, body, word } in all.iter().filter(|route| !route.word.is_empty()) {
        let permissions = words([*word]);
        let is_own = path.starts_with(super::OWN);
        if is_own && *method == "DELETE" {
            continue;
        }
        let client = if is_own {
            scene.stage.client(&scene.account_key(permissions))
        } else {
            scene.stage.client(&scene.service_key(permissions))
        };
        let answer = client.send(method, path, Some(*body).filter(|body| !body.is_empty()));
        assert!(answer.status != 403 && answer.status != 401, "{method} {path}: {}", answer.text);
    }
}

#[test]
fn what_is_not_served_is_said_in_the_words_of_the_service() {
    let scene = Scene::new();
    for (client, path) in [
        (scene.stage.stranger(), "/v1"),
        (scene.stage.stranger(), "/v1/scan/hunks"),
        (scene.workspace(), "/v1/workspace/url"),
        (scene.workspace(), "/v1/projects/billing/dashboard-url"),
        (scene.workspace(), "/v1/projects/"),
    ] {
        client.get(path).refused(404, "validation.bad_request");
        client.post(path, &json!({})).refused(404, "validation.bad_request");
    }
    scene.workspace().put("/v1/projects", &json!({})).refused(405, "validation.bad_request");
    scene.stage.stranger().delete("/v1/whoami").refused(405, "validation.bad_request");
    let long = format!("[{}]", " ".repeat(2 << 20));
    scene.own().send("POST", "/v1/environment/secrets", Some(&long)).refused(413, "validation.bad_request");
    scene.workspace().send("HEAD", "/", None).empty(204);
}

#[test]
fn no_refusal_repeats_what_was_sent() {
    let scene = Scene::new();
    let webhook = webhook(&scene);
    let planted = "pl4nted";
    scene
        .own()
        .put("/v1/environment/secrets", &json!([{"name": "AA", "value": planted, "comment": planted}]))
        .json(200);
    let (own, workspace) = (scene.own(), scene.workspace());
    let bodies: Vec<Value> = vec![
        json!([{"name": "AA", "value": planted, "comment": 1}]),
        json!([{"name": "AA", "value": [planted]}]),
        json!([{"name": "AA", "value": format!("{planted}\0")}]),
        json!([{"name": "AA", "value": planted.repeat(10_000), "comment": planted}]),
        json!([{"name": "AA", "value": planted, "comment": planted.repeat(100)}]),
        json!({"name": [planted], "url": [planted], "enabled": planted, "description": planted.repeat(100)}),
        json!({"name": planted, "url": planted, "description": [planted]}),
        json!(planted),
    ];
    for Route { method, path, .. } in routes(&webhook) {
        let client = if path.starts_with(super::OWN) { &own } else { &workspace };
        if method == "DELETE" || method == "GET" || path.ends_with("/all") || path.ends_with("secret") {
            continue;
        }
        let mut texts: Vec<String> = bodies.iter().map(Value::to_string).collect();
        texts.push(format!("[{{\"name\": {planted}"));
        for text in texts {
            let answer = client.send(method, &path, Some(&text));
            if (200..300).contains(&answer.status) {
                continue;
            }
            assert!(!answer.text.contains(planted), "{method} {path}: {}", answer.text);
            assert!(answer.headers.values().all(|value| !value.to_str().unwrap().contains(planted)));
        }
    }
    let stranger = scene.stage.stranger().with("authorization", &format!("Bearer sb_env_{planted}"));
    for path in ["/v1/whoami", "/v1/environment/secrets/AA", &format!("/v1/projects/{planted}!")] {
        let answer = stranger.get(path);
        assert!(!answer.text.contains(planted), "{}", answer.text);
    }
    for query in ["page", "page_size", "sort_by", "order", "search"] {
        let answer = workspace.get(&format!("/v1/projects?{query}={planted}!"));
        assert_eq!(answer.status, 400);
        assert!(!answer.text.contains(planted), "{}", answer.text);
    }
    for path in [format!("/v1/projects/{planted}!"), format!("/v1/projects/billing/environments/{planted}!")] {
        assert!(!workspace.get(&path).text.contains(planted));
    }
}

#[test]
fn flags_are_true_or_false() {
    let scene = Scene::new();
    let client = scene.workspace();
    let webhooks = format!("{AT}/webhooks");
    let webhook = client.post(&webhooks, &json!({"url": "http://127.0.0.1:9/x"})).json(201)["id"].clone();
    let webhook = format!("{webhooks}/{}", webhook.as_str().unwrap());
    client.put(&format!("{AT}/secrets"), &json!([{"name": "NAME", "value": "planted"}])).json(200);
    client.post("/v1/projects/billing/environments", &json!({"name": "other"})).json(201);
    let compare = "/v1/projects/billing/environments/api-dev/compare/other";
    let search = "/v1/projects/billing/secrets/search?name=NAME";
    let (secrets, changes) = (format!("{AT}/secrets"), format!("{AT}/changelog"));
    for (address, flag) in [
        (&*secrets, "include_value"),
        (&secrets, "expand_refs"),
        (&format!("{secrets}?include_value=false"), "expand_refs"),
        (&format!("{secrets}/NAME"), "expand_refs"),
        (compare, "with_values"),
        (compare, "expand_refs"),
        (search, "include_value"),
        (search, "return_values"),
        (&format!("{search}&include_value=true"), "return_values"),
        ("/v1/projects/billing/secrets/search?value=planted", "include_value"),
        (&changes, "with_values"),
        (&webhook, "include_secret"),
        ("/v1/projects/billing/environments", "is_production"),
    ] {
        let with = |value: &str| format!("{address}{}{flag}={value}", if address.contains('?') { '&' } else { '?' });
        for word in ["true", "false"] {
            client.get(&with(word)).json(200);
        }
        for other in ["maybe", "", "1", "0", "TRUE", "false%20"] {
            let answer = client.get(&with(other));
            assert_eq!(answer.refused(400, "validation.bad_request"), json!({}), "{address} {flag}={other}");
            assert!(!answer.text.contains("planted"));
            scene.stage.stranger().get(&with(other)).refused(401, "auth.unauthorized");
        }
    }
}
