use serde_json::{Value, json};

use super::{AT, OWN, Scene};
use super::{START, words};

const URL: &str = "https://hooks.example.com/in";

#[test]
fn a_webhook_is_made_read_changed_and_deleted() {
    let scene = Scene::new();
    for (client, at) in scene.both() {
        let all = format!("{at}/webhooks");
        let made = client.post(&all, &json!({"url": URL, "description": "about"})).json(201);
        let id = made["id"].as_str().unwrap().to_owned();
        assert!(id.starts_with("whk_") && id.len() == 26);
        let secret = made["signing_secret"].as_str().unwrap().to_owned();
        assert!(secret.starts_with("whsec_") && secret.len() == 38);
        let (created, one) = (made["created_at"].clone(), format!("{all}/{id}"));
        let shown = json!({"id": id, "url": URL, "enabled": false, "created_at": created, "updated_at": created,
            "description": "about"});
        let mut with_secret = shown.clone();
        with_secret["signing_secret"] = json!(secret);
        assert_eq!(made, with_secret);
        assert_eq!(client.get(&one).json(200), shown);
        assert_eq!(client.get(&format!("{one}?include_secret=true")).json(200), with_secret);
        assert_eq!(client.get(&format!("{one}/signing-secret")).json(200), json!({"signing_secret": secret}));
        let rotated = client.send("POST", &format!("{one}/signing-secret"), None).json(200);
        assert_ne!(rotated["signing_secret"], secret);
        assert_eq!(client.get(&format!("{one}/signing-secret")).json(200), rotated);

        scene.stage.pass(1000);
        client.patch(&one, &json!({"url": "https://other.example.com", "description": null})).empty(204);
        let changed = client.get(&one).json(200);
        assert_eq!((&changed["url"], &changed["description"]), (&json!("https://other.example.com"), &Value::Null));
        assert_ne!(changed["updated_at"], changed["created_at"]);
        let status = |enabled| client.patch(&format!("{one}/status"), &json!({"enabled": enabled}));
        status(true).empty(204);
        assert_eq!(client.get(&one).json(200)["enabled"], true);
        status(true).refused(409, "conflict.webhook_already_enabled");
        status(false).empty(204);
        status(false).refused(409, "conflict.webhook_already_disabled");
        let empty = json!({"page": 1, "page_size": 10, "total_items": 0, "total_pages": 0, "next_page": null,
            "prev_page": null});
        assert_eq!(client.get(&format!("{one}/logs")).json(200), json!({"data": [], "pagination": empty}));
        client.delete(&one).empty(204);
        client.delete(&one).refused(404, "resource.webhook_not_found");
    }
}

#[test]
fn webhooks_are_listed_newest_first_or_as_it_is_wanted() {
    let scene = Scene::new();
    let (client, all) = (scene.own(), format!("{OWN}/webhooks"));
    assert_eq!(client.get(&all).json(200), json!([]));
    let urls = ["https://b.example.com", "https://c.example.com", "https://a.example.com"];
    let ids = urls.map(|url| {
        scene.stage.pass(1000);
        let made = client.post(&all, &json!({"url": url, "enabled": url.contains("c.")})).json(201);
        made["id"].as_str().unwrap().to_owned()
    });
    let listed = |query: &str| -> Vec<usize> {
        let body = client.get(&format!("{all}{query}")).json(200);
        body.as_array().unwrap().iter().map(|one| ids.iter().position(|id| one["id"] == *id).unwrap()).collect()
    };
    assert_eq!(listed(""), [2, 1, 0]);
    assert_eq!(listed("?order=asc"), [0, 1, 2]);
    assert_eq!(listed("?sort_by=url&order=asc"), [2, 0, 1]);
    assert_eq!(listed("?sort_by=enabled"), [1, 2, 0], "of the same, newest first");
    scene.stage.pass(1000);
    client.patch(&format!("{all}/{}", ids[0]), &json!({"description": "x"})).empty(204);
    assert_eq!(listed("?sort_by=updated_at"), [0, 2, 1]);
    let first = client.get(&all).json(200)[0].clone();
    assert_eq!(first, json!({"id": ids[2], "url": urls[2], "enabled": false}));
    let allowed = json!({"allowed_values": ["created_at", "updated_at", "url", "enabled"]});
    assert_eq!(client.get(&format!("{all}?sort_by=id")).refused(400, "validation.invalid_sort_by"), allowed);
    client.get(&format!("{all}?order=x")).refused(400, "validation.invalid_order");
}

