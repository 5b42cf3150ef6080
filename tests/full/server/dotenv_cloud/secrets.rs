//! What levels hold.

use ioenv::vault::{At, LevelScope, NewKey, Paging, SecretFormat};
use serde_json::{Value, json};

use super::super::stage::{Stage, path};
use super::world::{Holder, World, over};

fn place(level: &str) -> Value {
    let names = ["project", "target", "environment"];
    let members = names.into_iter().zip(level.split('/')).map(|(name, slug)| (name.to_owned(), slug.into()));
    Value::Object(members.collect())
}

/// A server-managed project, in which two levels say something.
fn world() -> World {
    let world = World::new(NewKey::String(None));
    world.write("orbit-shop", "A=1\nB=broad # why\n");
    world.write("orbit-shop/api/production", "B=narrow\n");
    world
}

#[test]
fn blobs_of_all_levels_of_the_path_are_read_by_either_address() {
    let world = world();
    let (client, key) = (world.client(&["secret:read"], None), world.holder());
    let system = world.stage.system();
    let blobs = system.blobs(At::Path(world.stage.acme, &path("orbit-shop/api/production"))).unwrap().levels;
    let texts = ["A=1\nB=broad # why\n", "", "B=narrow\n"];
    let (long, base) = (world.base.replace("v1/", "v1/organizations/"), &world.base);
    let addresses = [
        ("orbit-shop", "projects/orbit-shop"),
        ("orbit-shop/api", "projects/orbit-shop/targets/api"),
        ("orbit-shop/api/production", "projects/orbit-shop/targets/api/environments/production"),
    ];
    for (depth, (short, tall)) in addresses.into_iter().enumerate() {
        for (address, is_long) in [(format!("{base}/{short}/secrets"), false), (format!("{long}/{tall}/secrets"), true)]
        {
            let answer = client.get(&address);
            assert_eq!(answer.header("deprecation").is_some(), is_long);
            assert_eq!(answer.header("sunset").is_some(), is_long);
            let mut body = answer.json(200);
            let timestamp = body["meta"]["timestamp"].take();
            assert!(timestamp.as_str().unwrap().ends_with('Z') && timestamp.as_str().unwrap().len() == 20);
            let names = ["project", "target", "environment"];
            for (at, name) in names.into_iter().enumerate().take(depth + 1) {
                let content = body["data"]["attributes"]["levels"][name]["content"].take();
                if texts[at].is_empty() {
                    assert_eq!(content, "");
                } else {
                    assert_eq!(key.open(&content), texts[at]);
                }
            }
            let slugs = ["orbit-shop", "api", "production"];
            let level = |at: usize| json!({ "encrypted": true, "content": null, "source": slugs[at], "id": blobs[at].id.to_string(), "key_version": "1" });
            let levels: Value = names
                .into_iter()
                .enumerate()
                .take(depth + 1)
                .map(|(at, name)| (name.to_owned(), level(at)))
                .collect::<serde_json::Map<_, _>>()
                .into();
            let slug = |at: usize| if at <= depth { json!(slugs[at]) } else { Value::Null };
            assert_eq!(
                body,
                json!({
                    "data": { "type": "secrets", "attributes": { "encrypted": true, "format": "env", "levels": levels } },
                    "meta": {
                        "api_path": address, "format": "hierarchical", "merged": "false", "timestamp": null, "action": "read",
                        "hierarchy": { "project": slug(0), "target": slug(1), "environment": slug(2) },
                    },
                })
            );
        }
    }
    // Nothing is as good as an empty project.
    let empty = World::new(NewKey::String(None));
    let body = empty.admin().get(&format!("{}/orbit-shop/secrets", empty.base)).json(200);
    assert!(body["data"]["attributes"]["levels"].is_object());
    assert_eq!(body["data"]["attributes"]["levels"]["project"]["content"], "");
}

