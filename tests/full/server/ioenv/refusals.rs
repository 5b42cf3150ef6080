//! Who is refused, where and how, whatever is asked for.

use ioenv::vault::{
    At, Confirmation, NewOrganization, NewProject, NewServiceAccount, NewServiceKey, NewToken, OrganizationStatus,
    OrganizationUpdate, Permission, PermissionSet,
};
use serde_json::json;

use super::super::stage::{Answer, Client, Stage, path};
use super::{Scene, error, permissions, refused};

/// All that is served: method, address, a body that is right, the permission it takes.
fn routes(scene: &Scene) -> Vec<(&'static str, String, Option<String>, &'static str)> {
    let name = json!({ "name": "other" }).to_string();
    let variable = json!({ "value": "x", "isSecret": true }).to_string();
    let token = json!({ "name": "t", "permissions": ["read"] }).to_string();
    let id = scene.stage.system().tokens(scene.stage.acme).unwrap()[0].id.to_prefixed("tok");
    let export = format!("{}/export", scene.variables("mine"));
    vec![
        ("GET", scene.at("environments"), None, "read"),
        ("POST", scene.at("environments"), Some(name.clone()), "admin"),
        ("GET", scene.at("tokens"), None, "admin"),
        ("POST", scene.at("tokens"), Some(token), "admin"),
        ("DELETE", scene.at(&format!("tokens/{id}")), None, "admin"),
        ("GET", scene.at("audit"), None, "admin"),
        ("PATCH", scene.env("mine"), Some(name), "admin"),
        ("DELETE", scene.env("mine"), None, "admin"),
        ("GET", scene.variables("mine"), None, "read"),
        ("GET", export.clone(), None, "read"),
        ("PUT", export.clone(), Some(variable.clone()), "write"),
        ("DELETE", export, None, "write"),
        ("PUT", scene.variable("mine", "K"), Some(variable), "write"),
        ("DELETE", scene.variable("mine", "K"), None, "write"),
    ]
}

fn scene() -> Scene {
    let scene = Scene::new();
    scene.client("admin").post(&scene.at("environments"), &json!({ "name": "mine" })).json(201);
    scene.write("shop/mine", "K=planted-value\nexport=planted-value\n");
    scene
}

/// Nothing is said that was not to be said, and the headers are those of every answer.
#[track_caller]
fn is_discreet(answer: &Answer) {
    let said = format!("{} {:?}", answer.text, answer.headers);
    for planted in ["planted", "ioenv_"] {
        assert!(!said.contains(planted), "{said}");
    }
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    assert_eq!(answer.header("x-ioenv-engine"), Some(concat!("local/", env!("CARGO_PKG_VERSION"))));
}

