//! What levels held before.

use ioenv::vault::{At, NewKey, OrganizationUpdate, Paging};
use serde_json::{Value, json};

use super::super::stage::{Answer, Client, DAY, SECOND, path};
use super::shape::invalid;
use super::world::{Holder, World, over};

fn list(world: &World, client: &Client, body: &Value) -> Answer {
    client.post(&format!("{}/secrets/versions", world.base), &over(json!({ "project": "orbit-shop" }), body))
}

fn ids(answer: &Value) -> Vec<&str> {
    answer["data"].as_array().unwrap().iter().map(|version| version["id"].as_str().unwrap()).collect()
}

fn retain(world: &World, days: u32) {
    let update = OrganizationUpdate::new().version_retention_days(days);
    world.stage.system().update_organization(world.stage.acme, &update).unwrap();
}

#[test]
fn versions_come_in_pages_that_are_counted() {
    let world = World::new(NewKey::String(None));
    let client = world.client(&["secret:history"], None);
    let empty = list(&world, &client, &json!({})).json(200);
    assert_eq!(empty, json!({ "data": [], "meta": { "current_page": 1, "last_page": 1, "per_page": 25, "total": 0 } }));
    for number in 0..=7 {
        world.write("orbit-shop", &format!("A={number}\n"));
        world.stage.pass(SECOND);
    }
    world.write("orbit-shop/api", "B=1\n");
    let all = list(&world, &client, &json!({ "per_page": 100 })).json(200);
    let expected: Vec<String> = (1..=7_u64).rev().map(|number| ((1 << 32) + number).to_string()).collect();
    assert_eq!(ids(&all), expected, "newest first");
    let system = world.stage.system();
    let newest = system.version(world.stage.acme, (1 << 32) + 7).unwrap();
    assert_eq!(
        all["data"][0],
        json!({ "type": "secret-versions", "id": expected[0], "attributes": {
        "action": "update", "size_bytes": newest.content.to_string().len(), "is_client_encrypted": false,
        "encryption_key_version": "1", "key_version": "1", "created_at": "2031-02-03T04:05:13Z", "created_by": null,
        "metadata": { "level": "project", "source": "orbit-shop" }, "locked": false,
    } })
    );
    let mut paged = Vec::new();
    for page in 1..=3 {
        let answer = list(&world, &client, &json!({ "page": page, "per_page": 3 })).json(200);
        assert_eq!(answer["meta"], json!({ "current_page": page, "last_page": 3, "per_page": 3, "total": 7 }));
        paged.extend(ids(&answer).into_iter().map(str::to_owned));
    }
    assert_eq!(paged, expected);
    let beyond = list(&world, &client, &json!({ "page": 9, "per_page": 3 })).json(200);
    assert_eq!((ids(&beyond), &beyond["meta"]["total"]), (Vec::new(), &json!(7)));
    for (body, field) in [
        (json!({ "page": 0 }), "page"),
        (json!({ "per_page": 101 }), "per_page"),
        (json!({ "per_page": 0 }), "per_page"),
        (json!({ "page": "x" }), "page"),
    ] {
        let answer = list(&world, &client, &body).json(422);
        assert_eq!(answer["errors"].as_object().unwrap().keys().collect::<Vec<_>>(), [field]);
    }
    assert_eq!(
        client.send("POST", &format!("{}/secrets/versions", world.base), None).json(422)["message"],
        "The project field is required."
    );
    assert_eq!(list(&world, &client, &json!({ "target": "nothing" })).status, 404);
    assert_eq!(ids(&list(&world, &client, &json!({ "target": "api" })).json(200)), Vec::<&str>::new());
}

#[test]
fn whoever_wrote_is_a_number_and_a_name() {
    let world = World::new(NewKey::String(None));
    let (client, key) = (world.client(&["secret:write", "secret:history"], None), world.holder());
    for text in ["A=1\n", "A=2\n"] {
        let body = json!({ "project": "orbit-shop", "content": key.seal(text) });
        client.post(&format!("{}/secrets/store", world.base), &body).json(200);
    }
    let author = list(&world, &client, &json!({})).json(200)["data"][0]["attributes"]["created_by"].clone();
    assert_eq!(author["name"], "worker");
    assert!(author["id"].as_u64().unwrap() < 1 << 48, "exact in any JSON");
}