#[test]
fn the_vault_opens_and_merges_what_it_has_the_key_of() {
    let world = world();
    let client = world.client(&["secret:read", "secret:decrypt"], None);
    let address = format!("{}/orbit-shop/api/production/secrets", world.base);
    let attributes = |query: &str| client.get(&format!("{address}?{query}")).json(200)["data"]["attributes"].clone();
    let opened = attributes("decrypt=1");
    assert_eq!((&opened["encrypted"], &opened["format"]), (&json!(false), &json!("env")));
    assert_eq!(opened["levels"]["project"]["content"], "A=1\nB=broad # why\n", "to the byte");
    assert_eq!(opened["levels"]["target"]["content"], "");
    assert_eq!(opened["levels"]["environment"]["content"], "B=narrow\n");
    assert!(["project", "target", "environment"].iter().all(|level| opened["levels"][level]["encrypted"] == false));
    assert_eq!(opened.get("secrets"), None);

    let secrets = json!({ "A": "1", "B": "narrow" });
    assert_eq!(
        attributes("decrypt=true&merge=true"),
        json!({ "encrypted": false, "format": "merged", "secrets": secrets })
    );
    let both = attributes("decrypt=true&merge=both&raw=false");
    assert_eq!((&both["secrets"], &both["levels"], &both["format"]), (&secrets, &opened["levels"], &json!("env")));
    assert_eq!(client.get(&format!("{address}?decrypt=true&merge=true&raw=true")).json(200), secrets);
    let meta = client.get(&format!("{address}?decrypt=true&merge=both")).json(200)["meta"].clone();
    assert_eq!((&meta["merged"], &meta["action"]), (&json!("both"), &json!("decrypt")));

    // What somebody sealed with another key stays sealed, and says so; it cannot be merged.
    let other = Holder::new("another-key");
    let stored = over(place("orbit-shop/api"), &json!({ "content": other.seal("C=3\n") }));
    world.admin().post(&format!("{}/secrets/store", world.base), &stored).json(200);
    let opened = attributes("decrypt=true");
    assert_eq!(opened["levels"]["target"]["encrypted"], true);
    assert_eq!(other.open(&opened["levels"]["target"]["content"]), "C=3\n");
    let refused = client.get(&format!("{address}?decrypt=true&merge=true")).json(422);
    assert_eq!(refused["errors"].as_object().unwrap().keys().collect::<Vec<_>>(), ["merge"]);
}

#[test]
fn texts_of_any_format_are_opened_and_json_is_merged() {
    for format in [SecretFormat::Json, SecretFormat::Yaml, SecretFormat::Text] {
        let world = World::with_format(NewKey::String(None), format);
        let (client, key) = (world.admin(), world.holder());
        let texts = ["{\"A\":\"1\",\"B\":true,\"C\":null,\"D\":[1]}", "{ \"A\": \"2\" }"];
        for (level, text) in ["orbit-shop", "orbit-shop/api"].into_iter().zip(texts) {
            let body = over(place(level), &json!({ "content": key.seal(text) }));
            client.post(&format!("{}/secrets/store", world.base), &body).json(200);
        }
        let address = format!("{}/orbit-shop/api/secrets?decrypt=true", world.base);
        let attributes = client.get(&address).json(200)["data"]["attributes"].clone();
        assert_eq!(attributes["levels"]["project"]["content"], texts[0]);
        assert_eq!(
            attributes["format"],
            match format {
                SecretFormat::Json => "json",
                SecretFormat::Yaml => "yaml",
                _ => "text",
            }
        );
        let merged = client.get(&format!("{address}&merge=true&raw=1"));
        if format == SecretFormat::Json {
            assert_eq!(merged.json(200), json!({ "A": "2", "B": "true", "C": "", "D": "[1]" }));
        } else {
            assert_eq!(merged.json(422)["error"], "validation_failed");
        }
    }
}

#[test]
fn parameters_that_contradict_each_other_are_refused() {
    let world = world();
    let address = format!("{}/orbit-shop/secrets", world.base);
    let client = world.client(&["secret:read", "secret:decrypt"], None);
    for query in ["merge=true", "merge=both&decrypt=0", "raw=true", "raw=1&decrypt=1", "raw=1&decrypt=1&merge=both"] {
        assert_eq!(
            client.get(&format!("{address}?{query}")).json(422)["error"],
            "invalid_parameter_combination",
            "{query}"
        );
    }
    for (query, field) in [("decrypt=yes", "decrypt"), ("merge=all", "merge"), ("raw=2", "raw")] {
        let body = client.get(&format!("{address}?{query}")).json(422);
        assert_eq!(body["error"], "validation_failed");
        assert_eq!(body["errors"].as_object().unwrap().keys().collect::<Vec<_>>(), [field], "{query}");
    }
    // But first what whoever asks may not do, and what is not there.
    let reader = world.client(&["secret:read"], None);
    for query in ["decrypt=true", "decrypt=true&raw=true", "decrypt=1&merge=all"] {
        assert_eq!(reader.get(&format!("{address}?{query}")).json(403)["error"], "insufficient_permissions", "{query}");
    }
    assert_eq!(client.get(&format!("{}/nothing/secrets?merge=true", world.base)).json(404)["error"], "not_found");

    let held = World::new(Holder::new("tide-pool-ledger-41").to_new_key());
    let client = held.admin();
    for query in ["decrypt=true", "decrypt=true&merge=true&raw=true"] {
        let body = client.get(&format!("{}/orbit-shop/secrets?{query}", held.base)).json(400);
        assert_eq!(body["error"], "client_managed_encryption");
    }
}

