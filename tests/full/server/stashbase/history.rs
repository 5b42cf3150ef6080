use serde_json::{Value, json};

use super::{AT, START, Scene, words};

#[test]
fn changes_are_told_and_undone() {
    let scene = Scene::new();
    let client = scene.workspace();
    let (secrets, log) = (format!("{AT}/secrets"), format!("{AT}/changelog"));
    client.post(&secrets, &json!([{"name": "AA", "value": "1"}, {"name": "BB", "value": "2"}])).json(201);
    scene.stage.pass(1000);
    let update = json!([{"name": "AA", "new_name": "CC"}, {"name": "BB", "value": "two"}]);
    client.patch(&secrets, &update).json(200);
    client.post(&format!("{secrets}/delete"), &json!(["BB"])).json(200);
    let body = client.get(&format!("{log}?with_values=true")).json(200);
    let ids: Vec<&str> = body["data"].as_array().unwrap().iter().map(|one| one["id"].as_str().unwrap()).collect();
    assert!(ids.iter().all(|id| id.starts_with("chng_") && id.len() == 27));
    let pagination = json!({"page": 1, "page_size": 5, "total_items": 3, "total_pages": 1, "next_page": null,
        "prev_page": null});
    let change = |id: &str, at: &str, new: Value, renamed: Value, updated: Value, deleted: Value| {
        json!({"id": id, "created_at": at, "user": {"name": "ci"},
            "change": {"new": new, "renamed": renamed, "updated": updated, "deleted": deleted}})
    };
    let later = "2031-02-03T04:05:07.789Z";
    let renamed = json!([{"old_name": "AA", "new_name": "CC", "value": "1"}]);
    let updated = json!([{"name": "BB", "old_value": "2", "new_value": "two"}]);
    let deleted = json!([{"old_name": "BB", "old_value": "two"}]);
    let new = json!([{"new_name": "AA", "new_value": "1"}, {"new_name": "BB", "new_value": "2"}]);
    let data = json!([
        change(ids[0], later, json!([]), json!([]), json!([]), deleted),
        change(ids[1], later, json!([]), renamed, updated, json!([])),
        change(ids[2], START, new, json!([]), json!([]), json!([])),
    ]);
    assert_eq!(body, json!({"data": data, "pagination": pagination}));
    assert_eq!(client.get(&format!("{log}/{}", ids[1])).json(200), data[1]);
    let names = client.get(&log).json(200);
    assert_eq!(names["data"][0]["change"]["deleted"], json!([{"old_name": "BB"}]));
    assert_eq!(names["data"][1]["change"]["renamed"], json!([{"old_name": "AA", "new_name": "CC"}]));

    let reverted = client.send("POST", &format!("{log}/{}/revert", ids[2]), None).json(201);
    let listed = client.get(&secrets).json(200);
    let first = json!([{"name": "AA", "value": "1", "comment": null}, {"name": "BB", "value": "2", "comment": null}]);
    assert_eq!(listed, first);
    let newest = client.get(&format!("{log}?limit=2&page=2")).json(200);
    assert_eq!(newest["pagination"]["total_items"], 4);
    assert_eq!(newest["data"][0]["id"], ids[1]);
    assert_eq!(client.get(&format!("{log}?limit=2")).json(200)["data"][0]["id"], reverted["id"]);
    let again = client.send("POST", &format!("{log}/{}/revert", ids[2]), None).json(200);
    assert_eq!(again, json!({}));

    client.get(&format!("{log}?limit=1")).refused(400, "validation.invalid_limit");
    client.get(&format!("{log}?limit=11")).refused(400, "validation.invalid_limit");
    client.get(&format!("{log}?page=x")).refused(400, "validation.invalid_page");
    let details = client.get(&format!("{log}?page=2")).refused(404, "resource.page_not_found");
    assert_eq!(details, json!({"pages_available": 1}));
    client.get(&format!("{log}/x")).refused(400, "validation.invalid_change_id");
    for unknown in ["chng_0000000000000000000000", "chng_zzzzzzzzzzzzzzzzzzzzzz", "chng_0000000001000000000000"] {
        client.get(&format!("{log}/{unknown}")).refused(404, "resource.change_not_found");
        client.post(&format!("{log}/{unknown}/revert"), &json!({})).refused(404, "resource.change_not_found");
    }
}

#[test]
fn there_may_be_no_change_and_a_key_of_the_environment_sees_none() {
    let scene = Scene::new();
    let body = scene.workspace().get(&format!("{AT}/changelog")).json(200);
    assert_eq!((&body["data"], &body["pagination"]["total_pages"]), (&json!([]), &json!(0)));
    let own = scene.stage.client(&scene.account_key(words(["secrets.read", "secrets.write"])));
    let details = own.get("/v1/environment/changelog").refused(403, "access.missing_permission");
    // A word that a service account can be given.
    assert_eq!(details, json!({"required_permissions": ["secret:history"]}));
}