#[test]
fn each_route_refuses_strangers_others_and_whoever_may_not() {
    let scene = scene();
    let stage = &scene.stage;
    let system = stage.system();
    system.create_project(stage.acme, &NewProject::new("other")).unwrap();
    let foreign = system.create_organization(&NewOrganization::new("Foreign")).unwrap().id;
    let foreign = system.issue_token(foreign, &NewToken::new("f", PermissionSet::ALL)).unwrap().token;
    let revoked = stage.token(PermissionSet::ALL, Some("shop"));
    let id = system.tokens(stage.acme).unwrap().last().unwrap().id;
    system.revoke_token(stage.acme, id).unwrap();

    let unauthorized = [
        stage.stranger(),
        stage.stranger().with("authorization", ""),
        stage.stranger().with("authorization", "Bearer"),
        stage.stranger().with("authorization", "Bearer "),
        stage.stranger().with("authorization", "Basic aW9lbnZfQWJDZEVmMDEyMzQ1"),
        stage.stranger().with("authorization", "ioenv_AbCdEf012345"),
        stage.stranger().with("authorization", "Bearer ioenv_AbCdEf01234"),
        stage.stranger().with("authorization", "Bearer ioenv_AbCdEf012345"),
        stage.stranger().with("authorization", "Bearer ioenv_AbCdEf012345 more"),
        stage.stranger().with("cookie", "token=ioenv_AbCdEf012345"),
        stage.client(&revoked),
    ];
    let elsewhere = [
        stage.client(&foreign),
        scene.bound("admin", "other"),
        stage.client(&stage.token(PermissionSet::ALL, Some("other"))),
    ];
    for (method, at, body, word) in routes(&scene) {
        let send = |client: &Client, body: Option<&str>| {
            let answer = client.send(method, &at, body);
            is_discreet(&answer);
            answer
        };
        let wrong = body.as_ref().map(|_| "{planted");
        for client in &unauthorized {
            // Whatever else is wrong.
            for body in [body.as_deref(), wrong] {
                let answer = send(client, body);
                assert_eq!(answer.json(401), error("UNAUTHORIZED", "A valid API token is required."), "{method} {at}");
            }
        }
        for client in &elsewhere {
            for body in [body.as_deref(), wrong] {
                refused(&send(client, body), 404, "NOT_FOUND");
            }
        }
        for others in ["read", "write", "read write"].into_iter().filter(|others| !others.contains(word)) {
            for body in [body.as_deref(), wrong] {
                let answer = send(&scene.client(others), body);
                let message = format!("This token lacks the {word} permission.");
                assert_eq!(answer.json(403), error("FORBIDDEN", &message), "{method} {at} with {others}");
            }
        }
        if wrong.is_some() {
            refused(&send(&scene.client("admin"), wrong), 422, "VALIDATION_ERROR");
        }
    }
    // Nothing of that was done.
    assert_eq!(
        super::listed(&scene.client("read").get(&scene.variables("mine"))),
        "K=planted-value export=planted-value"
    );
}

#[test]
fn each_route_takes_exactly_what_it_should() {
    let scene = scene();
    for (index, (method, at, _, word)) in routes(&scene).into_iter().enumerate() {
        let refused_without = |permission: Permission| {
            // Anew each time, because what was deleted comes back with another id.
            let (_, at, body, _) = routes(&scene).swap_remove(index);
            let rest = PermissionSet::ALL.difference(permission.into());
            let client = scene.stage.client(&scene.stage.token(rest, Some("shop")));
            let answer = client.send(method, &at, body.as_deref());
            if answer.status < 300 && method != "GET" {
                return_to_start(&scene);
            }
            answer.status == 403 && refused(&answer, 403, "FORBIDDEN").contains(&format!("lacks the {word} permission"))
        };
        let taken: PermissionSet = permissions("admin").iter().filter(|one| refused_without(*one)).collect();
        let expected = match (method, at.rsplit('/').next().unwrap()) {
            ("GET", "environments") => Permission::EnvironmentRead.into(),
            ("POST", "environments") => Permission::EnvironmentCreate.into(),
            ("PATCH", _) => Permission::EnvironmentUpdate.into(),
            ("GET", "tokens") => Permission::ApiTokenRead.into(),
            ("POST", "tokens") => Permission::ApiTokenCreate.into(),
            ("DELETE", id) if id.starts_with("tok_") => {
                PermissionSet::of(&[Permission::ApiTokenRead, Permission::ApiTokenDelete])
            }
            ("GET", "audit") => Permission::AuditRead.into(),
            ("GET", _) => PermissionSet::of(&[Permission::SecretRead, Permission::SecretDecrypt]),
            ("PUT", _) => Permission::SecretWrite.into(),
            ("DELETE", id) if id.starts_with("env_") => Permission::EnvironmentDelete.into(),
            _ => Permission::SecretDelete.into(),
        };
        assert_eq!(taken, expected, "{method} {at}");
    }
}

fn return_to_start(scene: &Scene) {
    let (system, acme) = (scene.stage.system(), scene.stage.acme);
    for slug in ["mine", "other"] {
        // One of them is there, or none.
        let _ = system.delete_environment(At::Path(acme, &path(&format!("shop/{slug}"))), Confirmation::Given);
    }
    scene.client("admin").post(&scene.at("environments"), &json!({ "name": "mine" })).json(201);
    scene.write("shop/mine", "K=planted-value\nexport=planted-value\n");
}