#[test]
fn everything_can_be_asked_for_in_a_body() {
    let world = world();
    let client = world.admin();
    let retrieve = |body: Value| {
        client.post(&format!("{}/secrets/retrieve", world.base), &over(place("orbit-shop/api/production"), &body))
    };
    let mut read = retrieve(json!({ "filters": {} })).json(200);
    let mut got = client.get(&format!("{}/orbit-shop/api/production/secrets", world.base)).json(200);
    for body in [&mut read, &mut got] {
        body["meta"]["timestamp"].take();
        body["meta"]["api_path"].take();
    }
    assert_eq!(read, got);
    assert_eq!(retrieve(json!({ "action": "read", "merge": "false", "filters": [] })).status, 200);

    let secrets = |body: Value| retrieve(over(body, &json!({ "action": "decrypt" }))).json(200);
    let all = json!({ "A": "1", "B": "narrow" });
    assert_eq!(secrets(json!({ "filters": {} })), json!({ "data": { "type": "secrets", "secrets": all } }));
    assert_eq!(secrets(json!({ "raw": true, "merge": "true" })), all);
    assert_eq!(
        secrets(json!({ "raw": true, "filters": { "names": ["B", "C"], "tags": ["x"] } })),
        json!({ "B": "narrow" })
    );
    assert_eq!(secrets(json!({ "raw": true, "filters": { "search": "a" } })), json!({ "A": "1" }));

    let key = retrieve(json!({ "action": "key:retrieve" })).json(200);
    assert_eq!(key, client.get(&format!("{}/orbit-shop/encryption-key", world.base)).json(200));

    for body in [
        json!({ "merge": "true" }),
        json!({ "raw": true }),
        json!({ "filters": { "names": ["A"] } }),
        json!({ "action": "key:retrieve", "merge": "both" }),
    ] {
        assert_eq!(retrieve(body).json(422)["error"], "invalid_parameter_combination");
    }
    for (body, field) in [
        (json!({ "action": "write" }), "action"),
        (json!({ "merge": "all" }), "merge"),
        (json!({ "filters": { "names": "A" } }), "filters.names"),
        (json!({ "filters": { "search": 1 } }), "filters.search"),
    ] {
        assert_eq!(retrieve(body).json(422)["errors"].as_object().unwrap().keys().collect::<Vec<_>>(), [field]);
    }
    let long = format!("/api/v1/organizations/{}/secrets/retrieve", world.stage.acme);
    assert_eq!(client.post(&long, &place("orbit-shop")).header("deprecation"), Some("true"));

    // Each action takes what its answer is worth.
    let ask = |words: &[&str], action: &str| {
        let body = over(place("orbit-shop"), &json!({ "action": action }));
        world.client(words, None).post(&format!("{}/secrets/retrieve", world.base), &body).status
    };
    assert_eq!(ask(&["secret:read"], "read"), 200);
    assert_eq!(ask(&["secret:read"], "decrypt"), 403);
    assert_eq!(ask(&["secret:read", "secret:decrypt"], "decrypt"), 200);
    assert_eq!(ask(&["secret:read", "secret:decrypt"], "key:retrieve"), 403);
    assert_eq!(ask(&["key:retrieve"], "key:retrieve"), 200);
    assert_eq!(ask(&["key:retrieve"], "read"), 403);
}

