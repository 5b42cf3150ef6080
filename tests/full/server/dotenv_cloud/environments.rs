use ioenv::vault::{At, NewProject, NewTarget, Permission, PermissionSet};
use serde_json::json;

use super::super::stage::{SECOND, Stage, path};
use super::shape::{Cloud, code, invalid, not_found};

/// The ids of a project and of its target.
fn api(stage: &Stage) -> (String, String) {
    let project = stage.system().create_project(stage.acme, &NewProject::new("shop")).unwrap();
    let target = stage.system().create_target(At::Path(stage.acme, &path("shop")), &NewTarget::new("api")).unwrap();
    (project.id.to_string(), target.id.to_string())
}

#[test]
fn an_environment_is_made_read_changed_and_deleted() {
    let stage = Stage::new();
    let ((project, target), client, o) = (api(&stage), Cloud::admin(&stage), stage.acme);
    let all = format!("/api/v1/{o}/shop/api/environments");
    let made = client.post(&all, &json!({ "name": "Live", "status": "production", "is_production": true })).json(201);
    let id = &made["data"]["id"];
    let mut expected = json!({ "data": { "type": "environments", "id": id, "attributes": {
        "project_id": project, "target_id": target, "name": "Live", "slug": "live", "description": null,
        "status": "production", "is_production": true,
        "created_at": "2031-02-03T04:05:06Z", "updated_at": "2031-02-03T04:05:06Z",
    } } });
    assert_eq!(made, expected);
    assert_eq!(client.get(&format!("/api/v1/{o}/shop/api/live")).json(200), expected);
    for long in ["environments/live", "environments"] {
        let path = format!("/api/v1/organizations/{o}/projects/shop/targets/api/{long}");
        let answer = client.get(&path);
        let found = answer.json(200)["data"].clone();
        assert_eq!(if found.is_array() { found[0].clone() } else { found }, expected["data"]);
        assert_eq!(answer.header("deprecation"), Some("true"));
        for method in ["POST", "PUT", "PATCH", "DELETE"] {
            assert_eq!(code(&client.send(method, &path, Some("{}")), 405), "method_not_allowed");
        }
    }
    stage.pass(SECOND);
    let body = json!({ "name": "QA", "slug": "qa", "description": "for tests", "status": "Quality Gate", "is_production": false });
    let changed = client.patch(&format!("/api/v1/{o}/shop/api/live"), &body).json(200);
    let attributes = &mut expected["data"]["attributes"];
    for (name, value) in [
        ("name", json!("QA")),
        ("slug", json!("qa")),
        ("description", json!("for tests")),
        ("status", json!("quality-gate")),
        ("is_production", json!(false)),
        ("updated_at", json!("2031-02-03T04:05:07Z")),
    ] {
        attributes[name] = value;
    }
    assert_eq!(changed, expected);
    assert_eq!(client.put(&format!("/api/v1/{o}/shop/api/qa"), &json!({})).json(200), expected);
    assert_eq!(client.get(&format!("/api/v1/{o}/shop/api/live")).json(404), not_found());
    client.delete(&format!("/api/v1/{o}/shop/api/qa")).empty(204);
    assert_eq!(client.delete(&format!("/api/v1/{o}/shop/api/qa")).json(404), not_found());
    assert_eq!(client.get(&all).json(200)["data"], json!([]));
}

#[test]
fn an_environment_is_of_some_kind() {
    let stage = Stage::new();
    api(&stage);
    let (client, all) = (Cloud::admin(&stage), format!("/api/v1/{}/shop/api/environments", stage.acme));
    for (at, (given, status, is_production)) in [
        (json!({}), "development", false),
        (json!({ "status": "production" }), "production", true),
        (json!({ "status": "production", "is_production": false }), "production", false),
        (json!({ "status": "staging", "is_production": "1" }), "staging", true),
        (json!({ "status": "local", "is_production": 0 }), "local", false),
        (json!({ "status": " My Own ", "is_production": null }), "my-own", false),
    ]
    .into_iter()
    .enumerate()
    {
        let mut body = given.clone();
        body["name"] = json!(format!("e{at}"));
        let made = client.post(&all, &body).json(201)["data"]["attributes"].clone();
        assert_eq!((&made["status"], &made["is_production"]), (&json!(status), &json!(is_production)), "{given}");
    }
    let list = client.get(&format!("{all}?per_page=4&page=2")).json(200);
    assert_eq!((list["data"].as_array().unwrap().len(), &list["meta"]["total"]), (2, &json!(6)));
}

#[test]
fn what_is_wrong_is_told_by_the_field() {
    let stage = Stage::new();
    api(&stage);
    let (client, o) = (Cloud::admin(&stage), stage.acme);
    let (all, one) = (format!("/api/v1/{o}/shop/api/environments"), format!("/api/v1/{o}/shop/api/b"));
    for name in ["a", "b"] {
        client.post(&all, &json!({ "name": name })).json(201);
    }
    assert_eq!(client.post(&all, &json!({})).json(422), invalid(&[("name", "The name field is required.")]));
    for (field, value, message) in [
        ("name", json!(""), "The name field is required."),
        ("slug", json!("a"), "The slug has already been taken."),
        ("slug", json!("a.b"), "The slug field format is invalid."),
        ("slug", json!("environments"), "The slug is reserved."),
        ("slug", json!("secrets"), "The slug is reserved."),
        ("status", json!("?"), "The selected status is invalid."),
        ("status", json!(1), "The status field must be a string."),
        ("is_production", json!("yes"), "The is production field must be true or false."),
        ("description", json!(false), "The description field must be a string."),
    ] {
        assert_eq!(client.patch(&one, &json!({ field: value })).json(422), invalid(&[(field, message)]));
        let mut body = json!({ "name": "new" });
        body[field] = value;
        assert_eq!(client.post(&all, &body).json(422), invalid(&[(field, message)]));
    }
    for nowhere in ["nowhere/api", "shop/nowhere"] {
        let all = format!("/api/v1/{o}/{nowhere}/environments");
        assert_eq!(client.post(&all, &json!({ "name": "a" })).json(404), not_found());
        assert_eq!(client.get(&all).json(404), not_found());
    }
}

#[test]
fn each_thing_takes_its_own_scope() {
    let stage = Stage::new();
    api(&stage);
    let o = stage.acme;
    Cloud::admin(&stage).post(&format!("/api/v1/{o}/shop/api/environments"), &json!({ "name": "dev" })).json(201);
    for (scope, method, path, body) in [
        (Permission::EnvironmentRead, "GET", "environments", None),
        (Permission::EnvironmentCreate, "POST", "environments", Some(json!({ "name": "a" }))),
        (Permission::EnvironmentRead, "GET", "dev", None),
        (Permission::EnvironmentUpdate, "PATCH", "dev", Some(json!({ "name": "b" }))),
        (Permission::EnvironmentUpdate, "PUT", "dev", Some(json!({ "name": "b" }))),
        (Permission::EnvironmentDelete, "DELETE", "dev", None),
    ] {
        let (path, body) = (format!("/api/v1/{o}/shop/api/{path}"), body.map(|body| body.to_string()));
        let others = PermissionSet::ALL.difference(scope.into());
        let refused = Cloud::new(stage.client(&stage.token(others, None))).send(method, &path, body.as_deref());
        assert_eq!(code(&refused, 403), "insufficient_permissions");
        let answer = Cloud::with(&stage, &[scope], None).send(method, &path, body.as_deref());
        assert!((200..300).contains(&answer.status), "{method} {path}: {}", answer.text);
    }
}
