use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use ioenv::vault::{At, Custody, NewEnvironment, NewProject, NewTarget, Permission, PermissionSet, SlugRule};
use serde_json::{Value, json};

use super::super::stage::{SECOND, Stage, path, slug};
use super::shape::{Cloud, code, invalid, not_found};

fn project(id: &Value, organization: &str) -> Value {
    json!({ "data": { "type": "projects", "id": id, "attributes": {
        "ulid": id, "organization_id": organization, "name": "Orbit Shop", "slug": "orbit-shop", "description": null,
        "secret_format": "env", "encryption_type": "server", "has_secrets": false, "secret_count": 0,
        "environment_count": 0, "target_count": 0, "created_at": "2031-02-03T04:05:06Z", "updated_at": "2031-02-03T04:05:06Z",
    } } })
}

#[test]
fn a_project_is_read_by_either_address() {
    let stage = Stage::new();
    let id = json!(stage.system().create_project(stage.acme, &NewProject::new("Orbit Shop")).unwrap().id.to_string());
    let (client, o) = (Cloud::admin(&stage), stage.acme.to_string());
    let answer = client.get(&format!("/api/v1/{o}/orbit-shop"));
    let expected = project(&id, &o);
    assert_eq!(answer.json(200), expected);
    assert_eq!(answer.header("deprecation"), None);
    assert_eq!(answer.header("x-ratelimit-limit"), Some("100"));
    let answer = client.get(&format!("/api/v1/organizations/{o}/projects/orbit-shop"));
    assert_eq!(answer.json(200), expected);
    assert_eq!(answer.header("deprecation"), Some("true"));
    assert_eq!(answer.header("sunset"), Some("Fri, 31 Dec 2027 23:59:59 GMT"));
    // The id of an organization is understood in either case, and written in one.
    assert_eq!(client.get(&format!("/api/v1/{}/orbit-shop", o.to_lowercase())).json(200), expected);
    for nothing in ["orbit", "Orbit-Shop", "orbit_shop", "orbit%2Dshop%2F..", "_base", "%20"] {
        assert_eq!(client.get(&format!("/api/v1/{o}/{nothing}")).json(404), not_found(), "{nothing}");
    }
    for (method, path) in [("POST", ""), ("PATCH", "/orbit-shop"), ("PUT", "/orbit-shop"), ("DELETE", "/orbit-shop")] {
        let answer = client.send(method, &format!("/api/v1/organizations/{o}/projects{path}"), Some("{}"));
        assert_eq!(code(&answer, 405), "method_not_allowed");
    }
}

#[test]
fn projects_are_listed_whole_or_by_the_page() {
    let stage = Stage::new();
    for name in ["b", "c", "a"] {
        stage.system().create_project(stage.acme, &NewProject::new(name)).unwrap();
        stage.pass(SECOND);
    }
    let (client, o) = (Cloud::admin(&stage), stage.acme);
    let slugs = |query: &str| {
        let list = client.get(&format!("/api/v1/{o}/projects{query}")).json(200);
        let slugs =
            list["data"].as_array().unwrap().iter().map(|one| one["attributes"]["slug"].as_str().unwrap().to_owned());
        (slugs.collect::<Vec<_>>().join(" "), list["meta"].clone())
    };
    let meta = |page, last, per_page, total| json!({ "current_page": page, "last_page": last, "per_page": per_page, "total": total });
    assert_eq!(slugs(""), ("a b c".to_owned(), meta(1, 1, 3, 3)));
    assert_eq!(slugs("?sort=-name").0, "c b a");
    assert_eq!(slugs("?sort=created_at").0, "b c a");
    assert_eq!(slugs("?sort=-created_at").0, "a c b");
    assert_eq!(slugs("?sort=size&filter[name]=b").0, "a b c");
    assert_eq!(slugs("?per_page=2"), ("a b".to_owned(), meta(1, 2, 2, 3)));
    assert_eq!(slugs("?per_page=2&page=2"), ("c".to_owned(), meta(2, 2, 2, 3)));
    assert_eq!(slugs("?page=9"), (String::new(), meta(9, 1, 25, 3)));
    let long = client.get(&format!("/api/v1/organizations/{o}/projects?per_page=100"));
    assert_eq!((long.json(200)["meta"].clone(), long.header("deprecation")), (meta(1, 1, 100, 3), Some("true")));
    for (query, field, message) in [
        ("per_page=0", "per_page", "The per page field must be between 1 and 100."),
        ("per_page=101", "per_page", "The per page field must be between 1 and 100."),
        ("per_page=all", "per_page", "The per page field must be between 1 and 100."),
        ("page=0", "page", "The page field must be at least 1."),
        ("page=-1", "page", "The page field must be at least 1."),
    ] {
        assert_eq!(client.get(&format!("/api/v1/{o}/projects?{query}")).json(422), invalid(&[(field, message)]));
    }
}