#[test]
fn a_level_is_stored_and_deleted() {
    let world = World::new(NewKey::String(None));
    let (client, key) = (world.client(&["secret:write"], None), world.holder());
    let store = format!("{}/secrets/store", world.base);
    // A blob belongs to one level.
    let contents = [(); 3].map(|()| key.seal("PORT=8080\n"));
    for ((level, word, source), content) in [
        ("orbit-shop", "project", "orbit-shop"),
        ("orbit-shop/api", "target", "api"),
        ("orbit-shop/api/production", "environment", "production"),
    ]
    .into_iter()
    .zip(&contents)
    {
        let answer = client.post(&store, &over(place(level), &json!({ "content": content, "no_backup": false })));
        assert_eq!(
            answer.json(200),
            json!({
                "data": { "type": "secrets", "level": word, "source": source, "bytes": content.len() },
                "message": "Secrets stored.",
            })
        );
        let document = world
            .stage
            .system()
            .read_level(At::Path(world.stage.acme, &path(level)), LevelScope::Own)
            .unwrap()
            .into_document()
            .unwrap();
        assert_eq!(document.get("PORT").unwrap().value().expose_secret(), "8080", "the vault understands it");
    }
    // Line ends in base64 are read over, as clients do.
    let [content, ..] = &contents;
    let broken = format!("{}\r\n{}\n", &content[..8], &content[8..]);
    let answer = client.post(&store, &over(place("orbit-shop"), &json!({ "content": broken, "key_proof": "" })));
    assert_eq!(answer.json(200)["data"]["bytes"], broken.len());

    let delete = format!("{}/secrets/delete", world.base);
    let levels = |level: &str| world.stage.system().blobs(At::Path(world.stage.acme, &path(level))).unwrap().levels;
    client.post(&delete, &place("orbit-shop/api")).empty(204);
    assert!(levels("orbit-shop/api")[1].content.is_none());
    client.post(&delete, &place("orbit-shop/api")).empty(204);
    let versions = |level: &str| {
        world.stage.system().versions(At::Path(world.stage.acme, &path(level)), &Paging::new()).unwrap().items.len()
    };
    assert_eq!(versions("orbit-shop/api"), 1, "nothing was displaced by the second one");

    let purge =
        |words: &[&str], body: Value| world.client(words, None).post(&delete, &over(place("orbit-shop"), &body));
    assert_eq!(versions("orbit-shop"), 1);
    let both = ["secret:write", "secret:purge"];
    assert_eq!(
        purge(&["secret:write"], json!({ "no_backup": true, "confirmed": true })).json(403)["error"],
        "insufficient_permissions"
    );
    for body in [json!({ "no_backup": true }), json!({ "no_backup": true, "confirmed": false })] {
        let refused = purge(&both, body).json(422);
        assert_eq!(
            refused,
            json!({
                "error": "confirmation_required", "message": "The confirmed field must be accepted.",
                "errors": { "confirmed": ["The confirmed field must be accepted."] },
            })
        );
    }
    assert!(levels("orbit-shop")[0].content.is_some());
    purge(&both, json!({ "no_backup": true, "confirmed": true })).empty(204);
    assert!(levels("orbit-shop")[0].content.is_none());
    assert_eq!(versions("orbit-shop"), 0);

    // Nothing is kept of what is overwritten so.
    let unkept = over(place("orbit-shop/api/production"), &json!({ "content": contents[2], "no_backup": true }));
    world.client(&both, None).post(&store, &unkept).json(200);
    assert_eq!(versions("orbit-shop/api/production"), 0);
}

