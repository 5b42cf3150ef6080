use ioenv::vault::{At, EntryScope, HistoryPolicy, LevelScope, NewBlob, NewEnvironment, NewTarget};
use ioenv::{Aes256Gcm, Cipher as _, Document, KeyDerivation as _, KeyString, Kind, LevelPath, SystemRandom};
use serde_json::{Value, json};

use super::super::stage::slug;
use super::{AT, OWN, START, Scene, path, words};

#[test]
fn secrets_are_made_listed_and_loaded() {
    let scene = Scene::new();
    for (client, at) in scene.both() {
        let secrets = format!("{at}/secrets");
        client.delete(&format!("{secrets}/all")).json(200);
        assert_eq!(client.get(&secrets).json(200), json!([]));
        let body = json!([
            {"name": "ZZ_TOP", "value": "line 1\nline 2 \"quoted\" \\ é"},
            {"name": "DB_URL", "value": "pg://${ZZ_TOP}", "comment": "\n main  \n\tsecond\t\n\n", "more": {}},
            {"name": "EMPTY", "value": "", "comment": null},
        ]);
        let made = client.post(&secrets, &body).json(201);
        assert_eq!(made, json!({"created_count": 3, "existing_secrets": []}));
        let again = client.post(&secrets, &json!([{"name": "EMPTY", "value": "x"}, {"name": "NEW", "value": "n"}]));
        assert_eq!(again.json(201), json!({"created_count": 1, "existing_secrets": ["EMPTY"]}));

        let top = "line 1\nline 2 \"quoted\" \\ é";
        let all = json!([
            {"name": "ZZ_TOP", "value": top, "comment": null},
            {"name": "DB_URL", "value": "pg://${ZZ_TOP}", "comment": " main\n\tsecond"},
            {"name": "EMPTY", "value": "", "comment": null},
            {"name": "NEW", "value": "n", "comment": null},
        ]);
        assert_eq!(client.get(&secrets).json(200), all);
        assert_eq!(client.get(&format!("{secrets}?include_value=true&unknown=1")).json(200), all);
        let names = |query: &str| -> Vec<Value> {
            let listed = client.get(&format!("{secrets}?{query}")).json(200);
            listed.as_array().unwrap().iter().map(|one| one["name"].clone()).collect()
        };
        assert_eq!(names("only=NEW%2CZZ_TOP,GONE"), ["ZZ_TOP", "NEW"]);
        assert_eq!(names("exclude=NEW%2CZZ_TOP%2CGONE"), ["DB_URL", "EMPTY"]);
        let one = |query: &str| client.get(&format!("{secrets}?only=DB_URL&{query}")).json(200)[0].clone();
        assert_eq!(one("omit=comment"), json!({"name": "DB_URL", "value": "pg://${ZZ_TOP}"}));
        assert_eq!(one("omit=value%2Ccomment%2Cunknown"), json!({"name": "DB_URL"}));
        assert_eq!(one("include_value=false"), json!({"name": "DB_URL", "comment": " main\n\tsecond"}));
        assert_eq!(one("expand_refs=true&omit=comment")["value"], format!("pg://{top}"));
        assert_eq!(one("expand_refs=false")["value"], "pg://${ZZ_TOP}");

        let load = |query: &str| client.get(&format!("{secrets}?only=NEW&omit=comment&{query}")).json(200);
        let new = json!([{"name": "NEW", "value": "n"}]);
        assert_eq!(
            load("include_environment=name%2Cis_production"),
            json!({"environment": {"name": "api-dev", "is_production": false}, "secrets": new})
        );
        assert_eq!(
            load("include_environment=true"),
            json!({"environment": {"id": scene.environment.to_prefixed("env"), "created_at": START,
                "name": "api-dev", "description": null, "is_production": false}, "secrets": new})
        );
        let loaded = client.get(&format!("{secrets}?only=GONE&include_environment=name")).json(200);
        assert_eq!(loaded, json!({"environment": {"name": "api-dev"}, "secrets": []}));

        let get = |rest: &str| client.get(&format!("{secrets}/{rest}")).json(200);
        assert_eq!(get("NEW"), json!({"name": "NEW", "value": "n", "comment": null}));
        assert_eq!(get("NEW?omit=comment"), json!({"name": "NEW", "value": "n"}));
        assert_eq!(get("DB_URL?expand_refs=true")["value"], format!("pg://{top}"));
        client.get(&format!("{secrets}/GONE")).refused(404, "resource.secret_not_found");
        client.get(&format!("{secrets}/GONE/metadata")).refused(404, "resource.secret_not_found");
        for bad in ["a", "lower", "A", "1A", "A.B", &"A".repeat(256)] {
            client.get(&format!("{secrets}/{bad}")).refused(400, "validation.invalid_secret_name");
            client.get(&format!("{secrets}/{bad}/metadata")).refused(400, "validation.invalid_secret_name");
        }
        client.get(&format!("{secrets}?only=AA&exclude=BB")).refused(400, "validation.bad_request");
        for list in ["only", "exclude"] {
            client.get(&format!("{secrets}?{list}=")).refused(400, "validation.no_data_provided");
            let details =
                client.get(&format!("{secrets}?{list}=AA,b,cc,b")).refused(400, "validation.invalid_secret_names");
            assert_eq!(details, json!({"secret_names": ["b", "cc"]}));
        }
    }
}