#[test]
fn a_version_is_read_and_restored() {
    let world = World::new(NewKey::String(None));
    let (client, key) = (world.admin(), world.holder());
    world.write("orbit-shop/api/production", "A=1\n");
    world.stage.pass(SECOND);
    world.write("orbit-shop/api/production", "A=2\n");
    let (id, base) = ((1_u64 << 32) + 1, &world.base);
    let mut found = client.get(&format!("{base}/secrets/versions/{id}")).json(200);
    assert_eq!(key.open(&found["data"]["content"].take()), "A=1\n");
    let listed = list(&world, &client, &json!({ "target": "api", "environment": "production" })).json(200);
    assert_eq!(found["data"]["attributes"].take(), listed["data"][0]["attributes"]);
    assert_eq!(listed["data"][0]["attributes"]["metadata"], json!({ "level": "environment", "source": "production" }));
    let described = key.to_check();
    assert_eq!(
        found,
        json!({ "data": { "type": "secret-versions", "id": id.to_string(), "attributes": null, "content": null, "key": {
        "version": "1", "managed": "server", "key_check_salt": described["key_check_salt"], "key_check_iterations": 600_000,
        "is_active": true, "created_at": "2031-02-03T04:05:06Z",
    } } })
    );

    let level =
        world.stage.system().blobs(At::Path(world.stage.acme, &path("orbit-shop/api/production"))).unwrap().levels[2]
            .id;
    let restore = format!("{base}/secrets/versions/{id}/restore");
    for body in [None, Some("{}"), Some("{\"content\":null}")] {
        let answer = client.send("POST", &restore, body).json(200);
        let data = json!({ "type": "secrets", "secret_id": level.to_string(), "restored_from": id.to_string() });
        assert_eq!(answer, json!({ "data": data, "message": "The version was restored." }));
    }
    let body = client.get(&format!("{base}/orbit-shop/api/production/secrets?decrypt=1&merge=true&raw=1")).json(200);
    assert_eq!(body, json!({ "A": "1" }));
    let actions = list(&world, &client, &json!({ "target": "api", "environment": "production" })).json(200);
    assert_eq!(actions["data"][0]["attributes"]["action"], "restore");

    // Also after the level was deleted, and after a rotation.
    client
        .post(
            &format!("{base}/secrets/delete"),
            &json!({ "project": "orbit-shop", "target": "api", "environment": "production" }),
        )
        .empty(204);
    client.send("POST", &format!("{base}/orbit-shop/encryption-key/rotate"), None).json(200);
    client.send("POST", &restore, None).json(200);
    let levels =
        client.get(&format!("{base}/orbit-shop/api/production/secrets")).json(200)["data"]["attributes"]["levels"]
            .clone();
    assert_eq!(levels["environment"]["key_version"], "2", "sealed with the key in use");
    assert_eq!(world.holder().open(&levels["environment"]["content"]), "A=1\n");

    for unknown in ["0", "1", "99999999999999999999", "x", "-1", "+1", "4294967297x"] {
        let address = format!("{base}/secrets/versions/{unknown}");
        assert_eq!(client.get(&address).json(404)["error"], "not_found", "{unknown}");
        assert_eq!(client.delete(&address).json(404)["error"], "not_found", "{unknown}");
        assert_eq!(
            client.send("POST", &format!("{address}/restore"), None).json(404)["error"],
            "not_found",
            "{unknown}"
        );
    }
    assert_eq!(world.client(&["secret:read"], None).get(&format!("{base}/secrets/versions/x")).status, 403);
    assert_eq!(client.post(&restore, &json!({ "content": "A=1\n" })).json(422)["errors"].as_object().unwrap().len(), 1);
}

#[test]
fn what_is_too_old_is_listed_but_locked() {
    let world = World::new(NewKey::String(None));
    let client = world.admin();
    world.write("orbit-shop", "A=1\n");
    world.stage.pass(SECOND);
    world.write("orbit-shop", "A=2\n");
    retain(&world, 30);
    world.stage.pass(31 * DAY);
    let listed = list(&world, &client, &json!({})).json(200)["data"][0].clone();
    assert_eq!(
        (&listed["attributes"]["locked"], &listed["attributes"]["locked_reason"]),
        (&json!(true), &json!("retention"))
    );
    let address = format!("{}/secrets/versions/{}", world.base, listed["id"].as_str().unwrap());
    let details = json!({ "retention_days": 30, "version_created_at": "2031-02-03T04:05:07Z" });
    for answer in [client.get(&address), client.send("POST", &format!("{address}/restore"), None)] {
        let answer = answer.json(403);
        assert_eq!((&answer["error"], &answer["details"]), (&json!("version_locked"), &details));
    }
    client.delete(&address).empty(204);
}

#[test]
fn the_last_version_of_a_deleted_level_is_removed_by_force() {
    let world = World::new(NewKey::String(None));
    let client = world.client(&["secret:write", "secret:purge"], None);
    let delete = |force: &str, body: Option<&str>| {
        world.write("orbit-shop", "A=1\n");
        client.post(&format!("{}/secrets/delete", world.base), &json!({ "project": "orbit-shop" })).empty(204);
        let versions = world
            .stage
            .system()
            .versions(At::Path(world.stage.acme, &path("orbit-shop")), &Paging::new().limit(1))
            .unwrap()
            .items;
        client.send("DELETE", &format!("{}/secrets/versions/{}{force}", world.base, versions[0].id), body)
    };
    for (force, body) in [("", None), ("?force=false", Some("{\"force\":false}")), ("?force=0", Some("{}"))] {
        assert_eq!(delete(force, body).json(422)["error"], "version_protected");
    }
    for other in ["maybe", "", "yes", "True", "2"] {
        for body in [None, Some("{\"force\":true}")] {
            let answer = delete(&format!("?force={other}"), body);
            assert_eq!(answer.json(422), invalid(&[("force", "The force field must be true or false.")]), "{other}");
        }
    }
    for (force, body) in
        [("?force=true", None), ("?force=1", Some("{\"force\":false}")), ("", Some("{\"force\":true}"))]
    {
        delete(force, body).empty(204);
    }
    assert_eq!(delete("", Some("{\"force\":\"x\"}")).json(422)["error"], "validation_failed");
}

