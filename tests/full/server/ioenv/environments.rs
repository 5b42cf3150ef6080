use ioenv::vault::Id;
use serde_json::json;

use super::{Scene, refused};

#[test]
fn custom_ones_come_change_and_go() {
    let scene = Scene::new();
    let client = scene.client("admin");
    let at = scene.at("environments");
    let body = client.post(&at, &json!({ "name": "preview_1-x", "more": 1 })).json(201);
    let id = scene.env_id("preview_1-x");
    assert_eq!(body, json!({ "environment": { "id": id, "name": "preview_1-x" } }));
    client.post(&at, &json!({ "name": "a1" })).json(201);
    let names = || {
        let body = client.get(&at).json(200);
        let names = body["environments"].as_array().unwrap().iter().map(|one| one["name"].as_str().unwrap().to_owned());
        names.collect::<Vec<_>>().join(" ")
    };
    assert_eq!(names(), "_base dev staging prod a1 preview_1-x");
    // They inherit as the others do.
    client.put(&scene.variable("_base", "K"), &json!({ "value": "v", "isSecret": false })).json(200);
    assert_eq!(super::listed(&client.get(&scene.variables("a1"))), "K=v+");

    let at_id = format!("/api/v1/env/{id}");
    assert_eq!(
        client.patch(&at_id, &json!({ "name": "review" })).json(200),
        json!({ "environment": { "id": id, "name": "review" } })
    );
    assert_eq!(names(), "_base dev staging prod a1 review");
    client.patch(&at_id, &json!({ "name": "review" })).json(200);
    client.delete(&at_id).empty(204);
    refused(&client.delete(&at_id), 404, "NOT_FOUND");
    refused(&client.get(&format!("{at_id}/variables")), 404, "NOT_FOUND");
    assert_eq!(names(), "_base dev staging prod a1");
}

#[test]
fn ids_are_understood_as_the_command_shows_them() {
    let scene = Scene::new();
    let client = scene.client("admin");
    let project = format!("/api/v1/project/{}", scene.project.id);
    let list = client.get(&format!("{project}/environments")).json(200);
    assert_eq!(list, client.get(&scene.at("environments")).json(200));
    let variables = |id| client.get(&format!("/api/v1/env/{id}/variables")).json(200);
    client.put(&scene.variable("_base", "K"), &json!({ "value": "v", "isSecret": false })).json(200);
    assert_eq!(variables(scene.id("shop/dev"))["variables"][0]["inherited"], true);
    // The project's own level is its environment `_base`.
    assert_eq!(variables(scene.project.id.into())["variables"][0]["inherited"], false);

    let body = json!({ "name": "other", "permissions": ["read"] });
    let made = client.post(&format!("{project}/tokens"), &body).json(201);
    assert_eq!(made["token"]["projectId"], scene.project.id.to_prefixed("proj"));
    let id = Id::parse_prefixed("tok", made["token"]["id"].as_str().unwrap()).unwrap();
    client.delete(&format!("{project}/tokens/{id}")).empty(204);
    refused(&client.get(&format!("/api/v1/project/{}/environments", scene.id("shop/dev"))), 404, "NOT_FOUND");
}

#[test]
fn names_have_rules() {
    let scene = Scene::new();
    let client = scene.client("admin");
    let at = scene.at("environments");
    client.post(&at, &json!({ "name": "mine" })).json(201);
    let mine = scene.env("mine");
    for name in [
        "",
        "x",
        "Dev",
        "_hidden",
        "-x",
        "a b",
        "a/b",
        "\u{e4}\u{e4}",
        "env_Kk1Ll2Mm3Nn4Oo5Pp6Qq7R",
        "env_0123456789abcdefghijkl",
        "dev",
        "prod",
        "secrets",
        &"n".repeat(41),
    ] {
        refused(&client.post(&at, &json!({ "name": name })), 422, "VALIDATION_ERROR");
        refused(&client.patch(&mine, &json!({ "name": name })), 422, "VALIDATION_ERROR");
    }
    for body in [json!({}), json!({ "name": null }), json!({ "name": 1 }), json!(["name"])] {
        refused(&client.post(&at, &body), 422, "VALIDATION_ERROR");
        refused(&client.patch(&mine, &body), 422, "VALIDATION_ERROR");
    }
    client.post(&at, &json!({ "name": "n".repeat(40) })).json(201);
    client.post(&at, &json!({ "name": "01" })).json(201);
}

#[test]
fn what_is_built_in_stays() {
    let scene = Scene::new();
    let client = scene.client("admin");
    for name in ["_base", "dev", "staging", "prod"] {
        refused(&client.patch(&scene.env(name), &json!({ "name": "other" })), 422, "VALIDATION_ERROR");
        refused(&client.delete(&scene.env(name)), 422, "VALIDATION_ERROR");
    }
    assert_eq!(client.get(&scene.at("environments")).json(200)["environments"].as_array().unwrap().len(), 4);
}

#[test]
fn a_token_of_one_environment_sees_that_one() {
    let scene = Scene::new();
    scene.write("shop", "A=base\n");
    let client = scene.bound("admin", "shop/dev");
    assert_eq!(
        client.get(&scene.at("environments")).json(200),
        json!({ "environments": [{ "id": scene.env_id("dev"), "name": "dev" }] })
    );
    assert_eq!(super::listed(&client.get(&scene.variables("dev"))), "A=base+");
    for name in ["_base", "staging"] {
        refused(&client.get(&scene.variables(name)), 404, "NOT_FOUND");
        refused(&client.delete(&scene.variable(name, "A")), 404, "NOT_FOUND");
    }
    refused(&client.get(&scene.at("audit")), 404, "NOT_FOUND");
    refused(&client.post(&scene.at("environments"), &json!({ "name": "mine" })), 404, "NOT_FOUND");
    refused(&client.post(&scene.at("tokens"), &json!({ "name": "t", "permissions": ["read"] })), 404, "NOT_FOUND");
}