#[test]
fn metadata_tells_what_is_known_beside_the_value() {
    let scene = Scene::new();
    let client = scene.own();
    let secrets = format!("{OWN}/secrets");
    client
        .post(&secrets, &json!([{"name": "AA", "value": "1"}, {"name": "BB", "value": "", "comment": "c"}]))
        .json(201);
    let fresh = json!({"name": "AA", "comment": null, "version": 1, "has_value": true, "created_at": START,
        "updated_at": START, "last_accessed_at": null});
    assert_eq!(client.get(&format!("{secrets}/AA/metadata")).json(200), fresh);
    client.get(&format!("{secrets}?include_value=false")).json(200);
    assert_eq!(client.get(&format!("{secrets}/AA/metadata")).json(200), fresh, "no value was served");
    scene.stage.pass(1000);
    client.patch(&secrets, &json!([{"name": "AA", "new_name": "CC"}])).json(200);
    client.patch(&secrets, &json!([{"name": "CC", "comment": "new"}])).json(200);
    client.get(&format!("{secrets}/CC")).json(200);
    let later = "2031-02-03T04:05:07.789Z";
    assert_eq!(
        client.get(&format!("{secrets}/metadata")).json(200),
        json!({"secrets": [
            {"name": "CC", "comment": "new", "version": 3, "has_value": true, "created_at": START,
                "updated_at": later, "last_accessed_at": later},
            {"name": "BB", "comment": "c", "version": 1, "has_value": false, "created_at": START,
                "updated_at": START, "last_accessed_at": null},
        ]})
    );
}

#[test]
fn setting_makes_and_changes_and_says_how_many() {
    let scene = Scene::new();
    for (client, at) in scene.both() {
        let secrets = format!("{at}/secrets");
        client.post(&format!("{secrets}/delete/all"), &json!({})).json(200);
        client.post(&secrets, &json!([{"name": "AA", "value": "1", "comment": "kept"}])).json(201);
        let set = |body| client.put(&secrets, &body).json(200);
        assert_eq!(
            set(json!([{"name": "BB", "value": "2"}, {"name": "AA", "value": "3"}])),
            json!({"created_count": 1, "updated_count": 1})
        );
        let get = |name: &str| client.get(&format!("{secrets}/{name}")).json(200);
        assert_eq!(get("AA"), json!({"name": "AA", "value": "3", "comment": "kept"}));
        set(json!([{"name": "AA", "value": "3", "comment": null}]));
        assert_eq!(get("AA")["comment"], Value::Null);
        set(json!([{"name": "AA", "value": "3", "comment": " \n"}]));
        assert_eq!(get("AA")["comment"], Value::Null);
    }
}

