//! Whole exchanges, to the byte.

use serde_json::json;

use super::super::stage::SECOND;
use super::{Scene, error};

#[test]
fn from_the_list_of_environments_to_the_audit_log() {
    let scene = Scene::new();
    let client = scene.client("admin");
    let ids = ["_base", "dev", "staging", "prod"].map(|name| scene.env_id(name));
    assert!(ids.iter().all(|id| id.len() == 26 && id.starts_with("env_")), "{ids:?}");
    assert_eq!(ids[0][4..], scene.project.id.to_prefixed("proj")[5..], "`_base` is the project's own level");
    let answer = client.get(&scene.at("environments"));
    assert_eq!(
        answer.text,
        format!(
            r#"{{"environments":[{{"id":"{}","name":"_base"}},{{"id":"{}","name":"dev"}},{{"id":"{}","name":"staging"}},{{"id":"{}","name":"prod"}}]}}"#,
            ids[0], ids[1], ids[2], ids[3]
        )
    );

    for (name, key, body) in [
        ("_base", "LEVEL", json!({ "value": "info", "isSecret": false })),
        ("_base", "MAIL_PASS", json!({ "value": "mail-base", "isSecret": true })),
        ("dev", "LEVEL", json!({ "value": "trace", "isSecret": false })),
        ("dev", "TOPIC", json!({ "value": "two words", "isSecret": false })),
    ] {
        client.put(&scene.variable(name, key), &body).json(200);
        scene.stage.pass(SECOND);
    }

    let answer = client.get(&scene.variables("dev"));
    answer.json(200);
    assert_eq!(
        answer.text,
        concat!(
            r#"{"variables":["#,
            r#"{"key":"LEVEL","value":"trace","isSecret":false,"updatedAt":"2031-02-03T04:05:08Z","inherited":false},"#,
            r#"{"key":"MAIL_PASS","value":"mail-base","isSecret":true,"updatedAt":"2031-02-03T04:05:07Z","inherited":true},"#,
            r#"{"key":"TOPIC","value":"two words","isSecret":false,"updatedAt":"2031-02-03T04:05:09Z","inherited":false}"#,
            r#"]}"#
        )
    );

    let answer = client.get(&format!("{}/export", scene.variables("dev")));
    assert_eq!((answer.status, answer.header("content-type")), (200, Some("text/plain; charset=utf-8")));
    assert_eq!(answer.text, "LEVEL=trace\nMAIL_PASS=mail-base\nTOPIC='two words'\n");

    let at = scene.variable("dev", "MAIL_PASS");
    let answer = client.put(&at, &json!({ "value": "mail-dev", "isSecret": true }));
    answer.json(200);
    assert_eq!(answer.text, r#"{"variable":{"key":"MAIL_PASS","isSecret":true,"updatedAt":"2031-02-03T04:05:10Z"}}"#);
    client.delete(&at).empty(204);
    assert_eq!(client.delete(&at).json(404), error("NOT_FOUND", "No such variable in this environment."));
    assert!(client.get(&scene.variables("dev")).text.contains(r#""value":"mail-base""#));

    let reader = scene.client("read");
    assert_eq!(
        reader.put(&at, &json!({ "value": "x", "isSecret": true })).json(403),
        error("FORBIDDEN", "This token lacks the write permission.")
    );
    assert_eq!(
        client.put(&at, &json!({ "value": 7, "isSecret": false })).json(422),
        error("VALIDATION_ERROR", "value must be a string.")
    );
    assert_eq!(
        scene.stage.stranger().get(&scene.variables("dev")).json(401),
        error("UNAUTHORIZED", "A valid API token is required.")
    );

    let records = client.get(&scene.at("audit?key=MAIL_PASS&limit=2")).json(200)["records"].clone();
    let told: Vec<_> = records
        .as_array()
        .unwrap()
        .iter()
        .rev()
        .map(|one| json!([one["action"], one["resource"]["type"], one["resource"]["key"], one["details"]]))
        .collect();
    assert_eq!(
        told,
        [
            json!(["create", "secret", "MAIL_PASS", { "changed": ["value"] }]),
            json!(["delete", "secret", "MAIL_PASS", { "changed": ["value"] }]),
        ]
    );
}