#[test]
fn only_blobs_are_stored_where_something_is() {
    let world = world();
    let (client, key) = (world.client(&["secret:write"], None), world.holder());
    let store = |body: &Value| client.post(&format!("{}/secrets/store", world.base), body);
    let fields = |body: &Value| {
        let answer = store(body).json(422);
        assert_eq!(answer["error"], "validation_failed");
        answer["errors"].as_object().unwrap().keys().cloned().collect::<Vec<_>>()
    };
    let content = key.seal("A=1\n");
    assert_eq!(fields(&json!({})), ["content", "project"]);
    assert_eq!(fields(&json!({ "project": "orbit-shop" })), ["content"]);
    assert_eq!(
        fields(&json!({ "project": "orbit-shop", "environment": "production", "content": content })),
        ["target"]
    );
    assert_eq!(fields(&json!({ "project": "", "content": content })), ["project"]);
    assert_eq!(fields(&json!({ "project": 1, "content": content })), ["project"]);
    for plain in ["PORT=8080\n", "UE9SVD04MDgwCg==", &content[1..], "", &" ".repeat(9)] {
        assert_eq!(fields(&over(place("orbit-shop"), &json!({ "content": plain }))), ["content"]);
    }
    assert_eq!(fields(&over(place("orbit-shop"), &json!({ "content": "A".repeat(1_048_580) }))), ["content"]);
    assert_eq!(fields(&over(place("orbit-shop"), &json!({ "content": content, "no_backup": "yes" }))), ["no_backup"]);
    let largest = over(place("orbit-shop/api"), &json!({ "content": "A".repeat(1_048_576) }));
    assert_eq!(store(&largest).json(200)["data"]["bytes"], 1_048_576);

    for level in [
        "nothing",
        "orbit-shop/nothing",
        "orbit-shop/api/nothing",
        "Orbit_Shop",
        "orbit-shop/../x",
        "orbit-shop/api/_base",
    ] {
        assert_eq!(
            store(&over(place(level), &json!({ "content": content }))).json(404)["error"],
            "not_found",
            "{level}"
        );
    }
    let send = |body: &str| client.send("POST", &format!("{}/secrets/store", world.base), Some(body)).json(400);
    for body in ["{", "[]", "\"A=1\"", "\u{feff}{}"] {
        assert_eq!(send(body)["error"], "malformed_request");
    }
    // First what whoever asks may not do; then what is not there.
    let reader = world.client(&["secret:read"], None);
    for body in ["{", "{}", "{\"project\":\"_\"}", "{\"project\":\"orbit-shop\"}"] {
        let answer = reader.send("POST", &format!("{}/secrets/store", world.base), Some(body));
        assert_eq!(answer.json(403)["error"], "insufficient_permissions", "{body}");
    }
    assert_eq!(store(&json!({ "project": "nothing" })).json(404)["error"], "not_found");
}

#[test]
fn a_write_takes_the_proof_of_a_key_that_people_hold() {
    let holder = Holder::new("tide-pool-ledger-41");
    let world = World::new(holder.to_new_key());
    let client = world.client(&["secret:write"], None);
    let other = Holder::with("another-key", holder.derivation.clone());
    let content = holder.seal("A=1\n");
    let store = |proof: Value| {
        let body = over(place("orbit-shop"), &json!({ "content": content, "key_proof": proof }));
        client.post(&format!("{}/secrets/store", world.base), &body)
    };
    for none in [Value::Null, json!("")] {
        assert_eq!(store(none).json(422)["error"], "key_proof_required");
    }
    for wrong in [&other.proof, "x", &holder.proof[1..], &format!("{} ", holder.proof), "AAAA"] {
        assert_eq!(store(json!(wrong)).json(422)["error"], "key_proof_mismatch");
    }
    let system = world.stage.system();
    assert!(
        system.blobs(At::Path(world.stage.acme, &path("orbit-shop"))).unwrap().levels[0].content.is_none(),
        "nothing was stored"
    );
    assert_eq!(store(json!(holder.proof)).json(200)["data"]["bytes"], content.len());
    // Plaintext is refused whatever comes along.
    let body = over(place("orbit-shop"), &json!({ "content": "A=1\n", "key_proof": holder.proof }));
    assert_eq!(client.post(&format!("{}/secrets/store", world.base), &body).json(422)["error"], "validation_failed");
}