#[test]
fn updates_happen_at_once() {
    let scene = Scene::new();
    for (client, at) in scene.both() {
        let secrets = format!("{at}/secrets");
        client.delete(&format!("{secrets}/all")).json(200);
        let body = json!([{"name": "AA", "value": "1", "comment": "one"}, {"name": "BB", "value": "2"},
            {"name": "CC", "value": "3"}]);
        client.post(&secrets, &body).json(201);
        let update = |body| client.patch(&secrets, &body);
        let swap = json!([{"name": "AA", "new_name": "BB"}, {"name": "BB", "new_name": "AA", "value": "two"},
            {"name": "GONE", "value": ""}]);
        assert_eq!(update(swap).json(200), json!({"updated_count": 2, "not_found_secrets": ["GONE"]}));
        let swapped = json!([{"name": "BB", "value": "1", "comment": "one"},
            {"name": "AA", "value": "two", "comment": null}, {"name": "CC", "value": "3", "comment": null}]);
        assert_eq!(client.get(&secrets).json(200), swapped);
        let taken = json!([{"name": "AA", "new_name": "CC"}, {"name": "BB", "value": "never"}]);
        let details = update(taken).refused(409, "validation.secrets_already_exist");
        assert_eq!(details, json!({"secret_names": ["CC"]}));
        assert_eq!(client.get(&secrets).json(200), swapped);
        let ring = json!([{"name": "AA", "new_name": "CC"}, {"name": "CC", "new_name": "DD"}]);
        assert_eq!(update(ring).json(200)["updated_count"], 2);
        update(json!([{"name": "BB", "comment": null}])).json(200);
        assert_eq!(client.get(&format!("{secrets}/BB")).json(200)["comment"], Value::Null);
        let gone = update(json!([{"name": "GONE", "new_name": "HERE"}])).json(200);
        assert_eq!(gone, json!({"updated_count": 0, "not_found_secrets": ["GONE"]}));
    }
}

#[test]
fn secrets_are_deleted_in_every_way() {
    let scene = Scene::new();
    for (client, at) in scene.both() {
        let secrets = format!("{at}/secrets");
        let fill = || {
            client.put(&secrets, &json!([{"name": "AA", "value": "1"}, {"name": "BB", "value": "2"}])).json(200);
        };
        fill();
        let deleted = client.post(&format!("{secrets}/delete"), &json!(["AA", "GONE", "AA"])).json(200);
        assert_eq!(deleted, json!({"deleted_count": 1, "not_found_secrets": ["GONE"]}));
        fill();
        let all = client.clone().with("content-type", "application/json");
        let answer = all.send("POST", &format!("{secrets}/delete/all"), None).json(200);
        assert_eq!(answer, json!({"deleted_count": 2}));
        fill();
        assert_eq!(all.send("DELETE", &format!("{secrets}/all"), None).json(200), json!({"deleted_count": 2}));
        assert_eq!(client.delete(&format!("{secrets}/all")).json(200), json!({"deleted_count": 0}));
        client.post(&format!("{secrets}/delete"), &json!([])).refused(400, "validation.no_data_provided");
        let details = client.post(&format!("{secrets}/delete"), &json!(["a", "AA"]));
        assert_eq!(details.refused(400, "validation.invalid_secret_names"), json!({"secret_names": ["a"]}));
        client.post(&format!("{secrets}/delete"), &json!({"name": "AA"})).refused(400, "validation.bad_request");
    }
}

