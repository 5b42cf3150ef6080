//! A blob that another level has or had, as clients meet it.

use ioenv::vault::NewKey;
use serde_json::{Value, json};

use super::super::stage::Answer;
use super::world::{Holder, World, over};

const PRODUCTION: &str = "orbit-shop/api/production";
const PLANTED: &str = "TOKEN=planted-9a4f\n";

fn at(level: &str, body: &Value) -> Value {
    let names = ["project", "target", "environment"];
    let place = names.into_iter().zip(level.split('/')).map(|(name, slug)| (name.to_owned(), slug.into()));
    over(Value::Object(place.collect()), body)
}

fn sealed(world: &World, words: &[&str], level: &str) -> Value {
    let slugs: Vec<&str> = level.split('/').collect();
    let address = format!("{}/projects/{}", world.base.replace("v1/", "v1/organizations/"), slugs[0]);
    let address = match slugs[..] {
        [_, target, environment] => format!("{address}/targets/{target}/environments/{environment}/secrets"),
        [_, target] => format!("{address}/targets/{target}/secrets"),
        _ => format!("{address}/secrets"),
    };
    let names = ["project", "target", "environment"];
    let read = world.client(words, Some(level)).get(&address).json(200);
    read["data"]["attributes"]["levels"][names[slugs.len() - 1]]["content"].clone()
}

#[track_caller]
fn assert_replay(answer: &Answer, field: &str) {
    let body = answer.json(422);
    assert_eq!(body["error"], "validation_failed", "{body}");
    let message = body["message"].as_str().unwrap();
    assert!(message.contains("seal the content again") && message.ends_with('.'), "{message}");
    assert_eq!(body["errors"], json!({ field: [message] }));
}

#[test]
fn a_blob_of_production_is_not_decrypted_at_staging() {
    let world = World::new(NewKey::String(None));
    world.write(PRODUCTION, PLANTED);
    let old = sealed(&world, &["secret:read"], PRODUCTION);
    world.write(PRODUCTION, "TOKEN=now\n");
    let now = sealed(&world, &["secret:read"], PRODUCTION);
    for level in ["orbit-shop/api/staging", "orbit-shop/api", "orbit-shop"] {
        let client = world.client(&["secret:read", "secret:write", "secret:decrypt"], Some(level));
        for content in [&old, &now] {
            let body = at(level, &json!({ "content": content }));
            assert_replay(&client.post(&format!("{}/secrets/store", world.base), &body), "content");
        }
        assert!(!sealed(&world, &["secret:read"], level).as_str().unwrap().contains("planted"));
    }
    // Where it was, it is taken.
    let client = world.client(&["secret:write"], Some(PRODUCTION));
    client.post(&format!("{}/secrets/store", world.base), &at(PRODUCTION, &json!({ "content": old }))).json(200);
    assert_eq!(world.holder().open(&sealed(&world, &["secret:read"], PRODUCTION)), PLANTED);
}

#[test]
fn a_blob_that_its_people_sealed_is_bound_to_its_level() {
    let key = Holder::new("a key that only its people hold");
    let world = World::new(key.to_new_key());
    let (admin, base) = (world.admin(), &world.base);
    let store = |level: &str, content: &str| {
        let body = at(level, &json!({ "content": content, "key_proof": key.proof }));
        admin.post(&format!("{base}/secrets/store"), &body)
    };
    let content = key.seal(PLANTED);
    store(PRODUCTION, &content).json(200);
    assert_replay(&store("orbit-shop/api/staging", &content), "content");
    store(PRODUCTION, &content).json(200);
    store(PRODUCTION, &key.seal("TOKEN=2\n")).json(200);
    store("orbit-shop/api/staging", &key.seal("TOKEN=3\n")).json(200);

    // One blob for two levels, in one request.
    let next = Holder::new("the next key that only its people hold");
    let level_id = |level: &str| {
        let read = admin.get(&format!(
            "{}/projects/orbit-shop/targets/api/environments/{level}/secrets",
            base.replace("v1/", "v1/organizations/")
        ));
        read.json(200)["data"]["attributes"]["levels"]["environment"]["id"].clone()
    };
    let (one, two) = (next.seal(PLANTED), next.seal("TOKEN=3\n"));
    let rotate = |staging: &str| {
        let secrets = json!([
            { "id": level_id("production"), "content": one }, { "id": level_id("staging"), "content": staging },
        ]);
        let body = over(next.to_check(), &json!({ "secrets": secrets, "history_policy": "re_encrypt" }));
        admin.post(&format!("{base}/orbit-shop/secrets/rotate-client-keys"), &body)
    };
    assert_replay(&rotate(&one), "secrets");
    rotate(&two).json(200);
    let pending = admin.post(&format!("{base}/orbit-shop/secrets/re-encrypt-history/pending"), &json!({})).json(200);
    let ids: Vec<Value> = pending["data"].as_array().unwrap().iter().map(|version| version["id"].clone()).collect();
    let reencrypt = |content: &str| {
        let versions: Vec<Value> = ids.iter().map(|id| json!({ "id": id, "content": content })).collect();
        let body = json!({ "versions": versions, "key_proof": next.proof });
        admin.post(&format!("{base}/orbit-shop/secrets/re-encrypt-history"), &body)
    };
    assert_replay(&reencrypt(&next.seal("TOKEN=old\n")), "versions");
}

#[test]
fn overwriting_without_a_version_takes_the_right_to_purge() {
    let world = World::new(NewKey::String(None));
    let content = || world.holder().seal("TOKEN=noise\n");
    let store = |words: &[&str]| {
        let body = at(PRODUCTION, &json!({ "content": content(), "no_backup": true }));
        world.client(words, None).post(&format!("{}/secrets/store", world.base), &body)
    };
    store(&["secret:write"]).json(200);
    assert_eq!(store(&["secret:write"]).json(403)["error"], "insufficient_permissions");
    store(&["secret:write", "secret:purge"]).json(200);
}

#[test]
fn a_restore_by_somebody_who_may_not_read_keeps_secrets() {
    let world = World::new(NewKey::String(None));
    for text in ["# ioenv: variable\nTOKEN=planted-9a4f\n", PLANTED] {
        world.write(PRODUCTION, text);
    }
    let (admin, base) = (world.admin(), &world.base);
    let list = at(PRODUCTION, &json!({}));
    let versions = admin.post(&format!("{base}/secrets/versions"), &list).json(200);
    let version = versions["data"][0]["id"].as_str().unwrap();
    let restore = |words: &[&str]| {
        world.client(words, None).post(&format!("{base}/secrets/versions/{version}/restore"), &json!({})).json(200);
        world.holder().open(&sealed(&world, &["secret:read"], PRODUCTION))
    };
    assert_eq!(restore(&["secret:restore"]), PLANTED);
    assert_eq!(restore(&["secret:restore", "secret:read", "secret:decrypt"]), format!("# ioenv: variable\n{PLANTED}"));
}