#[test]
fn a_token_of_a_place_reads_what_that_inherits_and_writes_nothing_above() {
    let world = world();
    let words = [
        "secret:read",
        "secret:decrypt",
        "secret:write",
        "secret:history",
        "secret:purge",
        "key:retrieve",
        "key:rotate",
    ];
    let client = world.client(&words, Some("orbit-shop/api/production"));
    let base = &world.base;
    let body = client.get(&format!("{base}/orbit-shop/api/production/secrets?decrypt=true")).json(200);
    assert_eq!(body["data"]["attributes"]["levels"]["project"]["content"], "A=1\nB=broad # why\n");
    assert_eq!(client.get(&format!("{base}/orbit-shop/encryption-key")).status, 200);
    for above in ["orbit-shop/secrets", "orbit-shop/api/secrets", "orbit-shop/api/staging/secrets"] {
        assert_eq!(client.get(&format!("{base}/{above}")).json(404)["error"], "not_found");
    }
    let content = world.holder().seal("A=1\n");
    for (level, status) in [
        ("orbit-shop", 404),
        ("orbit-shop/api", 404),
        ("orbit-shop/api/staging", 404),
        ("orbit-shop/api/production", 200),
    ] {
        let body = over(place(level), &json!({ "content": content }));
        assert_eq!(client.post(&format!("{base}/secrets/store"), &body).status, status);
        assert_eq!(client.post(&format!("{base}/secrets/versions"), &place(level)).status, status);
        let purge = over(place(level), &json!({ "confirmed": true }));
        assert_eq!(client.post(&format!("{base}/secrets/versions/purge"), &purge).status, status);
        let status = if status == 200 { 204 } else { status };
        assert_eq!(client.post(&format!("{base}/secrets/delete"), &place(level)).status, status);
    }
    let all = over(place("orbit-shop"), &json!({ "scope": "project", "confirmed": true }));
    assert_eq!(client.post(&format!("{base}/secrets/versions/purge"), &all).status, 404);
    assert_eq!(client.send("POST", &format!("{base}/orbit-shop/encryption-key/rotate"), None).status, 404);
}

/// A route, a body that it takes, and the words of which each is needed.
type Ask = (&'static str, &'static str, Value, &'static [&'static str]);

/// Every route of secrets, versions and keys.
fn routes() -> Vec<Ask> {
    let level = || place("orbit-shop/api/production");
    let content = "AAAA".repeat(10);
    vec![
        ("GET", "O/orbit-shop/secrets", Value::Null, &["secret:read"]),
        ("GET", "O/orbit-shop/api/secrets", Value::Null, &["secret:read"]),
        ("GET", "O/orbit-shop/api/production/secrets?decrypt=1", Value::Null, &["secret:read", "secret:decrypt"]),
        ("GET", "organizations/O/projects/orbit-shop/secrets", Value::Null, &["secret:read"]),
        ("GET", "organizations/O/projects/orbit-shop/targets/api/secrets", Value::Null, &["secret:read"]),
        (
            "GET",
            "organizations/O/projects/orbit-shop/targets/api/environments/production/secrets",
            Value::Null,
            &["secret:read"],
        ),
        ("POST", "O/secrets/retrieve", level(), &["secret:read"]),
        ("POST", "organizations/O/secrets/retrieve", level(), &["secret:read"]),
        ("POST", "O/secrets/store", over(level(), &json!({ "content": content })), &["secret:write"]),
        ("POST", "O/secrets/delete", level(), &["secret:write"]),
        (
            "POST",
            "O/secrets/delete",
            over(level(), &json!({ "no_backup": true, "confirmed": true })),
            &["secret:write", "secret:purge"],
        ),
        ("POST", "O/secrets/versions", level(), &["secret:history"]),
        ("GET", "O/secrets/versions/4294967297", Value::Null, &["secret:history"]),
        ("POST", "O/secrets/versions/4294967297/restore", Value::Null, &["secret:restore"]),
        ("DELETE", "O/secrets/versions/4294967297", Value::Null, &["secret:purge"]),
        ("POST", "O/secrets/versions/purge", over(level(), &json!({ "confirmed": true })), &["secret:purge"]),
        ("GET", "O/orbit-shop/encryption-key", Value::Null, &["key:retrieve"]),
        ("GET", "O/orbit-shop/encryption-key/history", Value::Null, &["key:retrieve"]),
        ("POST", "O/orbit-shop/encryption-key/rotate", Value::Null, &["key:rotate"]),
        (
            "POST",
            "O/orbit-shop/encryption-key/custody",
            json!({ "managed": "client" }),
            &["key:rotate", "key:retrieve"],
        ),
        ("POST", "O/orbit-shop/secrets/rotate-client-keys", json!({}), &["key:rotate", "secret:write"]),
        ("POST", "O/orbit-shop/secrets/re-encrypt-history/pending", Value::Null, &["key:rotate"]),
        ("POST", "O/orbit-shop/secrets/re-encrypt-history", json!({}), &["key:rotate"]),
    ]
}

