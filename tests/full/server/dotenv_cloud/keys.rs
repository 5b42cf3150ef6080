//! The keys that blobs are sealed with, and those who hold them.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use ioenv::vault::{At, HistoryPolicy, NewKey, Paging};
use ioenv::{Aes256Gcm, Cipher as _, KeyDerivation as _, KeyString, LevelKey, LevelPath, Pbkdf2, SystemRandom};
use serde_json::{Value, json};

use super::super::stage::{Client, Stage, path, slug};
use super::world::{Holder, World, inner, over};

fn key(world: &World) -> String {
    format!("{}/orbit-shop/encryption-key", world.base)
}

fn versions(world: &World, level: &str) -> Vec<u32> {
    let page =
        world.stage.system().versions(At::Path(world.stage.acme, &path(level)), &Paging::new().limit(200)).unwrap();
    page.items.iter().map(|version| version.key_version).collect()
}

#[test]
fn a_key_that_the_vault_holds_is_told_as_json_in_a_text() {
    let world = World::new(NewKey::String(None));
    let client = world.client(&["key:retrieve"], None);
    let mut answer = client.get(&key(&world)).json(200);
    let mut told = inner(&answer);
    assert!(answer["data"]["attributes"]["content"].take().is_string());
    assert_eq!(
        answer,
        json!({ "data": { "type": "encryption_keys", "id": "1", "attributes": { "format": "json", "encrypted": false, "content": null } } })
    );
    let text = told["key"].take();
    assert_eq!(text.as_str().unwrap().len(), 64);
    assert_eq!(told["key_check_salt"].take().as_str().unwrap().len(), 24);
    assert_eq!(
        told,
        json!({ "managed": "server", "key": null, "version": 1, "key_check_salt": null, "key_check_iterations": 600_000, "created_at": "2031-02-03T04:05:06Z" })
    );

    let history = client.get(&format!("{}/history", key(&world)));
    assert!(!history.text.contains(text.as_str().unwrap()));
    let check = world.holder().to_check();
    assert_eq!(
        history.json(200),
        json!({ "data": [{
        "version": "1", "managed": "server", "key_check_salt": check["key_check_salt"], "key_check_iterations": 600_000,
        "is_active": true, "created_at": "2031-02-03T04:05:06Z",
    }] })
    );
}

#[test]
fn of_a_key_that_people_hold_only_is_told_how_to_prove_it() {
    let holder = Holder::new("tide-pool-ledger-41");
    let world = World::new(holder.to_new_key());
    let client = world.client(&["key:retrieve"], None);
    let answer = client.get(&key(&world));
    assert!(!answer.text.contains(&holder.proof));
    let check = holder.to_check();
    assert_eq!(
        inner(&answer.json(200)),
        json!({
            "managed": "client", "version": 1, "key_check_salt": check["key_check_salt"], "key_check_iterations": 600_000,
            "created_at": "2031-02-03T04:05:06Z",
        })
    );
    assert_eq!(
        client.get(&format!("{}/history", key(&world))).json(200),
        json!({ "data": [{
        "version": "1", "managed": "client", "key_check_salt": check["key_check_salt"],
        "key_check_iterations": 600_000, "is_active": true, "created_at": "2031-02-03T04:05:06Z",
    }] })
    );
    // Of one that is not derived there is nothing to prove it by, in the words of the service.
    let random = NewKey::Client {
        derivation: None,
        proof: ioenv::dotenv_cloud::KeyProof::of(&LevelKey::generate(&SystemRandom).unwrap()).to_text(),
        hint: None,
    };
    let world = World::new(random);
    assert_eq!(
        inner(&world.admin().get(&key(&world)).json(200)),
        json!({ "managed": "client", "version": 1, "created_at": "2031-02-03T04:05:06Z" })
    );
}

#[test]
fn a_random_key_is_none_for_clients_until_it_was_rotated() {
    let world = World::new(NewKey::Random);
    let client = world.admin();
    world.write("orbit-shop", "A=1\n");
    assert_eq!(client.get(&key(&world)).json(404)["error"], "no_active_encryption_key");
    client.send("POST", &format!("{}/rotate", key(&world)), None).json(200);
    let level =
        client.get(&format!("{}/orbit-shop/secrets", world.base)).json(200)["data"]["attributes"]["levels"]["project"]
            .clone();
    assert_eq!(world.holder().open(&level["content"]), "A=1\n");
}