#[test]
fn the_first_rule_that_is_broken_answers() {
    let scene = Scene::new();
    let secrets = format!("{OWN}/secrets");
    let client = scene.own();
    let (long, note) = ("x".repeat(16_385), "c".repeat(513));
    let names = |names: &[&str]| json!({"secret_names": names});
    for method in ["POST", "PUT"] {
        let refused =
            |body: Value, code: &str| client.send(method, &secrets, Some(&body.to_string())).refused(400, code);
        assert_eq!(refused(json!([]), "validation.no_data_provided"), json!({}));
        let body = json!([{"name": "bad", "value": long}, {"name": "AA", "value": "", "comment": note},
            {"name": "AA", "value": ""}, {"name": "bad", "value": ""}, {"name": "1", "value": ""}]);
        assert_eq!(refused(body, "validation.invalid_secret_names"), names(&["bad", "1"]));
        let body = json!([{"name": "BB", "value": long}, {"name": "AA", "value": ""}, {"name": "AA", "value": ""},
            {"name": "BB", "value": ""}, {"name": "BB", "value": ""}]);
        assert_eq!(refused(body, "validation.duplicate_secret_names"), names(&["BB", "AA"]));
        let body = json!([{"name": "BB", "value": long}, {"name": "AA", "value": "", "comment": note}]);
        assert_eq!(refused(body, "validation.secret_values_too_long"), names(&["BB"]));
        let body = json!([{"name": "BB", "value": ""}, {"name": "AA", "value": "", "comment": note}]);
        assert_eq!(refused(body, "validation.secret_comments_too_long"), names(&["AA"]));
        for body in [
            json!({}),
            json!([1]),
            json!([{"name": "AA"}]),
            json!([{"name": "AA", "value": null}]),
            json!([{"name": "AA", "value": 1}]),
            json!([{"value": "1"}]),
            json!([{"name": "AA", "value": "1", "comment": 1}]),
            json!([{"name": "AA", "value": "a\0b"}]),
            json!([{"name": "AA", "value": "1", "comment": "ioenv: variable"}]),
        ] {
            assert_eq!(refused(body, "validation.bad_request"), json!({}));
        }
    }
    let exact = json!([{"name": "EXACT", "value": "é".repeat(8192), "comment": format!("{}  \n", "𝒳".repeat(256))}]);
    client.post(&secrets, &exact).json(201);
    client.delete(&format!("{secrets}/all")).json(200);

    let refused = |body: Value, code: &str| client.patch(&secrets, &body).refused(400, code);
    assert_eq!(refused(json!([]), "validation.no_data_provided"), json!({}));
    let body = json!([{"name": "bad", "new_name": "worse"}]);
    assert_eq!(refused(body, "validation.invalid_secret_names"), names(&["bad"]));
    let body = json!([{"name": "AA", "new_name": "worse"}, {"name": "AA"}]);
    assert_eq!(refused(body, "validation.invalid_new_secret_names"), names(&["worse"]));
    let body = json!([{"name": "AA"}, {"name": "AA", "value": "1"}]);
    assert_eq!(refused(body, "validation.missing_properties_to_update"), names(&["AA"]));
    let body = json!([{"name": "AA", "new_name": "CC"}, {"name": "AA", "new_name": "CC"}]);
    assert_eq!(refused(body, "validation.duplicate_secret_names"), names(&["AA"]));
    let body = json!([{"name": "AA", "new_name": "AA"}, {"name": "BB", "new_name": "AA"}]);
    assert_eq!(refused(body, "validation.duplicate_new_secret_names"), names(&["AA"]));
    let body = json!([{"name": "AA", "new_name": "AA", "value": long}]);
    assert_eq!(refused(body, "validation.new_secret_names_same_as_names"), names(&["AA"]));
    let body = json!([{"name": "AA", "value": long, "comment": note}]);
    assert_eq!(refused(body, "validation.secret_values_too_long"), names(&["AA"]));
    let body = json!([{"name": "AA", "comment": note}]);
    assert_eq!(refused(body, "validation.secret_comments_too_long"), names(&["AA"]));
    assert_eq!(client.get(&secrets).json(200), json!([]));
}

#[test]
fn secrets_are_searched_for() {
    let scene = Scene::new();
    let (system, acme) = (scene.stage.system(), scene.stage.acme);
    let client = scene.workspace();
    let mut ids = vec![scene.environment.to_prefixed("env")];
    for (name, value) in [("one", "a"), ("two", "b")] {
        let made = client.post("/v1/projects/billing/environments", &json!({"name": name})).json(201);
        ids.push(made["id"].as_str().unwrap().to_owned());
        let body = json!([{"name": "TOKEN", "value": value}, {"name": "OTHER", "value": "a"}]);
        client.put(&format!("/v1/projects/billing/environments/{name}/secrets"), &body).json(200);
    }
    client.put(&format!("{AT}/secrets"), &json!([{"name": "TOKEN", "value": "a"}])).json(200);
    // Neither the level of the project, nor a target, nor what stands below one is an environment of it here.
    system.create_target(At::Path(acme, &path("billing")), &NewTarget::new("web")).unwrap();
    system.create_environment(At::Path(acme, &path("billing/web")), &NewEnvironment::new("dev")).unwrap();
    for at in ["billing", "billing/web", "billing/web/dev"] {
        system.set_document(At::Path(acme, &path(at)), &Document::parse("TOKEN=a\n").unwrap()).unwrap();
    }
    let search = |query: &str| client.get(&format!("/v1/projects/billing/secrets/search?{query}"));
    let [dev, one, two] = ["api-dev", "one", "two"].map(|name| {
        let at = ["api-dev", "one", "two"].iter().position(|known| *known == name).unwrap();
        json!({"id": ids[at], "name": name})
    });
    for word in ["include_value=true", "return_values=true"] {
        assert_eq!(
            search(&format!("name=TOKEN&{word}")).json(200),
            json!([{"secret_value": "a", "environments": [dev, one]}, {"secret_value": "b", "environments": [two]}])
        );
    }
    assert_eq!(search("name=TOKEN").json(200), json!([{"secret_value": null, "environments": [dev, one, two]}]));
    let by_value = search("value=a").json(200);
    let found = |name: &str| {
        let group = by_value.as_array().unwrap().iter().find(|group| group["secret_name"] == name).unwrap();
        group["environments"].clone()
    };
    assert_eq!((found("TOKEN"), found("OTHER")), (json!([dev, one]), json!([one, two])));
    assert_eq!(search("name=NOTHING").json(200), json!([]));
    assert_eq!(search("value=").json(200), json!([]));
    let details = search("").refused(400, "validation.search_requires_name_or_value");
    assert_eq!(details, json!({"required_query_params_any_of": ["name", "value"]}));
    search("name=AA&value=b").refused(400, "validation.search_secret_name_and_value_mutually_exclusive");
    search("name=lower").refused(400, "validation.invalid_secret_name");
    client.get("/v1/projects/nothing/secrets/search?name=AA").refused(404, "resource.project_not_found");
}

