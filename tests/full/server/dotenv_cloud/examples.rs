//! The examples that the service's users know, letter by letter but for the organization and the token.

use serde_json::{Value, json};

use super::super::stage::{Client, Stage};
use super::shape::check;

/// Sends what `curl` would, with these headers and none besides.
fn curl(stage: &Stage, token: &str, method: &str, path: &str, headers: &[(&str, &str)], body: Option<&str>) -> Value {
    let client: Client = stage.stranger().with("authorization", &format!("Bearer {token}"));
    let client = headers.iter().fold(client, |client, (name, value)| client.with(name, value));
    let organization = stage.acme.to_string();
    let answer = client.send(method, &path.replace("01ARZ3NDEKTSV4RRFFQ69G5FAV", &organization), body);
    check(&answer);
    let expected = match method {
        "POST" => 201,
        "DELETE" => 204,
        _ => 200,
    };
    assert_eq!(answer.status, expected, "{method} {path}: {}", answer.text);
    if expected == 204 { Value::Null } else { answer.json(expected)["data"].clone() }
}

#[test]
fn every_example_works() {
    for stage in Stage::on_every_store() {
        run_every_example(&stage);
    }
}

fn run_every_example(stage: &Stage) {
    let token = stage.token(ioenv::vault::PermissionSet::ALL, None).expose_secret().to_owned();
    let accept = [("accept", "application/json")];
    let run = |method, path, body| {
        let headers = if method == "GET" { accept.as_slice() } else { &[] };
        curl(stage, &token, method, path, headers, body)
    };
    let list = "/api/v1/01ARZ3NDEKTSV4RRFFQ69G5FAV/projects";
    assert_eq!(run("GET", list, None), json!([]));
    let created = run(
        "POST",
        list,
        Some(
            r#"{
"name": "production",
"description": "Production application secrets",
"secret_format": "env",
"storage_mode": "server"
}"#,
        ),
    );
    assert_eq!(created["attributes"]["slug"], "production");
    assert_eq!(created["attributes"]["encryption_type"], "server");
    // The examples that follow have another project.
    run("POST", list, Some(r#"{ "name": "my-app" }"#));
    assert_eq!(run("GET", list, None).as_array().unwrap().len(), 2);

    let project = "/api/v1/01ARZ3NDEKTSV4RRFFQ69G5FAV/my-app";
    assert_eq!(run("GET", project, None)["attributes"]["name"], "my-app");
    let changed = run("PATCH", project, Some(r#"{ "description": "Updated description" }"#));
    assert_eq!(changed["attributes"]["description"], "Updated description");

    let targets = "/api/v1/01ARZ3NDEKTSV4RRFFQ69G5FAV/my-app/targets";
    assert_eq!(run("GET", targets, None), json!([]));
    let made = run("POST", targets, Some(r#"{ "name": "us-east", "description": "US East region deployment" }"#));
    assert_eq!(made["attributes"]["slug"], "us-east");
    let target = "/api/v1/01ARZ3NDEKTSV4RRFFQ69G5FAV/my-app/us-east";
    assert_eq!(run("GET", target, None), made);
    let changed = run("PATCH", target, Some(r#"{ "name": "US East", "slug": "us-east" }"#));
    assert_eq!(changed["attributes"]["name"], "US East");

    let environments = "/api/v1/01ARZ3NDEKTSV4RRFFQ69G5FAV/my-app/us-east/environments";
    assert_eq!(run("GET", environments, None), json!([]));
    let made = run(
        "POST",
        environments,
        Some(
            r#"{
"name": "production",
"status": "production",
"is_production": true
}"#,
        ),
    );
    let environment = "/api/v1/01ARZ3NDEKTSV4RRFFQ69G5FAV/my-app/us-east/production";
    assert_eq!(run("GET", environment, None), made);
    let changed = run("PATCH", environment, Some(r#"{ "is_production": true, "status": "production" }"#));
    assert_eq!(changed["attributes"]["is_production"], true);
    for gone in [environment, target, project] {
        run("DELETE", gone, None);
    }
}