#[test]
fn a_key_that_the_vault_holds_is_rotated_with_what_is_sealed_with_it() {
    let world = World::new(NewKey::String(None));
    let client = world.client(&["key:rotate", "key:retrieve"], None);
    let before = world.holder();
    for text in ["A=1\n", "A=2\n"] {
        world.write("orbit-shop", text);
    }
    let rotate = format!("{}/rotate", key(&world));
    let mut answer = client.send("POST", &rotate, None).json(200);
    let after = world.holder();
    let text = answer["data"]["key"]["attributes"]["key"].take();
    assert_eq!(text, inner(&client.get(&key(&world)).json(200))["key"]);
    let check = after.to_check();
    assert_ne!(check["key_check_salt"], before.to_check()["key_check_salt"], "with a new salt");
    assert_eq!(
        answer,
        json!({ "data": { "key": { "type": "encryption-keys", "id": "2", "attributes": {
        "id": 2, "key": null, "version": "2", "is_active": true, "created_at": "2031-02-03T04:05:06Z", "managed": "server",
        "key_check_salt": check["key_check_salt"], "key_check_iterations": 600_000,
    } } }, "message": "The key was rotated." })
    );
    let blob = world.stage.system().blobs(At::Path(world.stage.acme, &path("orbit-shop"))).unwrap().levels[0]
        .content
        .clone()
        .unwrap();
    assert_eq!(after.open(&json!(blob.to_string())), "A=2\n");
    assert_eq!(versions(&world, "orbit-shop"), [1, 1], "versions are kept as they were");

    // To the end, in the one request.
    client.post(&rotate, &json!({ "history_policy": "re_encrypt" })).json(200);
    assert_eq!(versions(&world, "orbit-shop"), [3, 3, 3]);
    let history = client.get(&format!("{}/history", key(&world))).json(200);
    let told: Vec<(&Value, &Value, bool)> = history["data"]
        .as_array()
        .unwrap()
        .iter()
        .map(|key| (&key["version"], &key["is_active"], key.get("rotated_at").is_some()))
        .collect();
    assert_eq!(
        told,
        [(&json!("3"), &json!(true), false), (&json!("2"), &json!(false), true), (&json!("1"), &json!(false), true)]
    );

    assert_eq!(
        client.post(&rotate, &json!({ "history_policy": "x" })).json(422)["message"],
        "The selected history policy is invalid."
    );
    let held = World::new(Holder::new("tide-pool-ledger-41").to_new_key());
    assert_eq!(
        held.admin().send("POST", &format!("{}/rotate", key(&held)), None).json(400)["error"],
        "client_managed_encryption"
    );
}

#[test]
fn a_rotation_that_was_cut_short_is_taken_on_by_the_next_one() {
    let world = World::new(NewKey::String(None));
    for text in ["A=1\n", "A=2\n", "A=3\n"] {
        world.write("orbit-shop", text);
    }
    let (acme, shop) = (world.stage.acme, slug("orbit-shop"));
    // Begun elsewhere, and no step of it done.
    world.stage.system().rotate_key(At::Path(acme, &LevelPath::from(&shop)), HistoryPolicy::Reencrypt).unwrap();
    let answer = world.admin().send("POST", &format!("{}/rotate", key(&world)), None).json(200);
    assert_eq!(answer["data"]["key"]["attributes"]["version"], "3");
    assert_eq!(
        versions(&world, "orbit-shop"),
        [2, 2, 2, 2],
        "those before were moved on by the first, and the second keeps them"
    );
    assert!(!world.stage.system().project(At::Path(acme, &LevelPath::from(&shop))).unwrap().is_rotating);
}

#[test]
fn few_rotations_are_taken_in_an_hour() {
    let world = World::limited(NewKey::String(None));
    let client = world.client(&["key:rotate"], None);
    // Refused for its body, and counted: each of them would cost the stretching of a key.
    let rotate = |client: &Client| client.post(&format!("{}/rotate", key(&world)), &json!({ "history_policy": "x" }));
    for left in (0..10).rev() {
        let answer = rotate(&client);
        assert_eq!(
            (answer.status, answer.header("x-ratelimit-limit"), answer.header("x-ratelimit-remaining")),
            (422, Some("10"), Some(left.to_string().as_str()))
        );
    }
    let answer = rotate(&world.client(&["key:rotate"], None));
    assert_eq!(answer.json(429)["error"], "rate_limited", "whoever of the organization it is");
    assert!(answer.header("retry-after").unwrap().parse::<u64>().unwrap() > 3500);
    // Everything else has its own limit.
    let answer = world.client(&["key:retrieve"], None).get(&key(&world));
    assert_eq!((answer.status, answer.header("x-ratelimit-limit")), (200, Some("100")));
}