#[test]
fn what_other_services_wrote_is_shown() {
    let scene = Scene::new();
    let (system, acme) = (scene.stage.system(), scene.stage.acme);
    let text = "# shared\n\n# about\nlower=1\n# ioenv: variable\nPORT=8080 # aside\n";
    system.set_document(At::Path(acme, &path("billing/api-dev")), &Document::parse(text).unwrap()).unwrap();
    system.set_document(At::Path(acme, &path("billing")), &Document::parse("ABOVE=1\n").unwrap()).unwrap();
    let (client, secrets) = (scene.own(), format!("{OWN}/secrets"));
    assert_eq!(
        client.get(&secrets).json(200),
        json!([{"name": "lower", "value": "1", "comment": "about"}, {"name": "PORT", "value": "8080", "comment": "aside"}])
    );
    client.get(&format!("{secrets}/ABOVE")).refused(404, "resource.secret_not_found");
    client.put(&secrets, &json!([{"name": "PORT", "value": "1"}, {"name": "NEW", "value": "2"}])).json(200);
    client.post(&secrets, &json!([{"name": "MADE", "value": "3"}])).json(201);
    let entries = system.entries(At::Path(acme, &path("billing/api-dev")), EntryScope::Own).unwrap().entries;
    let kinds: Vec<Kind> = entries.iter().map(|entry| entry.metadata.kind).collect();
    assert_eq!(kinds, [Kind::Secret, Kind::Variable, Kind::Secret, Kind::Secret]);
}

#[test]
fn each_change_is_recorded_once_and_nothing_is_none() {
    let scene = Scene::new();
    let client = scene.own();
    let secrets = format!("{OWN}/secrets");
    let changes = || {
        let changes = scene.workspace().get(&format!("{AT}/changelog")).json(200);
        changes["pagination"]["total_items"].as_u64().unwrap()
    };
    client.post(&secrets, &json!([{"name": "AA", "value": "1"}, {"name": "BB", "value": "2"}])).json(201);
    assert_eq!(changes(), 1);
    client.post(&secrets, &json!([{"name": "AA", "value": "x"}])).json(201);
    client.put(&secrets, &json!([{"name": "AA", "value": "1"}])).json(200);
    client.patch(&secrets, &json!([{"name": "AA", "value": "1"}, {"name": "GONE", "value": ""}])).json(200);
    client.post(&format!("{secrets}/delete"), &json!(["GONE"])).json(200);
    assert_eq!(changes(), 1, "nothing has changed");
    let swap = json!([{"name": "AA", "new_name": "BB"}, {"name": "BB", "new_name": "AA"}]);
    client.patch(&secrets, &swap).json(200);
    client.delete(&format!("{secrets}/all")).json(200);
    client.delete(&format!("{secrets}/all")).json(200);
    assert_eq!(changes(), 3);
    let refused = scene.stage.client(&scene.account_key(words(["secrets.read"])));
    refused.put(&secrets, &json!([{"name": "AA", "value": "1"}])).refused(403, "access.missing_permission");
    assert_eq!(changes(), 3);
}