#[test]
fn what_is_not_there_is_not_found_whoever_asks() {
    let scene = Scene::new();
    let client = scene.client("admin");
    let dev = scene.env_id("dev");
    let project = scene.project.id.to_prefixed("proj");
    let target_like = scene.project.id.to_prefixed("env");
    let ids = [
        "env_0123456789abcdefghijkl",
        "env_",
        "dev",
        "x",
        "%00",
        "env_zzzzzzzzzzzzzzzzzzzzzz",
        "tok_0123456789abcdefghijkl",
    ];
    for id in ids.map(str::to_owned).into_iter().chain([format!("proj_{}", &dev[4..]), dev[4..].to_owned()]) {
        let at = format!("/api/v1/env/{id}/variables");
        refused(&client.get(&at), 404, "NOT_FOUND");
        refused(&client.send("PUT", &format!("{at}/K"), Some("{planted")), 404, "NOT_FOUND");
        refused(&client.delete(&format!("/api/v1/env/{id}")), 404, "NOT_FOUND");
        refused(&scene.stage.stranger().get(&at), 401, "UNAUTHORIZED");
        let at = format!("/api/v1/project/{id}/environments");
        refused(&client.get(&at), 404, "NOT_FOUND");
        refused(&scene.stage.stranger().get(&at), 401, "UNAUTHORIZED");
    }
    // An environment is no project.
    refused(&client.get(&format!("/api/v1/project/proj_{}/environments", &dev[4..])), 404, "NOT_FOUND");
    refused(&client.get(&format!("/api/v1/project/{target_like}/environments")), 404, "NOT_FOUND");
    for at in [
        "/api/v1/env/".to_owned(),
        format!("/api/v1/env/{dev}/"),
        format!("/api/v1/env/{dev}/nothing"),
        format!("/api/v1/env/{dev}/variables/"),
        format!("/api/v1/env/{dev}/variables/K/more"),
        format!("/api/v1/env/{dev}/variables/export/more"),
        format!("/api/v1/project/{project}"),
        format!("/api/v1/project/{project}/"),
        format!("/api/v1/project/{project}/nothing"),
        format!("/api/v1/project/{project}/environments/secrets"),
        format!("/api/v1/project/{project}/tokens/x/more"),
    ] {
        let answer = client.get(&at);
        refused(&answer, 404, "NOT_FOUND");
        is_discreet(&answer);
    }
}

#[test]
fn another_method_is_told_which_ones_there_are() {
    let scene = Scene::new();
    let client = scene.client("admin");
    for (method, at, allowed) in [
        ("POST", scene.variables("dev"), &["GET", "HEAD"][..]),
        ("GET", scene.variable("dev", "K"), &["PUT", "DELETE"]),
        ("POST", scene.variable("dev", "K"), &["PUT", "DELETE"]),
        ("PATCH", format!("{}/export", scene.variables("dev")), &["GET", "HEAD", "PUT", "DELETE"]),
        ("GET", scene.env("dev"), &["PATCH", "DELETE"]),
        ("DELETE", scene.at("environments"), &["GET", "HEAD", "POST"]),
        ("PUT", scene.at("audit"), &["GET", "HEAD"]),
        ("OPTIONS", scene.at("tokens"), &["GET", "HEAD", "POST"]),
        ("PURGE", scene.at("tokens/x"), &["DELETE"]),
    ] {
        let answer = client.send(method, &at, None);
        refused(&answer, 405, "METHOD_NOT_ALLOWED");
        is_discreet(&answer);
        let mut named: Vec<&str> = answer.header("allow").unwrap_or_default().split(',').map(str::trim).collect();
        let mut allowed = allowed.to_vec();
        named.sort_unstable();
        allowed.sort_unstable();
        assert_eq!(named, allowed, "{method} {at}");
    }
}