/// A project in whose levels something is sealed, and versions of it.
fn held() -> (World, Holder) {
    let holder = Holder::new("tide-pool-ledger-41");
    let world = World::new(holder.to_new_key());
    for (level, text) in [("orbit-shop", "A=1\n"), ("orbit-shop", "A=2\n"), ("orbit-shop/api/production", "B=1\n")] {
        push(&world, &world.admin(), level, text, &holder);
    }
    (world, holder)
}

fn push(world: &World, client: &Client, level: &str, text: &str, holder: &Holder) {
    let mut body = json!({ "content": holder.seal(text), "key_proof": holder.proof });
    for (name, slug) in ["project", "target", "environment"].into_iter().zip(level.split('/')) {
        body[name] = json!(slug);
    }
    client.post(&format!("{}/secrets/store", world.base), &body).json(200);
}

/// What all levels hold, sealed anew.
fn sealed_anew(world: &World, client: &Client, old: &Holder, new: &Holder) -> Vec<Value> {
    let levels = client.get(&format!("{}/orbit-shop/api/production/secrets", world.base)).json(200)["data"]["attributes"]["levels"].clone();
    let held = levels.as_object().unwrap().values().filter(|level| level["content"] != "");
    held.map(|level| json!({ "id": level["id"], "content": new.seal(&old.open(&level["content"])) })).collect()
}

#[test]
fn people_rotate_their_key_with_all_that_is_sealed_with_it() {
    let (world, old) = held();
    let client = world.client(&["secret:read", "secret:write", "key:rotate"], None);
    let new = Holder::new("a-key-that-is-newer");
    let secrets = sealed_anew(&world, &client, &old, &new);
    assert_eq!(secrets.len(), 2);
    let rotate = |body: &Value| client.post(&format!("{}/orbit-shop/secrets/rotate-client-keys", world.base), body);
    let whole = over(new.to_check(), &json!({ "secrets": secrets }));

    let with = |secrets: Vec<Value>| over(whole.clone(), &json!({ "secrets": secrets }));
    let id = |id: Value| over(secrets[1].clone(), &json!({ "id": id }));
    let target = client.get(&format!("{}/orbit-shop/api/secrets", world.base)).json(200)["data"]["attributes"]["levels"]["target"]["id"].clone();
    for wrong in [
        vec![],
        vec![secrets[0].clone()],
        vec![secrets[0].clone(), secrets[0].clone()],
        vec![secrets[0].clone(), secrets[1].clone(), secrets[1].clone()],
        vec![secrets[0].clone(), id(json!("42"))],
        vec![secrets[0].clone(), id(json!("01JZ8Q4W7KX3M5N9P2R6T0V1YB"))],
        // A level that holds nothing.
        vec![secrets[0].clone(), secrets[1].clone(), id(target)],
    ] {
        assert_eq!(rotate(&with(wrong)).json(400)["error"], "invalid_key_rotation");
    }
    let fields =
        |body: &Value| rotate(body).json(422)["errors"].as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    assert_eq!(fields(&json!({})), ["key_check", "key_check_iterations", "key_check_salt", "secrets"]);
    assert_eq!(fields(&with(vec![secrets[0].clone(), id(json!(42))])), ["secrets.1.id"]);
    assert_eq!(
        fields(&with(vec![json!({ "id": secrets[0]["id"], "content": "A=1" }), json!(1)])),
        ["secrets.0.content", "secrets.1.content", "secrets.1.id"]
    );
    for (name, value) in [
        ("key_check", json!("AAAA")),
        ("key_check", json!(old.proof.trim_end_matches('='))),
        ("key_check_salt", json!("AAAA")),
        ("key_check_salt", json!("!")),
        ("key_check_iterations", json!(599_999)),
        ("history_policy", json!("all")),
    ] {
        assert_eq!(fields(&over(whole.clone(), &json!({ name: value }))), [name]);
    }
    let wrong = over(whole.clone(), &json!({ "current_key_proof": new.proof }));
    assert_eq!(rotate(&wrong).json(422)["error"], "key_proof_mismatch");
    assert_eq!(versions(&world, "orbit-shop"), [1], "nothing was stored");

    let right = over(whole, &json!({ "current_key_proof": old.proof, "history_policy": "keep" }));
    assert_eq!(
        rotate(&right).json(200),
        json!({ "success": true, "message": "The key was rotated.", "data": { "count": 2 } })
    );
    assert_eq!(versions(&world, "orbit-shop"), [1, 1]);
    let descriptor = world.admin().get(&key(&world)).json(200);
    assert_eq!(inner(&descriptor)["version"], 2);
    assert_eq!(Holder::of_descriptor(&descriptor, Some("a-key-that-is-newer")).proof, new.proof);

    // Without any level there is nothing to cover; what the vault holds is not rotated so.
    let empty = World::new(old.to_new_key());
    let body = over(new.to_check(), &json!({ "secrets": [] }));
    let rotate =
        |world: &World| world.admin().post(&format!("{}/orbit-shop/secrets/rotate-client-keys", world.base), &body);
    assert_eq!(rotate(&empty).json(200)["data"]["count"], 0);
    assert_eq!(rotate(&World::new(NewKey::String(None))).json(400)["error"], "invalid_key_rotation");
}

