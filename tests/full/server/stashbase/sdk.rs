//! The calls of the service's SDK, as it sends them.

use serde_json::{Value, json};

use super::super::stage::{Client, Stage};
use super::{AT, OWN, Scene};

/// Plays the calls that are the same for an environment and for its key, and leaves the environment empty.
fn play(client: &Client, at: &str) {
    let secrets = format!("{at}/secrets");
    let send = |method: &str, path: &str, body: Option<Value>| {
        let body = body.map(|body| body.to_string());
        // It names a content type on requests without a body, too.
        let client =
            if body.is_none() { client.clone().with("content-type", "application/json") } else { client.clone() };
        client.send(method, path, body.as_deref())
    };
    let body =
        json!([{"name": "NAME", "value": "value"}, {"name": "SECRET_1", "value": "${NAME}", "comment": "about"}]);
    assert_eq!(send("POST", &secrets, Some(body)).json(201)["created_count"], 2);
    send("GET", &format!("{secrets}?include_value=true&omit=comment"), None).json(200);
    send("GET", &format!("{secrets}?include_value=true&expand_refs=true&only=NAME%2CSECRET_1"), None).json(200);
    let rest = send("GET", &format!("{secrets}?include_value=true&exclude=NAME%2CSECRET_2"), None).json(200);
    assert_eq!(rest.as_array().unwrap().len(), 1);
    send("GET", &format!("{secrets}/NAME?expand_refs=true&omit=comment"), None).json(200);
    send("GET", &format!("{secrets}/NAME/metadata"), None).json(200);
    send("GET", &format!("{secrets}/metadata"), None).json(200);
    // For an environment's own key it means the comment, and says description.
    for omit in ["description", "comment"] {
        let path = format!("{secrets}?omit={omit}&include_environment=name%2Cis_production&expand_refs=true");
        let loaded = send("GET", &path, None).json(200);
        assert_eq!(loaded["environment"], json!({"name": "api-dev", "is_production": false}));
        assert_eq!(loaded["secrets"][1]["value"], "value");
    }
    let body = json!([{"name": "NAME", "value": "other"}, {"name": "SECRET_2", "value": "2", "comment": null}]);
    assert_eq!(send("PUT", &secrets, Some(body)).json(200), json!({"created_count": 1, "updated_count": 1}));
    let body = json!([{"name": "SECRET_2", "new_name": "SECRET_3", "value": "3", "comment": "c"}]);
    assert_eq!(send("PATCH", &secrets, Some(body)).json(200), json!({"updated_count": 1, "not_found_secrets": []}));
    let deleted = send("POST", &format!("{secrets}/delete"), Some(json!(["SECRET_3", "SECRET_9"]))).json(200);
    assert_eq!(deleted, json!({"deleted_count": 1, "not_found_secrets": ["SECRET_9"]}));
    let all = if at == OWN { ("POST", "/delete/all") } else { ("DELETE", "/all") };
    assert_eq!(send(all.0, &format!("{secrets}{}", all.1), None).json(200), json!({"deleted_count": 2}));

    let webhooks = format!("{at}/webhooks");
    let body = json!({"url": "https://hooks.example.com/in", "enabled": true, "description": "about"});
    let made = send("POST", &webhooks, Some(body)).json(201);
    let one = format!("{webhooks}/{}", made["id"].as_str().unwrap());
    send("GET", &format!("{webhooks}?sort_by=created_at&order=desc"), None).json(200);
    send("GET", &format!("{one}?include_secret=true"), None).json(200);
    send("PATCH", &one, Some(json!({"description": "new"}))).empty(204);
    send("PATCH", &format!("{one}/status"), Some(json!({"enabled": false}))).empty(204);
    send("PATCH", &format!("{one}/status"), Some(json!({"enabled": false})))
        .refused(409, "conflict.webhook_already_disabled");
    send("PATCH", &format!("{one}/status"), Some(json!({"enabled": true}))).empty(204);
    send("GET", &format!("{one}/signing-secret"), None).json(200);
    send("POST", &format!("{one}/signing-secret"), None).json(200);
    send("GET", &format!("{one}/logs?page=1&page_size=10"), None).json(200);
    send("DELETE", &one, None).empty(204);
}

#[test]
fn an_environment_is_worked_with() {
    for stage in Stage::on_every_store() {
        let scene = Scene::on(stage);
        let client = scene.own();
        client.clone().with("content-type", "application/json").get("/v1/whoami").json(200);
        let environment = client.get(OWN).json(200);
        assert!(environment["name"].is_string() && environment["project"]["id"].is_string());
        play(&client, OWN);
    }
}

#[test]
fn a_workspace_is_worked_with() {
    for stage in Stage::on_every_store() {
        work_with_a_workspace(&Scene::on(stage));
    }
}

fn work_with_a_workspace(scene: &Scene) {
    let client = scene.workspace().with("user-agent", "stashbase/node-sdk/0.1.0");
    client.get("/v1/whoami").json(200);
    client.get("/v1/projects?page=1&page_size=10&sort_by=name&order=asc&search=bill").json(200);
    let project = client.get("/v1/projects/billing").json(200);
    assert!(["name", "created_at", "description"].iter().all(|key| project[key].is_string()));
    client.post("/v1/projects", &json!({"name": "sdk-project", "description": "d"})).json(201);
    client.post("/v1/projects", &json!({"name": "sdk-project"})).refused(409, "conflict.project_already_exists");
    client.patch("/v1/projects/sdk-project", &json!({"name": "sdk-renamed"})).empty(204);
    let all = "/v1/projects/sdk-renamed/environments";
    client.post(all, &json!({"name": "dev", "is_production": false, "description": "d"})).json(201);
    assert!(client.get(&format!("{all}?sort_by=name&order=asc&search=de")).json(200).is_array());
    client.get(&format!("{all}/dev")).json(200);
    client.patch(&format!("{all}/dev"), &json!({"name": "dev2", "is_production": true})).empty(204);
    client
        .get(&format!("{all}/missing/secrets?omit=comment&include_environment=name%2Cis_production"))
        .refused(404, "resource.environment_not_found");
    client.get("/v1/projects/billing/secrets/search?name=NAME&include_value=true").json(200);
    client.get("/v1/projects/billing/secrets/search?value=some").json(200);
    play(&client, AT);
    client.clone().with("content-type", "application/json").delete(&format!("{all}/dev2")).empty(204);
    client.delete("/v1/projects/sdk-renamed").empty(204);
}