#[test]
fn what_another_service_stored_may_hold_no_secrets() {
    let scene = Scene::new();
    let (system, acme, project) = (scene.stage.system(), scene.stage.acme, slug("billing"));
    system.rotate_to_key_string(At::Path(acme, &LevelPath::from(&project)), HistoryPolicy::Keep).unwrap();
    let key = system.key(At::Path(acme, &LevelPath::from(&project))).unwrap();
    let (text, derivation) = (key.text.unwrap(), key.derivation.unwrap());
    for text in [text.expose_secret(), "another key"] {
        let key = derivation.derive(&KeyString::new(text).unwrap()).unwrap();
        let blob = Aes256Gcm.seal(&key, br#"{"A": "planted"}"#, &SystemRandom).unwrap();
        system.set_blob(At::Path(acme, &path("billing/api-dev")), &NewBlob::new(blob)).unwrap();
        for (client, at) in scene.both() {
            let details = client.get(&format!("{at}/secrets")).refused(409, "validation.bad_request");
            assert_eq!(details, json!({}));
            let body = json!([{"name": "AA", "value": "1"}]);
            client.put(&format!("{at}/secrets"), &body).refused(409, "validation.bad_request");
        }
        let variables = format!("/api/v1/env/{}/variables", scene.environment);
        let refused = scene.stage.admin().get(&variables).json(422);
        assert_eq!(refused["error"]["code"], "VALIDATION_ERROR");
    }
}

#[test]
fn a_literal_dollar_is_not_expanded_and_stays_literal() {
    let scene = Scene::new();
    let at = path("billing/api-dev");
    let system = scene.stage.system();
    let text = || {
        let level = system.read_level(At::Path(scene.stage.acme, &at), LevelScope::Own).unwrap();
        level.into_document().unwrap_or_default().to_text().expose_secret().to_owned()
    };
    for (client, address) in scene.both() {
        let stored = "AA=1\nPW='p${AA}w'\nMIXED=\"\\${AA} ${AA}\"\nTO_PW=<${PW}>\n";
        system.set_document(At::Path(scene.stage.acme, &at), &Document::parse(stored).unwrap()).unwrap();
        let stored = text();
        let secrets = format!("{address}/secrets");
        let value = |name: &str, query: &str| {
            client.get(&format!("{secrets}/{name}?{query}")).json(200)["value"].as_str().unwrap().to_owned()
        };
        for (name, raw, expanded) in
            [("PW", "p${AA}w", "p${AA}w"), ("MIXED", "${AA} ${AA}", "${AA} 1"), ("TO_PW", "<${PW}>", "<p${AA}w>")]
        {
            assert_eq!((value(name, ""), value(name, "expand_refs=true")), (raw.to_owned(), expanded.to_owned()));
            let listed = client.get(&format!("{secrets}?only={name}&expand_refs=true")).json(200);
            assert_eq!(listed[0]["value"], expanded);
            let same = json!([{"name": name, "value": raw}]);
            client.put(&secrets, &same).json(200);
            client.patch(&secrets, &same).json(200);
        }
        assert_eq!(text(), stored);
        client.patch(&secrets, &json!([{"name": "PW", "new_name": "PASSWORD"}])).json(200);
        client.patch(&secrets, &json!([{"name": "PASSWORD", "comment": "about"}])).json(200);
        assert!(text().contains("# about\nPASSWORD='p${AA}w'\n"), "{}", text());
        client.patch(&secrets, &json!([{"name": "PASSWORD", "value": "q${AA}w"}])).json(200);
        assert_eq!(value("PASSWORD", "expand_refs=true"), "q1w");
    }
}

#[test]
fn a_name_with_a_dot_is_refused() {
    let scene = Scene::new();
    let client = scene.own();
    let secrets = format!("{OWN}/secrets");
    let body = json!([{"name": "SPRING.URL", "value": "1"}]);
    client.post(&secrets, &body).refused(400, "validation.invalid_secret_names");
    client.put(&secrets, &body).refused(400, "validation.invalid_secret_names");
    client.post(&secrets, &json!([{"name": "AA", "value": "[${SPRING.URL}]"}])).json(201);
    assert_eq!(client.get(&format!("{secrets}/AA?expand_refs=true")).json(200)["value"], "[${SPRING.URL}]");
}