#[test]
fn the_proof_of_the_key_in_use_is_in_no_answer() {
    let (world, first) = held();
    let client = world.admin();
    let second = Holder::new("a-key-that-is-newer");
    let rotate = |from: &Holder, to: &Holder| {
        let body = over(to.to_check(), &json!({ "secrets": sealed_anew(&world, &client, from, to) }));
        client.post(&format!("{}/orbit-shop/secrets/rotate-client-keys", world.base), &body).json(200);
    };
    let version = format!("{}/secrets/versions/{}", world.base, (1_u64 << 32) + 1);
    let checks = || {
        let history = client.get(&format!("{}/history", key(&world))).json(200);
        let entries = history["data"].as_array().unwrap();
        entries.iter().map(|entry| entry.get("key_check").cloned()).collect::<Vec<_>>()
    };
    let answers = || {
        let place = json!({ "project": "orbit-shop" });
        [
            client.get(&key(&world)).text,
            client.get(&format!("{}/history", key(&world))).text,
            client.get(&format!("{}/orbit-shop", world.base)).text,
            client.get(&format!("{}/orbit-shop/secrets", world.base)).text,
            client.post(&format!("{}/secrets/versions", world.base), &place).text,
            client.get(&version).text,
            client.send("POST", &format!("{}/orbit-shop/secrets/re-encrypt-history/pending", world.base), None).text,
        ]
        .concat()
    };
    assert_eq!(checks(), [None]);
    assert!(!answers().contains(&first.proof));
    rotate(&first, &second);
    assert_eq!(checks(), [None, Some(json!(first.proof))]);
    assert!(!answers().contains(&second.proof));
    // Back to a former key, whose proof was told while it was one.
    rotate(&second, &first);
    assert_eq!(checks(), [None, Some(json!(second.proof)), None]);
    assert!(!answers().contains(&first.proof));
}