#[test]
fn versions_are_purged_level_by_level_or_all_at_once() {
    let world = World::new(NewKey::String(None));
    let client = world.client(&["secret:purge"], None);
    for level in ["orbit-shop", "orbit-shop/api", "orbit-shop/api/production"] {
        for number in 0..3 {
            world.write(level, &format!("A={number}\n"));
        }
    }
    let purge = |body: Value| {
        client.post(&format!("{}/secrets/versions/purge", world.base), &over(json!({ "project": "orbit-shop" }), &body))
    };
    for body in [json!({}), json!({ "confirmed": false, "scope": "project" })] {
        let answer = purge(body).json(422);
        assert_eq!(
            (&answer["error"], &answer["errors"]["confirmed"][0]),
            (&json!("confirmation_required"), &json!("The confirmed field must be accepted."))
        );
    }
    assert_eq!(
        purge(json!({ "scope": "all", "confirmed": true })).json(422)["message"],
        "The selected scope is invalid."
    );
    let done = purge(json!({ "target": "api", "confirmed": true })).json(200);
    assert_eq!(done, json!({ "data": { "purged_count": 2 }, "message": "The versions were removed." }));
    assert_eq!(purge(json!({ "scope": "level", "confirmed": 1 })).json(200)["data"]["purged_count"], 2);
    assert_eq!(purge(json!({ "scope": "project", "confirmed": true })).json(200)["data"]["purged_count"], 2);
    assert_eq!(
        world.admin().get(&format!("{}/orbit-shop/secrets?decrypt=1&merge=true&raw=1", world.base)).json(200),
        json!({ "A": "2" })
    );
}

#[test]
fn a_version_under_a_former_key_of_people_comes_back_sealed_anew() {
    let old = Holder::new("tide-pool-ledger-41");
    let world = World::new(old.to_new_key());
    let client = world.admin();
    let base = &world.base;
    let store = |text: &str, holder: &Holder| {
        let body = json!({ "project": "orbit-shop", "content": holder.seal(text), "key_proof": holder.proof });
        client.post(&format!("{base}/secrets/store"), &body).json(200);
    };
    store("A=1\n", &old);
    store("A=2\n", &old);
    let restore = format!("{base}/secrets/versions/{}/restore", (1_u64 << 32) + 1);
    // Under the key in use nothing is needed.
    client.send("POST", &restore, None).json(200);

    // Its proof lets one write: whoever may have the key has that, too.
    let current = client.get(&restore.replace("/restore", "")).json(200)["data"]["key"].clone();
    assert_eq!((&current["version"], &current["is_active"]), (&json!("1"), &json!(true)));
    assert_eq!(current.get("key_check"), None);

    let new = Holder::new("a-key-that-is-newer");
    let id =
        client.get(&format!("{base}/orbit-shop/secrets")).json(200)["data"]["attributes"]["levels"]["project"]["id"]
            .clone();
    let rotation = over(new.to_check(), &json!({ "secrets": [{ "id": id, "content": new.seal("A=1\n") }] }));
    client.post(&format!("{base}/orbit-shop/secrets/rotate-client-keys"), &rotation).json(200);

    let entry = client.get(&restore.replace("/restore", "")).json(200)["data"].clone();
    assert_eq!(old.open(&entry["content"]), "A=1\n");
    assert_eq!(entry["attributes"]["is_client_encrypted"], true);
    assert_eq!(
        (&entry["key"]["version"], &entry["key"]["is_active"], &entry["key"]["key_check"]),
        (&json!("1"), &json!(false), &json!(old.proof))
    );

    assert_eq!(client.send("POST", &restore, None).json(422)["error"], "content_required_for_old_key");
    let content = new.seal("A=1\n");
    let send = |proof: Value| client.post(&restore, &json!({ "content": content, "key_proof": proof }));
    assert_eq!(send(Value::Null).json(422)["error"], "key_proof_required");
    assert_eq!(send(json!(old.proof)).json(422)["error"], "key_proof_mismatch");
    assert_eq!(send(json!(new.proof)).status, 200);
    let now = client.get(&format!("{base}/orbit-shop/secrets")).json(200)["data"]["attributes"]["levels"]["project"]["content"].clone();
    assert_eq!(now, content);
}