#[test]
fn what_is_deleted_meanwhile_spoils_no_list() {
    let stage = Stage::memory();
    let (client, address) = (Cloud::admin(&stage), format!("/api/v1/{}/projects", stage.acme));
    let is_over = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            let system = stage.system();
            while !is_over.load(Ordering::Relaxed) {
                for name in ["a", "b", "c", "d"] {
                    system.create_project(stage.acme, &NewProject::new(name)).unwrap();
                }
                for name in ["a", "b", "c", "d"] {
                    system.delete_project(At::Path(stage.acme, &path(name))).unwrap();
                }
            }
        });
        let statuses: BTreeSet<u16> = (0..100).map(|_| client.get(&address).status).collect();
        is_over.store(true, Ordering::Relaxed);
        assert_eq!(statuses, BTreeSet::from([200]));
    });
}

#[test]
fn what_has_no_address_here_is_not_listed() {
    let stage = Stage::new();
    let (system, acme) = (stage.system(), stage.acme);
    for name in ["shop", "Shop_2"] {
        let new = NewProject::new(name).slug(slug(name)).slug_rule(SlugRule::Any);
        system.create_project(acme, &new).unwrap();
    }
    for name in ["api", "Api_2"] {
        let new = NewTarget::new(name).slug(slug(name));
        system.create_target(At::Path(acme, &path("shop")), &new).unwrap();
        let new = NewEnvironment::new(name).slug(slug(name)).slug_rule(SlugRule::Any);
        system.create_environment(At::Path(acme, &path("shop/api")), &new).unwrap();
    }
    let client = Cloud::admin(&stage);
    for (list, only) in [("projects", "shop"), ("shop/targets", "api"), ("shop/api/environments", "api")] {
        let list = client.get(&format!("/api/v1/{acme}/{list}")).json(200);
        assert_eq!(list["meta"]["total"], 1, "{list}");
        assert_eq!(list["data"][0]["attributes"]["slug"], only);
    }
}

#[test]
fn a_project_is_made_changed_and_deleted() {
    let stage = Stage::new();
    let (client, o) = (Cloud::admin(&stage), stage.acme.to_string());
    let made = client.post(&format!("/api/v1/{o}/projects"), &json!({ "name": " Orbit Shop " })).json(201);
    let id = &made["data"]["id"];
    assert_eq!(made, project(id, &o));
    let key = stage.system().key(At::Path(stage.acme, &path("orbit-shop"))).unwrap();
    assert!(key.derivation.is_some() && key.text.is_some_and(|text| text.expose_secret().len() == 64));

    stage.pass(SECOND);
    let at = format!("/api/v1/{o}/orbit-shop");
    let mut expected = project(id, &o);
    expected["data"]["attributes"]["updated_at"] = json!("2031-02-03T04:05:07Z");
    expected["data"]["attributes"]["description"] = json!("web shop");
    assert_eq!(client.patch(&at, &json!({ "description": "web shop" })).json(200), expected);
    let body = json!({ "name": "Orbit", "slug": "orbit", "description": null, "metadata": { "team": "web" } });
    expected["data"]["attributes"]["name"] = json!("Orbit");
    expected["data"]["attributes"]["slug"] = json!("orbit");
    expected["data"]["attributes"]["description"] = json!(null);
    assert_eq!(client.put(&at, &body).json(200), expected);
    client.get(&at).json(404);
    let at = format!("/api/v1/{o}/orbit");
    assert_eq!(client.get(&at).json(200), expected);
    // An empty list is what PHP makes of an empty object.
    for (metadata, kept) in
        [(None, "web"), (Some(json!(null)), "web"), (Some(json!({ "team": "api" })), "api"), (Some(json!([])), "")]
    {
        let body = metadata.map_or(json!({}), |metadata| json!({ "metadata": metadata }));
        assert_eq!(client.patch(&at, &body).json(200), expected);
        let project = stage.system().project(At::Path(stage.acme, &path("orbit"))).unwrap();
        let metadata = serde_json::to_value(&project.metadata).unwrap();
        assert_eq!(metadata["team"].as_str().unwrap_or_default(), kept);
    }
    // No body is as good as an empty one, and the own slug is not taken.
    assert_eq!(client.send("PATCH", &at, None).json(200), expected);
    assert_eq!(client.patch(&at, &json!({ "slug": "orbit" })).json(200), expected);

    client.delete(&at).empty(204);
    assert_eq!(client.delete(&at).json(404), not_found());
    assert_eq!(client.get(&format!("/api/v1/{o}/projects")).json(200)["data"], json!([]));
}