#[test]
fn history_waits_to_be_sealed_anew() {
    let (world, old) = held();
    let client = world.admin();
    let new = Holder::new("a-key-that-is-newer");
    let body = over(
        new.to_check(),
        &json!({ "secrets": sealed_anew(&world, &client, &old, &new), "history_policy": "re_encrypt" }),
    );
    client.post(&format!("{}/orbit-shop/secrets/rotate-client-keys", world.base), &body).json(200);

    let address = format!("{}/orbit-shop/secrets/re-encrypt-history", world.base);
    let pending = |body: Option<&str>| client.send("POST", &format!("{address}/pending"), body);
    let all = pending(None).json(200);
    assert_eq!(all["meta"], json!({ "remaining": 3 }));
    let first = &all["data"][0];
    assert_eq!(first.as_object().unwrap().keys().collect::<Vec<_>>(), ["content", "id", "key_version"]);
    assert_eq!((first["id"].as_u64(), &first["key_version"]), (Some((1 << 32) + 1), &json!("1")));
    let one = pending(Some("{\"limit\":1}")).json(200);
    assert_eq!((one["data"].as_array().unwrap().len(), &one["meta"]["remaining"]), (1, &json!(3)));
    for limit in ["0", "101", "\"x\""] {
        assert_eq!(pending(Some(&format!("{{\"limit\":{limit}}}"))).json(422)["errors"].as_object().unwrap().len(), 1);
    }

    let version = |id: &Value| json!({ "id": id, "content": new.seal("A=1\n") });
    let submit =
        |versions: Value, proof: Value| client.post(&address, &json!({ "versions": versions, "key_proof": proof }));
    assert_eq!(submit(json!([version(&first["id"])]), Value::Null).json(422)["error"], "key_proof_required");
    assert_eq!(submit(json!([version(&first["id"])]), json!(old.proof)).json(422)["error"], "key_proof_mismatch");
    for conflict in [json!(1), json!((1_u64 << 32) + 4), json!((2_u64 << 32) + 1)] {
        assert_eq!(
            submit(json!([version(&first["id"]), version(&conflict)]), json!(new.proof)).json(422)["error"],
            "key_version_conflict"
        );
    }
    assert_eq!(
        submit(json!([{ "id": "x", "content": "x" }]), json!(new.proof)).json(422)["errors"].as_object().unwrap().len(),
        2
    );
    assert_eq!(submit(Value::Null, json!(new.proof)).json(422)["message"], "The versions field is required.");
    assert_eq!(pending(None).json(200)["meta"]["remaining"], 3, "nothing was stored");
    let done = submit(json!([version(&first["id"])]), json!(new.proof)).json(200);
    assert_eq!(done, json!({ "data": { "updated": 1, "remaining": 2 } }));
    assert_eq!(submit(json!([version(&first["id"])]), json!(new.proof)).json(422)["error"], "key_version_conflict");

    let ours = World::new(NewKey::String(None));
    assert_eq!(
        ours.admin()
            .send("POST", &format!("{}/orbit-shop/secrets/re-encrypt-history/pending", ours.base), None)
            .json(422)["error"],
        "validation_failed"
    );
    // While rows are being wrapped anew it has to wait.
    world.stage.system().rotate_project_dek(At::Path(world.stage.acme, &path("orbit-shop"))).unwrap();
    assert_eq!(pending(None).json(409)["error"], "rotation_in_progress");
}

#[test]
fn a_page_of_history_fits_into_a_request() {
    let holder = Holder::new("tide-pool-ledger-41");
    let world = World::new(holder.to_new_key());
    let client = world.admin();
    let large = "A".repeat(700_000);
    for _ in 0..5 {
        push(&world, &client, "orbit-shop", &large, &holder);
    }
    let new = Holder::new("a-key-that-is-newer");
    let body = over(new.to_check(), &json!({ "secrets": sealed_anew(&world, &client, &holder, &new) }));
    client.post(&format!("{}/orbit-shop/secrets/rotate-client-keys", world.base), &body).json(200);
    let address = format!("{}/orbit-shop/secrets/re-encrypt-history", world.base);
    let mut pages = Vec::new();
    loop {
        let page = client.post(&format!("{address}/pending"), &json!({ "limit": 100 })).json(200);
        let data = page["data"].as_array().unwrap();
        let versions: Vec<Value> = data
            .iter()
            .map(|version| json!({ "id": version["id"], "content": new.seal(&holder.open(&version["content"])) }))
            .collect();
        pages.push(versions.len());
        let done = client.post(&address, &json!({ "versions": versions, "key_proof": new.proof })).json(200);
        if done["data"]["remaining"] == 0 {
            break;
        }
    }
    assert_eq!(pages, [2, 2, 1]);
}

