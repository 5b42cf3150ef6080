use ioenv::vault::{NewProject, Permission, PermissionSet};
use serde_json::{Value, json};

use super::super::stage::{SECOND, Stage};
use super::shape::{Cloud, code, invalid, not_found};

fn shop(stage: &Stage) -> String {
    stage.system().create_project(stage.acme, &NewProject::new("shop")).unwrap().id.to_string()
}

fn target(id: &Value, project: &str) -> Value {
    json!({ "data": { "type": "targets", "id": id, "attributes": {
        "project_id": project, "name": "US East", "slug": "us-east", "description": "first region",
        "environment_count": 0, "secret_count": 0, "created_at": "2031-02-03T04:05:06Z", "updated_at": "2031-02-03T04:05:06Z",
    } } })
}

#[test]
fn a_target_is_made_read_changed_and_deleted() {
    let stage = Stage::new();
    let (project, client, o) = (shop(&stage), Cloud::admin(&stage), stage.acme);
    let all = format!("/api/v1/{o}/shop/targets");
    let made = client.post(&all, &json!({ "name": "US East", "description": "first region" })).json(201);
    let id = &made["data"]["id"];
    let mut expected = target(id, &project);
    assert_eq!(made, expected);
    assert_eq!(client.get(&format!("/api/v1/{o}/shop/us-east")).json(200), expected);
    for long in ["targets/us-east", "targets"] {
        let answer = client.get(&format!("/api/v1/organizations/{o}/projects/shop/{long}"));
        let found = answer.json(200)["data"].clone();
        assert_eq!(if found.is_array() { found[0].clone() } else { found }, expected["data"]);
        assert_eq!(answer.header("deprecation"), Some("true"));
        for method in ["POST", "PUT", "PATCH", "DELETE"] {
            let answer = client.send(method, &format!("/api/v1/organizations/{o}/projects/shop/{long}"), Some("{}"));
            assert_eq!(code(&answer, 405), "method_not_allowed");
        }
    }
    stage.pass(SECOND);
    let body = json!({ "name": "Europe", "slug": "europe", "description": "" });
    let changed = client.put(&format!("/api/v1/{o}/shop/us-east"), &body).json(200);
    let attributes = &mut expected["data"]["attributes"];
    attributes["name"] = json!("Europe");
    attributes["slug"] = json!("europe");
    attributes["updated_at"] = json!("2031-02-03T04:05:07Z");
    // Empty text removes it.
    attributes["description"] = json!(null);
    assert_eq!(changed, expected);
    assert_eq!(client.get(&format!("/api/v1/{o}/shop/us-east")).json(404), not_found());
    assert_eq!(client.get(&all).json(200)["data"], json!([expected["data"]]));
    client.delete(&format!("/api/v1/{o}/shop/europe")).empty(204);
    assert_eq!(client.delete(&format!("/api/v1/{o}/shop/europe")).json(404), not_found());
    let list = client.get(&all).json(200);
    assert_eq!(list, json!({ "data": [], "meta": { "current_page": 1, "last_page": 1, "per_page": 1, "total": 0 } }));
}

#[test]
fn what_is_wrong_is_told_by_the_field() {
    let stage = Stage::new();
    shop(&stage);
    let (client, o) = (Cloud::admin(&stage), stage.acme);
    let (all, one) = (format!("/api/v1/{o}/shop/targets"), format!("/api/v1/{o}/shop/b"));
    for name in ["a", "b"] {
        client.post(&all, &json!({ "name": name })).json(201);
    }
    assert_eq!(client.post(&all, &json!({})).json(422), invalid(&[("name", "The name field is required.")]));
    for (field, value, message) in [
        ("name", json!(""), "The name field is required."),
        ("name", json!("?"), ""),
        ("name", json!("n".repeat(256)), "The name field must not be greater than 255 characters."),
        ("slug", json!("a"), "The slug has already been taken."),
        ("slug", json!("A"), "The slug field format is invalid."),
        ("slug", json!("targets"), "The slug is reserved."),
        ("slug", json!("secrets"), "The slug is reserved."),
        ("slug", json!("encryption-key"), "The slug is reserved."),
        ("slug", json!("members"), "The slug is reserved."),
        ("description", json!("d".repeat(1001)), "The description field must not be greater than 1000 characters."),
    ] {
        if !message.is_empty() {
            assert_eq!(client.patch(&one, &json!({ field: value })).json(422), invalid(&[(field, message)]));
        }
        let mut body = json!({ "name": "new" });
        body[field] = value;
        let message = if message.is_empty() { "The name field format is invalid." } else { message };
        assert_eq!(client.post(&all, &body).json(422), invalid(&[(field, message)]));
    }
    for reserved in ["targets", "encryption-key"] {
        let made = client.post(&all, &json!({ "name": reserved })).json(201);
        assert_eq!(made["data"]["attributes"]["slug"], format!("{reserved}-2"));
    }
    assert_eq!(client.post(&format!("/api/v1/{o}/nowhere/targets"), &json!({ "name": "a" })).json(404), not_found());
    assert_eq!(client.get(&format!("/api/v1/{o}/nowhere/targets")).json(404), not_found());
}

#[test]
fn each_thing_takes_its_own_scope() {
    let stage = Stage::new();
    shop(&stage);
    let o = stage.acme;
    Cloud::admin(&stage).post(&format!("/api/v1/{o}/shop/targets"), &json!({ "name": "web" })).json(201);
    for (scope, method, path, body) in [
        (Permission::TargetRead, "GET", "targets", None),
        (Permission::TargetCreate, "POST", "targets", Some(json!({ "name": "a" }))),
        (Permission::TargetRead, "GET", "web", None),
        (Permission::TargetUpdate, "PATCH", "web", Some(json!({ "name": "b" }))),
        (Permission::TargetUpdate, "PUT", "web", Some(json!({ "name": "b" }))),
        (Permission::TargetDelete, "DELETE", "web", None),
    ] {
        let (path, body) = (format!("/api/v1/{o}/shop/{path}"), body.map(|body| body.to_string()));
        let others = PermissionSet::ALL.difference(scope.into());
        let refused = Cloud::new(stage.client(&stage.token(others, None))).send(method, &path, body.as_deref());
        assert_eq!(code(&refused, 403), "insufficient_permissions");
        let answer = Cloud::with(&stage, &[scope], None).send(method, &path, body.as_deref());
        assert!((200..300).contains(&answer.status), "{method} {path}: {}", answer.text);
    }
}