#[test]
fn counts_are_those_of_what_is_there() {
    let stage = Stage::new();
    let system = stage.system();
    system.create_project(stage.acme, &NewProject::new("shop")).unwrap();
    for target in ["api", "web"] {
        system.create_target(At::Path(stage.acme, &path("shop")), &NewTarget::new(target)).unwrap();
    }
    for name in ["prod", "dev"] {
        system.create_environment(At::Path(stage.acme, &path("shop/api")), &NewEnvironment::new(name)).unwrap();
    }
    let document = ioenv::Document::parse("A=1\n").unwrap();
    for level in ["shop", "shop/api/prod"] {
        system.set_document(At::Path(stage.acme, &path(level)), &document).unwrap();
    }
    let (client, o) = (Cloud::admin(&stage), stage.acme);
    let counts = |path: &str| {
        let attributes = client.get(&format!("/api/v1/{o}/{path}")).json(200)["data"]["attributes"].clone();
        ["target_count", "environment_count", "secret_count", "has_secrets"].map(|name| attributes[name].clone())
    };
    assert_eq!(counts("shop"), [json!(2), json!(2), json!(2), json!(true)]);
    assert_eq!(counts("shop/api"), [json!(null), json!(2), json!(1), json!(null)]);
    assert_eq!(counts("shop/web"), [json!(null), json!(0), json!(0), json!(null)]);
    let list = client.get(&format!("/api/v1/{o}/shop/targets")).json(200);
    assert_eq!(list["data"][0]["attributes"]["environment_count"], 2);
}