#[test]
fn a_key_changes_hands_and_comes_back() {
    let (world, holder) = held();
    let client = world.client(&["key:rotate", "key:retrieve"], None);
    let custody = format!("{}/custody", key(&world));
    let send = |body: Value| client.post(&custody, &body);
    let server = |key: &str| send(json!({ "managed": "server", "key": key }));
    assert_eq!(server("another-key").json(422)["error"], "key_proof_mismatch");
    // The same proof, but another key.
    assert_eq!(server("tide-pool-ledger-410").json(422)["error"], "validation_failed");
    for (body, field) in
        [(json!({}), "managed"), (json!({ "managed": "all" }), "managed"), (json!({ "managed": "server" }), "key")]
    {
        assert_eq!(send(body).json(422)["errors"].as_object().unwrap().keys().collect::<Vec<_>>(), [field]);
    }
    assert_eq!(send(json!({ "managed": "client", "confirmed": true })).json(400)["error"], "client_managed_encryption");
    assert!(world.is_client_managed());

    let moved = server("tide-pool-ledger-41").json(200);
    assert_eq!(moved, json!({ "data": { "managed": "server" }, "message": "The key has changed hands." }));
    let told = inner(&client.get(&key(&world)).json(200));
    assert_eq!(
        (&told["managed"], &told["key"], &told["version"]),
        (&json!("server"), &json!("tide-pool-ledger-41"), &json!(1))
    );
    assert_eq!(told["key_check_salt"], holder.to_check()["key_check_salt"]);
    let merged =
        world.admin().get(&format!("{}/orbit-shop/api/production/secrets?decrypt=1&merge=true&raw=1", world.base));
    assert_eq!(merged.json(200), json!({ "A": "2", "B": "1" }));
    assert_eq!(server("tide-pool-ledger-41").json(422)["error"], "validation_failed");

    assert_eq!(send(json!({ "managed": "client" })).json(422)["error"], "confirmation_required");
    let moved = send(json!({ "managed": "client", "confirmed": true })).json(200);
    assert_eq!(moved["data"], json!({ "managed": "client", "key": "tide-pool-ledger-41" }));
    assert!(world.is_client_managed());
    assert_eq!(inner(&client.get(&key(&world)).json(200)).get("key"), None);
    push(&world, &world.admin(), "orbit-shop", "A=3\n", &holder);
}

/// Nothing of this was made here: key, proof and blob are those that other clients make of it.
#[test]
fn what_another_client_sealed_and_proved_is_understood() {
    let (key_text, proof) = ("tide-pool-ledger-41", "ND2LO8+5GYMoGuBjyIFdv498aLROMcOEK49reozlscQ=");
    let content = "obLD1OX2BxgpOktccAW8CQnVN7ITyxQLNuEnYWExIxjrVF+P2Pk=";
    let world = World::new(NewKey::Random);
    let client = world.admin();
    let new = json!({
        "name": "Theirs", "storage_mode": "client", "key_check": proof, "key_check_salt": "UiIRw27A55LDtzisjsjfGA==",
        "key_check_iterations": 600_000,
    });
    client.post(&format!("{}/projects", world.base), &new).json(201);
    let body = json!({ "project": "theirs", "content": content, "key_proof": proof, "no_backup": false });
    let stored = client.post(&format!("{}/secrets/store", world.base), &body).json(200);
    assert_eq!(stored["data"]["bytes"], 52);
    let address = format!("{}/theirs/secrets", world.base);
    assert_eq!(client.get(&address).json(200)["data"]["attributes"]["levels"]["project"]["content"], content);
    let body = json!({ "managed": "server", "key": key_text });
    client.post(&format!("{}/theirs/encryption-key/custody", world.base), &body).json(200);
    assert_eq!(client.get(&format!("{address}?decrypt=true&merge=true&raw=true")).json(200), json!({ "PORT": "8080" }));
}