#[test]
fn what_a_webhook_cannot_be_is_said() {
    let scene = Scene::new();
    let (client, all) = (scene.own(), format!("{OWN}/webhooks"));
    for url in ["ftp://hooks.example.com", "https://a b.example.com", "", &format!("{URL}/{}", "x".repeat(512))] {
        let details = client.post(&all, &json!({"url": url})).refused(400, "validation.invalid_webhook_url");
        assert_eq!(details, json!({"valid_url_example": URL}));
    }
    let long = json!({"url": URL, "description": "x".repeat(256)});
    let details = client.post(&all, &long).refused(400, "validation.webhook_description_too_long");
    assert_eq!(details, json!({"max_length": 255}));
    for body in [json!([]), json!({}), json!({"url": 1}), json!({"url": URL, "enabled": "yes"})] {
        client.post(&all, &body).refused(400, "validation.bad_request");
    }
    let made = client.post(&all, &json!({"url": URL})).json(201);
    let one = format!("{all}/{}", made["id"].as_str().unwrap());
    let details = client.patch(&one, &json!({})).refused(400, "validation.missing_properties_to_update");
    assert_eq!(details, json!({"possible_properties": ["url", "description"]}));
    client.patch(&one, &json!({"url": "x"})).refused(400, "validation.invalid_webhook_url");
    client.patch(&one, &long).refused(400, "validation.webhook_description_too_long");
    client.patch(&format!("{one}/status"), &json!({})).refused(400, "validation.bad_request");
    for bad in ["x", "whk_1", "whk_----------------------", "env_0000000000000000000000"] {
        let details = client.get(&format!("{all}/{bad}")).refused(400, "validation.invalid_webhook_id");
        assert_eq!(details, json!({"example_webhook_id": "whk_Aa1Bb2Cc3Dd4Ee5Ff6Gg7H"}));
    }
    for rest in ["", "/logs", "/signing-secret", "/logs/whlog_0000000000000000000000"] {
        for unknown in ["whk_0000000000000000000000", "whk_zzzzzzzzzzzzzzzzzzzzzz"] {
            client.get(&format!("{all}/{unknown}{rest}")).refused(404, "resource.webhook_not_found");
            for rest in ["", "/status"] {
                let answer = client.patch(&format!("{all}/{unknown}{rest}"), &json!([]));
                answer.refused(404, "resource.webhook_not_found");
            }
        }
    }
    let details = client.get(&format!("{one}/logs/x")).refused(400, "validation.invalid_webhook_log_id");
    assert_eq!(details, json!({"example_webhook_log_id": "whlog_Aa1Bb2Cc3Dd4Ee5Ff6Gg7H"}));
    for unknown in ["whlog_0000000000000000000000", "whlog_zzzzzzzzzzzzzzzzzzzzzz"] {
        client.get(&format!("{one}/logs/{unknown}")).refused(404, "resource.webhook_log_not_found");
    }
    client.get(&format!("{one}/logs?page=0")).refused(400, "validation.invalid_page");
    client.get(&format!("{one}/logs?page_size=31")).refused(400, "validation.invalid_page_size");
    // That of one environment is none of another.
    let workspace = scene.workspace();
    workspace.post("/v1/projects/billing/environments", &json!({"name": "other"})).json(201);
    let other = one.replace(OWN, "/v1/projects/billing/environments/other");
    workspace.get(&other).refused(404, "resource.webhook_not_found");
    workspace.get(&one.replace(OWN, AT)).json(200);
}

/// What is told of deliveries, which takes something that delivers.
#[test]
fn deliveries_are_told() {
    let scene = Scene::new();
    let (client, all) = (scene.own(), format!("{OWN}/webhooks"));
    // Nothing listens there.
    let url = "http://127.0.0.1:9/in";
    let made = client.post(&all, &json!({"url": url, "enabled": true})).json(201);
    let one = format!("{all}/{}", made["id"].as_str().unwrap());
    assert_eq!(
        client.send("POST", &format!("{one}/test"), None).json(200),
        json!({"url": url, "status": null, "error": "ECONNREFUSED", "response_body": null})
    );
    let (secrets, worker) = (format!("{OWN}/secrets"), ioenv::worker::Worker::new(&scene.stage.vault));
    let body = json!([{"name": "AA", "value": "1"}, {"name": "BB", "value": "2"}]);
    client.post(&secrets, &body).json(201);
    assert_eq!(worker.run_once().unwrap(), 1, "one event for each request");
    client.post(&secrets, &body).json(201);
    client.put(&secrets, &body).json(200);
    assert_eq!(worker.run_once().unwrap(), 0, "nothing has changed");
    let logs = client.get(&format!("{one}/logs")).json(200);
    assert_eq!(logs["pagination"]["total_items"], 1);
    let log = &logs["data"][0];
    let id = log["id"].as_str().unwrap();
    assert!(id.starts_with("whlog_") && id.len() == 28);
    let expected = json!({"id": id, "status": null, "processed_at": START, "attempt": 1, "error": "ECONNREFUSED"});
    assert_eq!(*log, expected);
    let mut whole = expected;
    whole["response_body"] = json!(null);
    assert_eq!(client.get(&format!("{one}/logs/{id}")).json(200), whole);
    let reader = scene.stage.client(&scene.account_key(words(["webhooks.read"])));
    let details = reader.send("POST", &format!("{one}/test"), None).refused(403, "access.missing_permission");
    assert_eq!(details, json!({"required_permissions": ["webhooks.test"]}));
}