#[test]
fn what_is_wrong_is_told_by_the_field() {
    let stage = Stage::new();
    let (client, o) = (Cloud::admin(&stage), stage.acme);
    for name in ["orbit-shop", "other"] {
        stage.system().create_project(stage.acme, &NewProject::new(name)).unwrap();
    }
    let (all, one) = (format!("/api/v1/{o}/projects"), format!("/api/v1/{o}/other"));
    let long = "n".repeat(256);
    for (body, fields) in [
        (json!({}), vec![("name", "The name field is required.")]),
        (json!({ "name": "" }), vec![("name", "The name field is required.")]),
        (json!({ "name": "  " }), vec![("name", "The name field is required.")]),
        (json!({ "name": null }), vec![("name", "The name field is required.")]),
        (json!({ "name": 7 }), vec![("name", "The name field must be a string.")]),
        (json!({ "name": long }), vec![("name", "The name field must not be greater than 255 characters.")]),
        (json!({ "name": "a\nb" }), vec![("name", "The name field format is invalid.")]),
        (json!({ "name": "!!!" }), vec![("name", "The name field format is invalid.")]),
        (
            json!({ "name": "n", "secret_format": "toml" }),
            vec![("secret_format", "The selected secret format is invalid.")],
        ),
        (
            json!({ "name": "n", "storage_mode": "both" }),
            vec![("storage_mode", "The selected storage mode is invalid.")],
        ),
        (json!({ "name": "n", "slug": "other" }), vec![("slug", "The slug has already been taken.")]),
        (json!({ "name": "n", "slug": "secrets" }), vec![("slug", "The slug is reserved.")]),
        (json!({ "name": "n", "description": 1 }), vec![("description", "The description field must be a string.")]),
        (
            json!({ "storage_mode": "x", "description": "d".repeat(1001) }),
            vec![
                ("name", "The name field is required."),
                ("description", "The description field must not be greater than 1000 characters."),
                ("storage_mode", "The selected storage mode is invalid."),
            ],
        ),
        (
            json!({ "name": "n", "encryption_key": "k".repeat(32) }),
            vec![(
                "encryption_key",
                "A key of exactly 32 bytes would be given away by its own proof: choose one of another length.",
            )],
        ),
    ] {
        assert_eq!(client.post(&all, &body).json(422), invalid(&fields), "{body}");
    }
    for (body, field, message) in [
        (json!({ "name": "" }), "name", "The name field is required."),
        (json!({ "name": long }), "name", "The name field must not be greater than 255 characters."),
        (json!({ "slug": "orbit-shop" }), "slug", "The slug has already been taken."),
        (json!({ "slug": "" }), "slug", "The slug field format is invalid."),
        (json!({ "slug": "-a" }), "slug", "The slug field format is invalid."),
        (json!({ "slug": "a--b" }), "slug", "The slug field format is invalid."),
        (json!({ "slug": "A" }), "slug", "The slug field format is invalid."),
        (json!({ "slug": "a_b" }), "slug", "The slug field format is invalid."),
        (json!({ "slug": "s".repeat(101) }), "slug", "The slug field format is invalid."),
        (json!({ "slug": 5 }), "slug", "The slug field format is invalid."),
        (json!({ "metadata": "x" }), "metadata", "The metadata field must be an object."),
        (json!({ "metadata": ["x"] }), "metadata", "The metadata field must be an object."),
        (
            json!({ "metadata": { "a": "x".repeat(17 << 10) } }),
            "metadata",
            "Metadata is an object of at most 16 KiB of JSON, nested at most 100 deep: note less.",
        ),
    ] {
        for method in ["PUT", "PATCH"] {
            let answer = client.send(method, &one, Some(&body.to_string()));
            assert_eq!(answer.json(422), invalid(&[(field, message)]), "{body}");
        }
    }
    for reserved in [
        "projects",
        "secrets",
        "organizations",
        "organization",
        "api-keys",
        "members",
        "billing",
        "user",
        "plans",
        "cli",
        "audit-log",
        "versions",
    ] {
        let expected = invalid(&[("slug", "The slug is reserved.")]);
        assert_eq!(client.patch(&one, &json!({ "slug": reserved })).json(422), expected, "{reserved}");
        let made = client.post(&all, &json!({ "name": reserved })).json(201);
        assert_eq!(made["data"]["attributes"]["slug"], format!("{reserved}-2"));
    }
    for body in ["", "{", "[]", "\"name\"", "{\"name\":}"] {
        let answer = client.send("POST", &all, Some(body));
        let expected = if body.is_empty() { (422, "validation_failed") } else { (400, "malformed_request") };
        assert_eq!((answer.status, code(&answer, answer.status).as_str()), expected, "{body}");
    }
    assert_eq!(client.get(&one).json(200)["data"]["attributes"]["name"], "other");
}

#[test]
fn slugs_are_made_of_names_until_one_is_free() {
    let stage = Stage::new();
    let (client, all) = (Cloud::admin(&stage), format!("/api/v1/{}/projects", stage.acme));
    for (name, slug) in [
        ("Ünïted  Ärm", "n-ted-rm"),
        ("Orbit_Shop", "orbit-shop"),
        ("Orbit Shop", "orbit-shop-2"),
        ("Orbit Shop", "orbit-shop-3"),
        (&"x".repeat(150), &"x".repeat(100)),
    ] {
        assert_eq!(client.post(&all, &json!({ "name": name })).json(201)["data"]["attributes"]["slug"], slug);
    }
    let made = client.post(&all, &json!({ "name": "Orbit Shop", "slug": "mine" })).json(201);
    assert_eq!(made["data"]["attributes"]["slug"], "mine");
}