/// What the service's own client does in either custody, with no more than the answers and its own key.
#[test]
fn a_session_of_a_client_in_either_custody() {
    for own in [None, Some("tide-pool-ledger-41")] {
        let world = World::new(own.map_or(NewKey::String(None), |key| Holder::new(key).to_new_key()));
        let all = ["secret:read", "secret:write", "secret:history", "project:read", "key:retrieve", "key:rotate"];
        let client = world.client(&all, None).with("x-api-version", "1").with("user-agent", "dotenv-go-sdk/1.0.0");
        let secrets = format!("{}/orbit-shop/api/production/secrets", world.base);
        let holder = |own: Option<&str>| Holder::of_descriptor(&client.get(&key(&world)).json(200), own);

        // Push: the project, its key, what is there, the blob.
        let project = client.get(&format!("{}/orbit-shop", world.base)).json(200);
        assert_eq!(project["data"]["attributes"]["encryption_type"], if own.is_some() { "client" } else { "server" });
        let mine = holder(own);
        assert_eq!(client.get(&secrets).json(200)["data"]["attributes"]["levels"]["environment"]["content"], "");
        for (level, text) in [
            ("orbit-shop", "# all\nPORT=80\nHOST=a\n"),
            ("orbit-shop/api/production", "PORT=8080\n"),
            ("orbit-shop/api/production", "PORT=8081\n"),
        ] {
            push(&world, &client, level, text, &mine);
        }
        // With another key: refused, where it can be told, and nothing stored.
        if own.is_some() {
            let before = client.get(&secrets).json(200)["data"].clone();
            let wrong = holder(Some("another-key"));
            let body = json!({ "project": "orbit-shop", "content": wrong.seal("PORT=1\n"), "key_proof": wrong.proof });
            assert_eq!(
                client.post(&format!("{}/secrets/store", world.base), &body).json(422)["error"],
                "key_proof_mismatch"
            );
            assert_eq!(client.get(&secrets).json(200)["data"], before);
        }

        // Pull.
        let pull = |holder: &Holder| -> Vec<String> {
            let body = client.get(&secrets).json(200);
            assert_eq!(body["data"]["attributes"]["format"], "env");
            let levels =
                ["project", "target", "environment"].map(|name| body["data"]["attributes"]["levels"][name].clone());
            levels
                .iter()
                .filter(|level| level["content"] != "")
                .map(|level| {
                    assert_eq!(level["encrypted"], true);
                    holder.open(&level["content"])
                })
                .collect()
        };
        let expected = ["# all\nPORT=80\nHOST=a\n", "PORT=8081\n"];
        assert_eq!(pull(&holder(own)), expected);

        // Another key, and the versions under the one before.
        let next = "0f1e2d3c4b5a69788796a5b4c3d2e1f00f1e2d3c4b5a69788796a5b4c3d2e1f0";
        let Some(own) = own else {
            client
                .send("POST", &format!("{}/rotate", key(&world)), Some("{\"history_policy\":\"re_encrypt\"}"))
                .json(200);
            assert_eq!(pull(&holder(None)), expected);
            let list = json!({ "project": "orbit-shop", "target": "api", "environment": "production", "page": 1, "per_page": 50 });
            let versions = client.post(&format!("{}/secrets/versions", world.base), &list).json(200);
            let oldest = versions["data"].as_array().unwrap().last().unwrap()["id"].as_str().unwrap().to_owned();
            let version = client.get(&format!("{}/secrets/versions/{oldest}", world.base)).json(200);
            assert_eq!(version["data"]["key"]["is_active"], true);
            assert_eq!(holder(None).open(&version["data"]["content"]), "PORT=8080\n");
            continue;
        };
        let new = Holder::new(next);
        let body = over(new.to_check(), &json!({ "secrets": sealed_anew(&world, &client, &mine, &new) }));
        client.post(&format!("{}/orbit-shop/secrets/rotate-client-keys", world.base), &body).json(200);
        let active = holder(Some(next));
        assert_eq!(pull(&active), expected);

        let history = client.get(&format!("{}/history", key(&world))).json(200);
        let former = history["data"].as_array().unwrap().iter().find(|entry| entry["version"] == "1").unwrap().clone();
        assert_eq!(former["key_check"], mine.proof, "by which an old key is recognized");
        let old = Holder::new(own);
        assert_ne!(old.proof, mine.proof, "each with its own salt");
        let address = format!("{}/orbit-shop/secrets/re-encrypt-history", world.base);
        let mut rounds = 0;
        loop {
            let page = client.post(&format!("{address}/pending"), &json!({ "limit": 2 })).json(200);
            let versions: Vec<Value> = page["data"]
                .as_array()
                .unwrap()
                .iter()
                .map(|version| {
                    assert_eq!(version["key_version"], "1");
                    json!({ "id": version["id"], "content": active.seal(&mine.open(&version["content"])) })
                })
                .collect();
            let done = client.post(&address, &json!({ "versions": versions, "key_proof": active.proof })).json(200);
            rounds += 1;
            if done["data"]["remaining"].as_u64() == Some(0) {
                break;
            }
        }
        assert_eq!(rounds, 2, "three versions");
        assert!(versions(&world, "orbit-shop/api/production").iter().all(|version| *version == 2));
    }
}

