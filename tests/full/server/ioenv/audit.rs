use ioenv::vault::{AuditFilter, OrganizationUpdate, Paging, Permission, PermissionSet, Tier};
use serde_json::{Value, json};

use super::super::stage::{DAY, SECOND};
use super::{Scene, refused};

fn actions(body: &Value) -> Vec<String> {
    let records = body["records"].as_array().unwrap().iter();
    records
        .map(|one| format!("{} {}", one["action"].as_str().unwrap(), one["resource"]["type"].as_str().unwrap()))
        .collect()
}

#[test]
fn a_record_has_who_where_when_and_what() {
    let scene = Scene::new();
    let client = scene.client("admin");
    client.put(&scene.variable("dev", "LEVEL"), &json!({ "value": "info", "isSecret": false })).json(200);
    scene.stage.pass(SECOND);
    client.put(&scene.variable("dev", "LEVEL"), &json!({ "value": "debug", "isSecret": false })).json(200);
    let body = client.get(&scene.at("audit?limit=1&key=LEVEL")).json(200);
    let token = scene.stage.system().tokens(scene.stage.acme).unwrap()[0].id;
    let id = body["records"][0]["id"].as_str().unwrap().to_owned();
    assert!(id.len() == 26 && id.starts_with("aud_"), "{id}");
    let record = json!({
        "id": id,
        "timestamp": "2031-02-03T04:05:07.789Z",
        "actor": { "type": "token", "id": token.to_prefixed("tok"), "name": "worker" },
        "ip": "127.0.0.1",
        "action": "update",
        "resource": {
            "type": "variable",
            "orgId": scene.stage.acme.to_prefixed("org"),
            "projectId": scene.project.id.to_prefixed("proj"),
            "envId": scene.env_id("dev"),
            "key": "LEVEL",
        },
        "details": { "oldValue": "info", "newValue": "debug", "changed": ["value"] },
    });
    assert_eq!(body, json!({ "records": [record], "next": id }));
    let rest = client.get(&scene.at(&format!("audit?key=LEVEL&before={id}"))).json(200);
    assert_eq!((rest["records"].as_array().unwrap().len(), &rest["next"]), (1, &Value::Null));
    assert_eq!(rest["records"][0]["details"], json!({ "newValue": "info" }));
    // What was not asked over a connection comes from nowhere.
    let made = client.get(&scene.at("audit?action=create")).json(200);
    let made = made["records"].as_array().unwrap().last().unwrap().clone();
    assert_eq!(made["actor"], json!({ "type": "system", "id": null, "name": "test" }));
    assert_eq!((&made["ip"], &made["resource"]["type"]), (&Value::Null, &json!("project")));
}

#[test]
fn each_request_that_is_answered_leaves_one_record() {
    let scene = Scene::new();
    let client = scene.client("admin");
    let filter = AuditFilter::new();
    let count = || {
        let page = scene.stage.system().audit(scene.stage.acme, &filter, &Paging::new().limit(200)).unwrap();
        page.items.into_iter().filter(|record| record.actor.name.as_deref() == Some("worker")).collect::<Vec<_>>()
    };
    let variable = json!({ "value": "planted", "isSecret": true });
    let export = format!("{}/export", scene.variables("dev"));
    let at = scene.variable("dev", "K");
    let mut before = 0;
    let mut check = |what: &str, expected: Value| {
        let records = count();
        assert_eq!(records.len(), before + 1, "{what}");
        before += 1;
        let told = json!([records[0].action, records[0].resource.kind, records[0].details]);
        assert_eq!(told, expected, "{what}");
        assert!(!serde_json::to_string(&records).unwrap().contains("planted"));
    };
    client.put(&at, &variable).json(200);
    check("a new secret", json!(["create", "secret", { "changed": ["value"] }]));
    client.put(&at, &variable).json(200);
    check("nothing new", json!(["update", "secret", { "changed": [] }]));
    client.get(&scene.variables("dev")).json(200);
    check("a list", json!(["read", "environment", { "op": "list", "count": 1, "keys": ["K"] }]));
    assert_eq!(client.get(&export).status, 200);
    check("an export", json!(["read", "environment", { "op": "export", "count": 1, "keys": ["K"] }]));
    client.put(&at, &json!({ "value": "shown", "isSecret": false })).json(200);
    let kind = json!({ "from": "secret", "to": "variable" });
    check("another kind", json!(["update", "variable", { "kind": kind, "changed": ["kind", "value"] }]));
    client.delete(&at).empty(204);
    check("a deletion", json!(["delete", "variable", { "oldValue": "shown" }]));
    client.get(&scene.at("environments")).json(200);
    let names = json!(["_base", "dev", "staging", "prod"]);
    check("a list of environments", json!(["read", "environment", { "op": "list", "count": 4, "keys": names }]));
    // What was refused did not happen.
    client.delete(&at).json(404);
    client.send("PUT", &at, Some("{}")).json(422);
    client.get("/api/v1/env/env_0123456789abcdefghijkl/variables").json(404);
    scene.client("read").delete(&at).json(403);
    scene.stage.stranger().get(&export).json(401);
    assert_eq!(count().len(), before);
}