#[test]
fn the_key_is_kept_by_either_side() {
    let stage = Stage::new();
    let (client, all) = (Cloud::admin(&stage), format!("/api/v1/{}/projects", stage.acme));
    let (check, salt) = (BASE64.encode([7; 32]), BASE64.encode([9; 16]));
    let client_mode = json!({ "name": "Theirs", "description": "d", "secret_format": "json", "storage_mode": "client",
        "key_check": check, "key_check_salt": salt, "key_check_iterations": 600_000, "key_hint": "in the safe" });
    let made = client.post(&all, &client_mode).json(201);
    assert_eq!(made["data"]["attributes"]["encryption_type"], "client");
    assert_eq!(made["data"]["attributes"]["secret_format"], "json");
    let key = stage.system().key(At::Path(stage.acme, &path("theirs"))).unwrap();
    assert_eq!((key.custody, key.hint.as_deref()), (Custody::Client, Some("in the safe")));

    for (field, message) in [
        ("key_check", "The key check field is required."),
        ("key_check_salt", "The key check salt field is required."),
        ("key_check_iterations", "The key check iterations field is required."),
    ] {
        let mut body = client_mode.clone();
        body.as_object_mut().unwrap().remove(field);
        assert_eq!(client.post(&all, &body).json(422), invalid(&[(field, message)]));
        body[field] = json!("");
        assert_eq!(code(&client.post(&all, &body), 422), "validation_failed");
    }
    for (field, value, message) in [
        ("key_check", json!(BASE64.encode([7; 31])), "The key check field must be 32 bytes in base64."),
        ("key_check", json!(BASE64.encode([7; 33])), "The key check field must be 32 bytes in base64."),
        ("key_check", json!(check.trim_end_matches('=')), "The key check field must be 32 bytes in base64."),
        ("key_check", json!("planted!"), "The key check field must be 32 bytes in base64."),
        ("key_check_salt", json!(BASE64.encode([9; 15])), "The key check salt field must be 16 to 64 bytes in base64."),
        ("key_check_salt", json!(BASE64.encode([9; 65])), "The key check salt field must be 16 to 64 bytes in base64."),
        ("key_check_salt", json!("planted"), "The key check salt field must be 16 to 64 bytes in base64."),
        ("key_check_iterations", json!(599_999), "The key check iterations field must be 600000."),
        ("key_check_iterations", json!(1), "The key check iterations field must be 600000."),
        ("key_check_iterations", json!("many"), "The key check iterations field must be an integer."),
        ("encryption_key", json!("planted"), "The encryption key field is prohibited."),
        ("key_hint", json!("h".repeat(256)), "The key hint field must not be greater than 255 characters."),
    ] {
        let mut body = client_mode.clone();
        body[field] = value;
        let answer = client.post(&all, &body);
        assert_eq!(answer.json(422), invalid(&[(field, message)]), "{body}");
        assert!(!answer.text.contains("planted"));
    }
    let own =
        json!({ "name": "Own", "storage_mode": "server", "encryption_key": "tide-pool-ledger-41", "key_hint": "h" });
    let made = client.post(&all, &own);
    assert_eq!(made.json(201)["data"]["attributes"]["encryption_type"], "server");
    assert!(!made.text.contains("tide-pool"));
    let key = stage.system().key(At::Path(stage.acme, &path("own"))).unwrap();
    assert_eq!(key.text.unwrap().expose_secret(), "tide-pool-ledger-41");
}

#[test]
fn each_thing_takes_its_own_scope() {
    let stage = Stage::new();
    stage.system().create_project(stage.acme, &NewProject::new("shop")).unwrap();
    let o = stage.acme;
    for (scope, method, path, body) in [
        (Permission::ProjectRead, "GET", "projects", None),
        (Permission::ProjectCreate, "POST", "projects", Some(json!({ "name": "a" }))),
        (Permission::ProjectRead, "GET", "shop", None),
        (Permission::ProjectUpdate, "PATCH", "shop", Some(json!({ "name": "b" }))),
        (Permission::ProjectUpdate, "PUT", "shop", Some(json!({ "name": "b" }))),
        (Permission::ProjectDelete, "DELETE", "shop", None),
    ] {
        let (path, body) = (format!("/api/v1/{o}/{path}"), body.map(|body| body.to_string()));
        let others = PermissionSet::ALL.difference(scope.into());
        let refused = Cloud::new(stage.client(&stage.token(others, None))).send(method, &path, body.as_deref());
        let message = format!("This takes a permission that is missing: {scope}; use a token that has it.");
        assert_eq!(refused.json(403), json!({ "error": "insufficient_permissions", "message": message }));
        let answer = Cloud::with(&stage, &[scope], None).send(method, &path, body.as_deref());
        assert!((200..300).contains(&answer.status), "{method} {path}: {}", answer.text);
    }
}