#[test]
fn what_was_sealed_before_a_rotation_is_not_stored_behind_it() {
    let world = World::new(NewKey::String(None));
    let (admin, base) = (world.admin(), &world.base);
    let store = |holder: &Holder, text: &str| {
        let body = json!({ "project": "orbit-shop", "content": holder.seal(text) });
        admin.post(&format!("{base}/secrets/store"), &body)
    };
    let old = world.holder();
    store(&old, "A=1\n").json(200);
    admin.send("POST", &format!("{base}/orbit-shop/encryption-key/rotate"), None).json(200);
    // Nobody could open it: the key it is sealed with is told to no one any more.
    assert_eq!(store(&old, "A=2\n").json(422)["error"], "key_version_conflict");
    let read = || admin.get(&format!("{base}/orbit-shop/secrets?decrypt=true&merge=true&raw=true")).json(200);
    assert_eq!(read(), json!({ "A": "1" }));
    store(&world.holder(), "A=2\n").json(200);
    assert_eq!(read(), json!({ "A": "2" }));
    // What somebody sealed with a key of their own is theirs, as ever.
    store(&Holder::new("a-key-of-somebody-else"), "A=3\n").json(200);
}

/// The key in use, as a client gets it.
fn text_of(client: &Client, project: &str) -> Value {
    inner(&client.get(&format!("{project}/encryption-key")).json(200))
}

#[test]
fn a_key_that_a_client_gives_is_kept_with_the_blanks_around_it() {
    let stage = Stage::new();
    let (admin, base) = (stage.admin(), format!("/api/v1/{}", stage.acme));
    let texts = [
        " tide-pool-ledger-41",
        "tide-pool-ledger-41 ",
        "tide-pool-ledger-41\n",
        "\t tide-pool-ledger-41 \r\n",
        "\u{a0}tide-pool-ledger-41\u{3000}",
        "tide-pool-ledger-41, which is longer than 32 bytes ",
        // Without the blanks it would be given away by its proof.
        " kkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkk",
    ];
    for (number, text) in texts.into_iter().enumerate() {
        let (name, project) = (format!("p{number}"), format!("{base}/p{number}"));
        let new = json!({ "name": name, "storage_mode": "server", "encryption_key": text });
        admin.post(&format!("{base}/projects"), &new).json(201);
        let told = text_of(&admin, &project);
        assert_eq!(told["key"], text);
        // A client seals with the key as it is, and the server opens that.
        let salt = BASE64.decode(told["key_check_salt"].as_str().unwrap()).unwrap();
        let derivation = Pbkdf2::new(&salt, 600_000).unwrap();
        let key = derivation.derive(&KeyString::verbatim(text).unwrap()).unwrap();
        let blob = Aes256Gcm.seal(&key, b"A=1\n", &SystemRandom).unwrap();
        let body = json!({ "project": name, "content": blob.to_string() });
        admin.post(&format!("{base}/secrets/store"), &body).json(200);
        let opened = format!("{project}/secrets?decrypt=1&merge=1&raw=1");
        assert_eq!(admin.get(&opened).json(200), json!({ "A": "1" }), "{text:?}");
        // It changes hands, and comes back.
        let custody = format!("{project}/encryption-key/custody");
        let moved = admin.post(&custody, &json!({ "managed": "client", "confirmed": true })).json(200);
        assert_eq!(moved["data"]["key"], text);
        admin.post(&custody, &json!({ "managed": "server", "key": text })).json(200);
        assert_eq!(text_of(&admin, &project)["key"], text);
        assert_eq!(admin.get(&opened).json(200), json!({ "A": "1" }), "{text:?}");
    }
}

#[test]
fn blanks_around_the_key_of_people_are_no_part_of_it() {
    let (world, _) = held();
    let custody = format!("{}/custody", key(&world));
    let body = json!({ "managed": "server", "key": " tide-pool-ledger-41\n" });
    world.admin().post(&custody, &body).json(200);
    let told = inner(&world.admin().get(&key(&world)).json(200));
    assert_eq!(told["key"], "tide-pool-ledger-41");
}

#[test]
fn an_empty_key_is_none_and_a_blank_one_is_one() {
    let stage = Stage::new();
    let (admin, base) = (stage.admin(), format!("/api/v1/{}", stage.acme));
    for (name, text) in [("empty", json!("")), ("null", json!(null)), ("blank", json!("  "))] {
        let new = json!({ "name": name, "encryption_key": text });
        admin.post(&format!("{base}/projects"), &new).json(201);
        let told = text_of(&admin, &format!("{base}/{name}"));
        match name {
            "blank" => assert_eq!(told["key"], text),
            _ => assert_eq!(told["key"].as_str().unwrap().len(), 64),
        }
    }
}