#[test]
fn a_variable_that_becomes_a_secret_is_taken_out_of_the_log() {
    let scene = Scene::new();
    let client = scene.client("admin");
    let at = scene.variable("dev", "K");
    client.put(&at, &json!({ "value": "planted", "isSecret": false })).json(200);
    client.put(&at, &json!({ "value": "planted", "isSecret": true })).json(200);
    let answer = client.get(&scene.at("audit?key=K"));
    assert!(!answer.text.contains("planted"));
    assert_eq!(answer.json(200)["records"][1]["details"], json!({ "newValue": { "redacted": true } }));
}

#[test]
fn permissions_of_tokens_are_in_these_words() {
    let scene = Scene::new();
    let client = scene.client("admin");
    let body = json!({ "name": "ci", "permissions": ["read", "write"] });
    let id = client.post(&scene.at("tokens"), &body).json(201)["token"]["id"].clone();
    let record = client.get(&scene.at("audit?action=create&limit=1")).json(200)["records"][0].clone();
    assert_eq!((&record["resource"]["type"], &record["resource"]["id"]), (&json!("token"), &id));
    assert_eq!(record["details"]["permissions"], json!(["read", "write"]));
    // What these words do not say is said as it is.
    let few = PermissionSet::of(&[Permission::SecretRead]);
    scene.stage.token(few, Some("shop"));
    let record = client.get(&scene.at("audit?action=create&limit=1")).json(200)["records"][0].clone();
    assert_eq!(record["details"]["permissions"], json!(["secret:read"]));
}

#[test]
fn pages_and_filters() {
    let scene = Scene::new();
    let client = scene.client("admin");
    for n in 0..60 {
        let body = json!({ "value": n.to_string(), "isSecret": false });
        client.put(&scene.variable("dev", "K"), &body).json(200);
    }
    let first = client.get(&scene.at("audit?action=update")).json(200);
    assert_eq!(first["records"].as_array().unwrap().len(), 50);
    let next = first["next"].as_str().unwrap();
    let second = client.get(&scene.at(&format!("audit?action=update&before={next}"))).json(200);
    assert_eq!((second["records"].as_array().unwrap().len(), &second["next"]), (9, &Value::Null));
    assert_eq!(second["records"][8]["details"]["newValue"], "1");
    assert_eq!(client.get(&scene.at("audit?limit=1000")).json(200)["next"], Value::Null);
    assert_eq!(actions(&client.get(&scene.at("audit?action=create&key=K")).json(200)), ["create variable"]);
    for bad in
        ["limit=0", "limit=x", "limit=", "limit=-1", "before=x", "before=aud_1", "action=Update", "action=", "key=A-B"]
    {
        refused(&client.get(&scene.at(&format!("audit?{bad}"))), 422, "VALIDATION_ERROR");
    }
}

#[test]
fn the_plan_says_how_far_back_it_goes() {
    let scene = Scene::new();
    let client = scene.client("admin");
    client.put(&scene.variable("dev", "K"), &json!({ "value": "1", "isSecret": false })).json(200);
    let free = OrganizationUpdate::new().tier(Tier::Free);
    scene.stage.system().update_organization(scene.stage.acme, &free).unwrap();
    let count = || client.get(&scene.at("audit?key=K")).json(200)["records"].as_array().unwrap().len();
    scene.stage.pass(7 * DAY);
    assert_eq!(count(), 1);
    scene.stage.pass(1);
    assert_eq!(count(), 0);
}