#[test]
fn every_answer_has_the_same_headers() {
    let scene = Scene::new();
    let client = scene.client("admin");
    let at = scene.variable("dev", "K");
    for answer in [
        client.put(&at, &json!({ "value": "x" })),
        client.get(&scene.variables("dev")),
        client.get(&format!("{}/export", scene.variables("dev"))),
        client.delete(&at),
        client.delete(&at),
        client.get(&scene.at("environments")),
    ] {
        assert_eq!(answer.header("cache-control"), Some("no-store"));
        assert_eq!(answer.header("x-ioenv-engine"), Some(concat!("local/", env!("CARGO_PKG_VERSION"))));
        assert!(answer.headers.keys().all(|name| !name.as_str().starts_with("access-control")));
    }
}

#[test]
fn a_token_that_is_held_to_addresses_or_may_not_open_secrets_is_refused() {
    let scene = Scene::new();
    let (stage, system) = (&scene.stage, scene.stage.system());
    scene.write("shop/dev", "K=planted-value\n");
    // As dotenv.cloud has it: reading without opening. Nothing is left out silently.
    let blind = PermissionSet::of(&[Permission::SecretRead, Permission::EnvironmentRead]);
    let client = stage.client(&stage.token(blind, Some("shop")));
    for at in [scene.variables("dev"), format!("{}/export", scene.variables("dev"))] {
        refused(&client.get(&at), 403, "FORBIDDEN");
    }
    let account =
        NewServiceAccount::new("ci", PermissionSet::ALL).allow_list(super::super::stage::ranges(["192.0.2.0/24"]));
    let account = system.create_service_account(stage.acme, &account).unwrap().id;
    let key = system.create_service_key(stage.acme, account, &NewServiceKey::new("k")).unwrap().key;
    let answer = stage.client(&key).get(&scene.variables("dev"));
    assert_eq!(answer.json(403), error("FORBIDDEN", "This token is not to be used from this address."));
}

#[test]
fn secrets_are_in_no_refusal() {
    let scene = Scene::new();
    let client = scene.client("admin");
    let at = scene.variable("dev", "PLANTED");
    for body in [
        r#"{"value":"planted-value","isSecret":"planted-flag"}"#,
        r#"{"value":["planted-value"],"isSecret":true}"#,
        r#"{"value":"planted-value","value":"planted-value"}"#,
        r#"{"value":"planted-value"#,
        r#"{"value":"planted\u0000value","isSecret":true}"#,
    ] {
        is_discreet(&client.send("PUT", &at, Some(body)));
    }
    is_discreet(&client.put(&scene.variable("dev", "planted-key"), &json!({ "value": "x" })));
    is_discreet(&client.put(&at, &json!({ "value": "planted-value", "isSecret": true })));
    is_discreet(&client.put(&at, &json!({ "value": "planted-value", "isSecret": true })));
    is_discreet(&client.get(&scene.at("audit?before=planted&key=planted")));
    is_discreet(&scene.stage.stranger().get(&format!("{}?token=ioenv_AbCdEf012345", scene.variables("dev"))));
    is_discreet(&scene.client("read").delete(&at));
    // A token works in its header alone.
    let token = scene.stage.token(permissions("read"), Some("shop"));
    let elsewhere = format!("{}?token={1}&access_token={1}", scene.variables("dev"), token.expose_secret());
    let answer = scene.stage.stranger().with("cookie", &format!("token={}", token.expose_secret())).get(&elsewhere);
    refused(&answer, 401, "UNAUTHORIZED");
    is_discreet(&answer);
}

#[test]
fn a_token_of_an_organization_that_is_not_active_is_none() {
    for stage in [Stage::memory(), Stage::with(ioenv::server::Server::rate_limited)] {
        let scene = Scene::on(stage);
        let client = scene.client("admin");
        let at = scene.variables("dev");
        client.get(&at).json(200);
        let update = OrganizationUpdate::new().status(OrganizationStatus::Suspended);
        scene.stage.system().update_organization(scene.stage.acme, &update).unwrap();
        for at in [at.as_str(), "/api/v1/env/nonsense/variables", &scene.at("tokens")] {
            refused(&client.get(at), 401, "UNAUTHORIZED");
        }
    }
}