#[test]
fn each_route_takes_a_token_of_the_organization_with_each_permission() {
    let world = world();
    world.write("orbit-shop", "A=2\n");
    let elsewhere = Stage::memory();
    let all_words = [
        "secret:read",
        "secret:decrypt",
        "secret:write",
        "secret:history",
        "secret:restore",
        "secret:purge",
        "key:retrieve",
        "key:rotate",
    ];
    let foreign = {
        let system = world.stage.system();
        let other = system.create_organization(&ioenv::vault::NewOrganization::new("Other")).unwrap().id;
        let new = ioenv::vault::NewToken::new("other", ioenv::vault::PermissionSet::ALL);
        world.stage.client(&system.issue_token(other, &new).unwrap().token)
    };
    // Of another vault, so here it is none.
    let unknown = world.stage.client(&elsewhere.token(ioenv::vault::PermissionSet::ALL, None));
    for (method, route, body, needed) in routes() {
        let address = format!("/api/v1/{}", route.replacen('O', &world.stage.acme.to_string(), 1));
        let body = (!body.is_null()).then(|| body.to_string());
        let send = |client: &super::super::stage::Client, body: Option<&str>| client.send(method, &address, body);
        let context = format!("{method} {route}");
        for client in [world.stage.stranger(), unknown.clone()] {
            assert_eq!(send(&client, body.as_deref()).json(401)["error"], "unauthenticated", "{context}");
        }
        assert_eq!(send(&foreign, body.as_deref()).json(404)["error"], "not_found", "{context}");
        for missing in needed {
            let words: Vec<&str> = all_words.into_iter().filter(|word| word != missing).collect();
            let answer = send(&world.client(&words, None), body.as_deref());
            assert_eq!(answer.json(403)["error"], "insufficient_permissions", "{context} without {missing}");
            if method == "POST" && !body.as_deref().is_some_and(|body| body.contains("no_backup")) {
                // Also before what is wrong with a body.
                let answer = send(&world.client(&words, None), Some("{"));
                assert_eq!(answer.json(403)["error"], "insufficient_permissions", "{context} without {missing}");
            }
        }
        let answer = send(&world.client(needed, None), body.as_deref());
        assert!(!matches!(answer.status, 401 | 403 | 404 | 405 | 500..), "{context}: {answer:?}");
        let other_method = if method == "GET" { "POST" } else { "PUT" };
        assert_eq!(
            world.admin().send(other_method, &address, None).json(405)["error"],
            "method_not_allowed",
            "{context}"
        );
    }
}

#[test]
fn no_error_repeats_what_was_sent() {
    let planted = "Planted-7f3a9c";
    let holder = Holder::new("tide-pool-ledger-41");
    let world = World::new(holder.to_new_key());
    let client = world.admin();
    let value = json!(planted);
    let bodies = [
        over(place("orbit-shop"), &json!({ "content": value, "key_proof": value, "no_backup": value })),
        over(place("orbit-shop"), &json!({ "content": holder.seal("A=1\n"), "key_proof": value })),
        json!({ "project": value, "content": value, "target": value }),
        json!({ "managed": "server", "key": value }),
        json!({ "managed": value, "key": value }),
        json!({ "secrets": [{ "id": value, "content": value }], "key_check": value, "key_check_salt": value, "key_check_iterations": value, "history_policy": value }),
        json!({ "versions": [{ "id": value, "content": value }, value], "key_proof": value }),
        json!({ "versions": [], "key_proof": value }),
        over(
            place("orbit-shop"),
            &json!({ "action": value, "merge": value, "raw": value, "filters": { "names": value, "search": [value] } }),
        ),
        over(
            place("orbit-shop"),
            &json!({ "scope": value, "page": value, "per_page": value, "confirmed": value, "force": value, "limit": value }),
        ),
    ];
    for (method, route, ..) in routes() {
        let address = format!("/api/v1/{}", route.replacen('O', &world.stage.acme.to_string(), 1));
        for body in bodies.iter().map(Value::to_string).chain([format!("{{\"content\": \"{planted}")]) {
            let answer = client.send(method, &address, Some(&body).filter(|_| method != "GET").map(String::as_str));
            if answer.status >= 400 {
                assert!(!answer.text.contains(planted), "{method} {route} {body}: {}", answer.text);
                assert!(!format!("{:?}", answer.headers).contains(planted));
                assert!(!answer.text.contains(&holder.proof));
            }
        }
    }
    assert!(world.is_client_managed());
}
