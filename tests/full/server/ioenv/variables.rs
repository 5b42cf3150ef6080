use ioenv::Kind::Variable;
use ioenv::dotenv_cloud::KeyProof;
use ioenv::vault::{At, Id, NewBlob, NewEntry, NewEnvironment, NewKey, NewProject, NewTarget};
use ioenv::{Aes256Gcm, Cipher as _, LevelKey, SystemRandom};
use serde_json::{Value, json};

use super::super::stage::{Client, SECOND, Stage, path};
use super::{Scene, error, listed, permissions, refused};

fn variable(value: &str) -> Value {
    json!({ "value": value, "isSecret": false })
}

fn secret(value: &str) -> Value {
    json!({ "value": value, "isSecret": true })
}

#[test]
fn each_row_of_the_truth_table() {
    let scene = Scene::new();
    let client = scene.client("read write");
    let (base, dev) = (scene.variable("_base", "K"), scene.variable("dev", "K"));
    let rows = [
        (None, None, None),
        (Some(variable("base")), None, Some(("base", false, true))),
        (None, Some(variable("own")), Some(("own", false, false))),
        (Some(variable("base")), Some(variable("own")), Some(("own", false, false))),
        (Some(variable("base")), Some(variable("")), Some(("", false, false))),
        (Some(secret("base")), Some(variable("own")), Some(("own", false, false))),
        (Some(variable("base")), Some(secret("own")), Some(("own", true, false))),
        (Some(secret("base")), None, Some(("base", true, true))),
    ];
    for (of_base, own, expected) in rows {
        for (at, body) in [(&base, &of_base), (&dev, &own)] {
            client.delete(at);
            if let Some(body) = body {
                client.put(at, body).json(200);
            }
        }
        let body = client.get(&scene.variables("dev")).json(200);
        let expected: Vec<Value> = expected
            .into_iter()
            .map(|(value, is_secret, inherited)| {
                let at = "2031-02-03T04:05:06Z";
                json!({ "key": "K", "value": value, "isSecret": is_secret, "updatedAt": at, "inherited": inherited })
            })
            .collect();
        assert_eq!(body, json!({ "variables": expected }), "{of_base:?} {own:?}");
    }
}

#[test]
fn own_ones_alone_ascending_by_key() {
    let scene = Scene::new();
    let client = scene.client("read");
    scene.write("shop", "B=base\nZ=base\n");
    scene.write("shop/dev", "b=1\nC=1\nB=1\n");
    assert_eq!(listed(&client.get(&scene.variables("dev"))), "B=1 C=1 Z=base+ b=1");
    let at = scene.variables("dev");
    assert_eq!(listed(&client.get(&format!("{at}?inherited=false"))), "B=1 C=1 b=1");
    assert_eq!(listed(&client.get(&format!("{at}?inherited=true&other=1"))), "B=1 C=1 Z=base+ b=1");
    assert_eq!(listed(&client.get(&scene.variables("_base"))), "B=base Z=base");
    assert_eq!(client.get(&scene.variables("prod")).json(200)["variables"].as_array().unwrap().len(), 2);
}

#[test]
fn an_empty_environment_is_an_empty_text() {
    let scene = Scene::new();
    let client = scene.client("read");
    let at = format!("{}/export", scene.variables("dev"));
    let answer = client.get(&at);
    answer.empty(200);
    assert_eq!(answer.header("content-type"), Some("text/plain; charset=utf-8"));
    assert_eq!(client.get(&scene.variables("dev")).text, r#"{"variables":[]}"#);
    // No other format is served here; who asks for one gets this one.
    scene.write("shop", "A='x y'\n");
    assert_eq!(client.get(&format!("{at}?format=json")).text, "A='x y'\n");
    assert_eq!(client.send("HEAD", &at, None).text, "");
}

#[test]
fn setting_answers_with_the_value_of_a_variable_and_never_with_a_secret() {
    let scene = Scene::new();
    let client = scene.client("write");
    let at = scene.variable("dev", "K");
    let time = "2031-02-03T04:05:06Z";
    assert_eq!(
        client.put(&at, &variable("1")).json(200),
        json!({ "variable": { "key": "K", "value": "1", "isSecret": false, "updatedAt": time } })
    );
    scene.stage.pass(SECOND);
    let time = "2031-02-03T04:05:07Z";
    let answer = json!({ "variable": { "key": "K", "isSecret": true, "updatedAt": time } });
    assert_eq!(client.put(&at, &secret("planted")).json(200), answer);
    // What changes nothing is not an update.
    scene.stage.pass(SECOND);
    assert_eq!(client.put(&at, &secret("planted")).json(200), answer);
}

#[test]
fn a_kind_that_is_not_given_is_the_one_it_has_or_inherits_or_a_variable() {
    let scene = Scene::new();
    let client = scene.client("read write");
    let is_secret = |key: &str| {
        let body = client.put(&scene.variable("dev", key), &json!({ "value": "2" })).json(200);
        body["variable"]["isSecret"].as_bool().unwrap()
    };
    for (name, key, body) in [
        ("dev", "OWN_SECRET", secret("1")),
        ("_base", "OWN_SECRET", variable("1")),
        ("dev", "OWN_VARIABLE", variable("1")),
        ("_base", "OWN_VARIABLE", secret("1")),
        ("_base", "BASE_SECRET", secret("1")),
        ("_base", "BASE_VARIABLE", variable("1")),
    ] {
        client.put(&scene.variable(name, key), &body).json(200);
    }
    assert!(is_secret("OWN_SECRET") && !is_secret("OWN_VARIABLE"));
    assert!(is_secret("BASE_SECRET") && !is_secret("BASE_VARIABLE") && !is_secret("NEW"));
}

#[test]
fn deleting_uncovers_and_reaches_no_further() {
    let scene = Scene::new();
    let client = scene.client("read write");
    let at = scene.variable("dev", "K");
    client.put(&scene.variable("_base", "K"), &variable("base")).json(200);
    client.put(&at, &variable("base")).json(200);
    // An override with the value that is inherited is one.
    client.put(&scene.variable("_base", "K"), &variable("other")).json(200);
    assert_eq!(listed(&client.get(&scene.variables("dev"))), "K=base");
    client.delete(&at).empty(204);
    assert_eq!(listed(&client.get(&scene.variables("dev"))), "K=other+");
    refused(&client.delete(&at), 404, "NOT_FOUND");
    refused(&client.delete(&scene.variable("dev", "NONE")), 404, "NOT_FOUND");
    assert_eq!(listed(&client.get(&scene.variables("_base"))), "K=other");
}

#[test]
fn values_come_back_byte_for_byte() {
    let scene = Scene::new();
    let client = scene.client("read write");
    let large = "ä".repeat(32 * 1024);
    for value in ["", " ", "${OTHER} $$ `x`", "a\r\nb\tc\n", "\u{feff}x", "\u{202e}\u{7f}", "{\"a\":1}", large.as_str()]
    {
        client.put(&scene.variable("dev", "K"), &variable(value)).json(200);
        assert_eq!(client.get(&scene.variables("dev")).json(200)["variables"][0]["value"], value);
    }
}

#[test]
fn what_is_not_valid_is_refused_and_changes_nothing() {
    let scene = Scene::new();
    let client = scene.client("read write");
    let at = scene.variable("dev", "K");
    client.put(&at, &variable("before")).json(200);
    let send = |body: &str| refused(&client.send("PUT", &at, Some(body)), 422, "VALIDATION_ERROR");
    for body in [
        "",
        "{",
        "[]",
        "\"x\"",
        "\u{feff}{\"value\":\"x\",\"isSecret\":false}",
        r#"{"value":"x","isSecret":false}{}"#,
        r#"{"value":"x","value":"x"}"#,
        r#"{"value":"x","isSecret":false,"isSecret":false}"#,
        r#"{"value":"x","other":{"a":1,"a":2}}"#,
        r#"{"value":"\ud800"}"#,
    ] {
        assert!(send(body).starts_with("The body must be"), "{body}");
    }
    for body in ["{}", r#"{"value":null}"#, r#"{"value":7,"isSecret":false}"#, r#"{"value":["x"]}"#, r#"{"Value":"x"}"#]
    {
        assert_eq!(send(body), "value must be a string.");
    }
    for flag in ["null", "0", "\"true\"", "[]"] {
        assert_eq!(send(&format!(r#"{{"value":"x","isSecret":{flag}}}"#)), "isSecret must be a boolean.");
    }
    assert_eq!(send(r#"{"value":"a\u0000b"}"#), "value must not contain a NUL character.");
    let long = variable(&"x".repeat(64 * 1024 + 1)).to_string();
    assert_eq!(send(&long), "value must have at most 65536 bytes.");
    assert_eq!(send(&format!("{}{{}}", " ".repeat(1024 * 1024))), "The body must have at most 1 MiB.");
    let (start, end) = (r#"{"value":"before""#, r#","isSecret":false}"#);
    let padding = " ".repeat(1024 * 1024 - start.len() - end.len());
    client.send("PUT", &at, Some(&format!("{start}{padding}{end}"))).json(200);
    for key in ["2FA", "A-B", "A%20B", "%C3%84", "A%3DB", "A%00", &"K".repeat(256)] {
        let answer = client.put(&scene.variable("dev", key), &variable("x"));
        assert!(refused(&answer, 422, "VALIDATION_ERROR").starts_with("key must have"), "{key}");
        refused(&client.delete(&scene.variable("dev", key)), 422, "VALIDATION_ERROR");
    }
    assert_eq!(listed(&client.get(&scene.variables("dev"))), "K=before");
    // The key of the address counts, and what is not known is passed over.
    client.send("PUT", &at, Some(r#"{"key":"OTHER","value":"after","more":{"a":[1,null]}}"#)).json(200);
    client.put(&scene.variable("dev", &"L".repeat(255)), &variable("")).json(200);
    assert_eq!(listed(&client.get(&scene.variables("dev"))), format!("K=after {}=", "L".repeat(255)));
}

#[test]
fn an_address_may_be_encoded_and_a_variable_called_export() {
    let scene = Scene::new();
    let client = scene.client("read write");
    client.put(&scene.variable("dev", "%41%5f%42"), &variable("1")).json(200);
    assert_eq!(client.put(&scene.variable("dev", "export"), &variable("2")).json(200)["variable"]["key"], "export");
    assert_eq!(listed(&client.get(&scene.variables("dev"))), "A_B=1 export=2");
    client.delete(&scene.variable("dev", "export")).empty(204);
    assert_eq!(listed(&client.get(&scene.variables("dev"))), "A_B=1");
}

#[test]
fn a_read_that_is_known_is_not_sent_again() {
    let scene = Scene::new();
    let client = scene.client("read write");
    scene.write("shop", "A=1\nB=1\n");
    scene.write("shop/dev", "A=own\n");
    let tag = |name: &str| client.get(&scene.variables(name)).header("etag").unwrap().to_owned();
    let first = tag("dev");
    assert!(
        first.starts_with("\"r") && first.ends_with('"') && first[2..first.len() - 1].parse::<u64>().is_ok(),
        "{first}"
    );
    let export = format!("{}/export", scene.variables("dev"));
    assert_eq!(client.get(&export).header("etag"), Some(first.as_str()));
    for at in [scene.variables("dev"), export.clone(), format!("{}?inherited=false", scene.variables("dev"))] {
        let known = client.clone().with("if-none-match", &first).get(&at);
        known.empty(304);
        assert_eq!((known.header("etag"), known.header("cache-control")), (Some(first.as_str()), Some("no-store")));
        assert_eq!(client.clone().with("if-none-match", "\"r1\"").get(&at).status, 200);
    }
    // A name that is overridden, and one that is not.
    let prod = tag("prod");
    client.put(&scene.variable("_base", "A"), &variable("2")).json(200);
    assert_eq!(tag("dev"), first);
    assert_ne!(tag("prod"), prod);
    client.put(&scene.variable("_base", "B"), &variable("2")).json(200);
    assert_ne!(tag("dev"), first);
    assert_eq!(client.clone().with("if-none-match", &first).get(&export).text, "A=own\nB=2\n");
    // What changes nothing.
    let now = tag("dev");
    client.put(&scene.variable("dev", "A"), &secret("own")).json(200);
    assert_eq!(tag("dev"), now);
}

#[test]
fn a_change_may_require_what_was_read() {
    let scene = Scene::new();
    let client = scene.client("read write");
    let at = scene.variable("dev", "K");
    let tag = || client.get(&scene.variables("dev")).header("etag").unwrap().to_owned();
    let only_at = |tag: &str| client.clone().with("if-match", tag);
    let empty = tag();
    only_at(&empty).put(&at, &variable("1")).json(200);
    let one = tag();
    let late = only_at(&empty).put(&at, &variable("late")).json(412);
    assert_eq!(late, error("PRECONDITION_FAILED", "The environment is not as this request requires: read it again."));
    refused(&only_at(&empty).delete(&at), 412, "PRECONDITION_FAILED");
    refused(&only_at(&format!("W/{one}")).put(&at, &variable("late")), 412, "PRECONDITION_FAILED");
    refused(&only_at("nonsense").put(&at, &variable("late")), 412, "PRECONDITION_FAILED");
    assert_eq!(listed(&client.get(&scene.variables("dev"))), "K=1");
    only_at("*").put(&at, &variable("2")).json(200);
    only_at(&format!("{one}, {}", tag())).put(&at, &variable("3")).json(200);
    // A change of what is inherited is one.
    let seen = tag();
    client.put(&scene.variable("_base", "NEW"), &variable("1")).json(200);
    refused(&only_at(&seen).put(&at, &variable("late")), 412, "PRECONDITION_FAILED");
    only_at(&tag()).delete(&at).empty(204);
    // What is wrong with the request comes first, and who may not write learns nothing of it.
    refused(&only_at(&seen).send("PUT", &at, Some("{}")), 422, "VALIDATION_ERROR");
    refused(&scene.client("read").with("if-match", &seen).put(&at, &variable("late")), 403, "FORBIDDEN");
}

#[test]
fn a_change_may_require_that_a_variable_is_new_or_there() {
    let scene = Scene::new();
    let client = scene.client("read write");
    scene.client("admin").put(&scene.variable("_base", "BASE"), &variable("base")).json(200);
    let [new, there] = ["if-none-match", "if-match"].map(|name| client.clone().with(name, "*"));
    for name in ["K", "export", "BASE"] {
        let at = scene.variable("dev", name);
        refused(&there.put(&at, &variable("late")), 412, "PRECONDITION_FAILED");
        refused(&there.delete(&at), 404, "NOT_FOUND");
        refused(&new.delete(&at), 404, "NOT_FOUND");
        new.put(&at, &variable("1")).json(200);
        for client in
            [&new, &client.clone().with("if-none-match", "\"r999\", *"), &new.clone().with("if-none-match", "x")]
        {
            refused(&client.put(&at, &variable("late")), 412, "PRECONDITION_FAILED");
            refused(&client.put(&at, &secret("1")), 412, "PRECONDITION_FAILED");
            refused(&client.delete(&at), 412, "PRECONDITION_FAILED");
        }
        refused(&new.clone().with("if-match", "*").put(&at, &variable("late")), 412, "PRECONDITION_FAILED");
        there.put(&at, &variable("2")).json(200);
    }
    assert_eq!(listed(&client.get(&scene.variables("dev"))), "BASE=2 K=2 export=2");
    // What is wrong with the request comes first, and who may not write learns nothing of it.
    let at = scene.variable("dev", "K");
    refused(&new.send("PUT", &at, Some("{}")), 422, "VALIDATION_ERROR");
    for name in ["K", "NONE"] {
        let reader = scene.client("read").with("if-none-match", "*");
        refused(&reader.put(&scene.variable("dev", name), &variable("late")), 403, "FORBIDDEN");
    }
    there.delete(&at).empty(204);
    new.put(&at, &variable("3")).json(200);
}

#[test]
fn a_change_may_refuse_what_was_read() {
    let scene = Scene::new();
    let client = scene.client("read write");
    let at = scene.variable("dev", "K");
    let tag = || client.get(&scene.variables("dev")).header("etag").unwrap().to_owned();
    let unless_at = |tag: &str| client.clone().with("if-none-match", tag);
    let empty = tag();
    for known in [empty.clone(), format!("W/{empty}"), format!("\"x\", {empty}")] {
        refused(&unless_at(&known).put(&at, &variable("late")), 412, "PRECONDITION_FAILED");
    }
    for other in ["\"r999\"", "nonsense", "", "\"*\""] {
        unless_at(other).put(&at, &variable(other)).json(200);
    }
    unless_at(&empty).put(&at, &variable("1")).json(200);
    refused(&unless_at(&tag()).delete(&at), 412, "PRECONDITION_FAILED");
    unless_at(&empty).delete(&at).empty(204);
}

/// Eight set a variable at once, under a condition that holds for the first alone.
fn one_is_first(client: &Client, at: &str) {
    let statuses: Vec<u16> = std::thread::scope(|scope| {
        let writers: Vec<_> = (0..8)
            .map(|n| {
                let client = client.clone();
                scope.spawn(move || client.put(at, &variable(&n.to_string())).status)
            })
            .collect();
        writers.into_iter().map(|writer| writer.join().unwrap()).collect()
    });
    assert_eq!(statuses.iter().filter(|status| **status == 200).count(), 1, "{statuses:?}");
    assert_eq!(statuses.iter().filter(|status| **status == 412).count(), 7, "{statuses:?}");
}

#[test]
fn of_many_who_make_a_variable_one_is_first() {
    let scene = Scene::on(Stage::new());
    let client = scene.client("read write").with("if-none-match", "*");
    let at = scene.variable("dev", "K");
    one_is_first(&client, &at);
}

#[test]
fn what_is_inherited_is_asked_for_by_true_or_false() {
    let scene = Scene::new();
    scene.client("admin").put(&scene.variable("_base", "BASE"), &variable("planted")).json(200);
    let at = scene.variables("dev");
    for other in [
        "maybe",
        "",
        "1",
        "0",
        "no",
        "False",
        "FALSE",
        "false%20",
        "true,false",
        "false&inherited=maybe",
        "maybe&inherited=false",
    ] {
        let answer = scene.client("read").get(&format!("{at}?inherited={other}"));
        assert_eq!(answer.json(422), error("VALIDATION_ERROR", "inherited must be true or false."), "{other}");
        // Who may not read learns nothing of it.
        refused(&scene.client("write").get(&format!("{at}?inherited={other}")), 403, "FORBIDDEN");
        refused(&scene.stage.stranger().get(&format!("{at}?inherited={other}")), 401, "UNAUTHORIZED");
    }
}

#[test]
fn of_many_who_require_the_same_one_is_first() {
    let scene = Scene::on(Stage::new());
    let client = scene.client("read write");
    let tag = client.get(&scene.variables("dev")).header("etag").unwrap().to_owned();
    let at = scene.variable("dev", "K");
    one_is_first(&client.with("if-match", &tag), &at);
}

#[test]
fn what_other_services_have_made_is_read_and_written() {
    let scene = Scene::new();
    let (stage, system) = (&scene.stage, scene.stage.system());
    let project = system.create_project(stage.acme, &NewProject::new("ring")).unwrap();
    system.create_target(At::Path(stage.acme, &path("ring")), &NewTarget::new("api")).unwrap();
    let [below, deep] = ["ring", "ring/api"]
        .map(|at| system.create_environment(At::Path(stage.acme, &path(at)), &NewEnvironment::new("Live")).unwrap().id);
    for (at, text) in [("ring", "A=p\nB=p\nC=p\n"), ("ring/api", "B=t\nC=t\n"), ("ring/api/live", "C=e\n")] {
        scene.write(at, text);
    }
    let client = scene.bound("admin", "ring");
    let list = |id: Id| client.get(&format!("/api/v1/env/{}/variables", id.to_prefixed("env")));
    assert_eq!(listed(&list(below.into())), "A=p+ B=p+ C=p+");
    assert_eq!(listed(&list(deep.into())), "A=p+ B=t+ C=e");
    let at = format!("/api/v1/env/{}/variables/D", deep.to_prefixed("env"));
    client.put(&at, &variable("x")).json(200);
    assert_eq!(listed(&list(deep.into())), "A=p+ B=t+ C=e D=x");
    // The project itself and its target are no environments.
    refused(&list(project.id.into()), 404, "NOT_FOUND");
    let target = system.target(At::Path(stage.acme, &path("ring/api"))).unwrap().id;
    refused(&list(target.into()), 404, "NOT_FOUND");
    assert_eq!(
        client.get(&format!("/api/v1/project/{}/environments", project.id.to_prefixed("proj"))).json(200),
        json!({ "environments": [{ "id": below.to_prefixed("env"), "name": "live" }] })
    );
}

#[test]
fn a_project_whose_people_hold_the_key_says_so() {
    let scene = Scene::new();
    let (stage, system) = (&scene.stage, scene.stage.system());
    let proof = KeyProof::of(&LevelKey::from_bytes(&[7; 32])).to_text();
    let new = NewProject::new("theirs").has_base(true).key(NewKey::Client { derivation: None, proof, hint: None });
    system.create_project(stage.acme, &new).unwrap();
    let id = system.environment(At::Path(stage.acme, &path("theirs/dev"))).unwrap().id.to_prefixed("env");
    let client = scene.bound("read write", "theirs");
    let at = format!("/api/v1/env/{id}/variables");
    for answer in [
        client.get(&at),
        client.get(&format!("{at}/export")),
        client.put(&format!("{at}/K"), &variable("x")),
        client.delete(&format!("{at}/K")),
    ] {
        assert!(refused(&answer, 403, "FORBIDDEN").starts_with("Only the people of this project hold its key"));
    }
}

#[test]
fn what_is_no_dotenv_text_says_so() {
    let scene = Scene::new();
    let (stage, system) = (&scene.stage, scene.stage.system());
    let key = system.key(At::Path(stage.acme, &path("shop"))).unwrap().text.unwrap();
    let key = LevelKey::parse(key.expose_secret()).unwrap();
    let sealed = Aes256Gcm.seal(&key, b"a: [yaml]\n", &SystemRandom).unwrap();
    system.set_blob(At::Path(stage.acme, &path("shop/dev")), &NewBlob::new(sealed)).unwrap();
    let client = scene.client("read write");
    for answer in [
        client.get(&scene.variables("dev")),
        client.get(&format!("{}/export", scene.variables("dev"))),
        client.put(&scene.variable("dev", "K"), &variable("x")),
    ] {
        let message = refused(&answer, 422, "VALIDATION_ERROR");
        assert!(message.contains("no dotenv text") && !message.contains("yaml"), "{message}");
    }
}

#[test]
fn the_full_environment_is_full() {
    let scene = Scene::new();
    let client = scene.client("read write");
    let system = scene.stage.system();
    let large = "x".repeat(64 * 1024);
    let new: Vec<NewEntry> =
        (0..11).map(|n| NewEntry::new(format!("K{n}").parse().unwrap(), large.as_str()).kind(Variable)).collect();
    system.set_entries(At::Path(scene.stage.acme, &path("shop/dev")), &new).unwrap();
    let answer = client.put(&scene.variable("dev", "MORE"), &variable(&large));
    assert!(refused(&answer, 422, "VALIDATION_ERROR").contains("cannot hold that much"));
}

#[test]
fn permissions_stand_for_themselves() {
    let scene = Scene::new();
    scene.write("shop/dev", "K=1\n");
    for (words, read, write) in
        [("read", true, false), ("write", false, true), ("admin", true, true), ("read write", true, true)]
    {
        let client = scene.client(words);
        let expect = |is_allowed: bool, status: u16| if is_allowed { status } else { 403 };
        let export = format!("{}/export", scene.variables("dev"));
        assert_eq!(client.get(&scene.at("environments")).status, expect(read, 200), "{words}");
        assert_eq!(client.get(&scene.variables("dev")).status, expect(read, 200), "{words}");
        assert_eq!(client.get(&export).status, expect(read, 200), "{words}");
        assert_eq!(client.put(&scene.variable("dev", "K"), &secret("2")).status, expect(write, 200), "{words}");
        assert_eq!(client.put(&scene.variable("dev", "L"), &variable("2")).status, expect(write, 200), "{words}");
        assert_eq!(client.delete(&scene.variable("dev", "L")).status, expect(write, 204), "{words}");
    }
    assert!(!permissions("write").contains_all(permissions("read")));
}

#[test]
fn a_literal_dollar_survives_a_value_that_is_written_back() {
    let scene = Scene::new();
    let client = scene.client("read write");
    scene.write("shop", "BASE='p${N}w'\n");
    scene.write("shop/dev", "PW='p${N}w'\nN=n\n");
    for key in ["PW", "BASE"] {
        // As a client that shows the list and saves it again.
        client.put(&scene.variable("dev", key), &secret("p${N}w")).json(200);
        client.put(&scene.variable("dev", key), &variable("p${N}w")).json(200);
    }
    client.put(&scene.variable("dev", "NEW"), &variable("p${N}w")).json(200);
    let text = scene.text("shop/dev");
    let expected = "PW='p${N}w'\nN=n\n# ioenv: variable\nBASE='p${N}w'\n# ioenv: variable\nNEW=\"p${N}w\"\n";
    assert_eq!(text, format!("# ioenv: variable\n{expected}"));
    assert_eq!(listed(&client.get(&scene.variables("dev"))), "BASE=p${N}w N=n NEW=p${N}w PW=p${N}w");
    client.put(&scene.variable("dev", "PW"), &variable("q${N}w")).json(200);
    assert!(scene.text("shop/dev").contains("PW=\"q${N}w\"\n"));
}

#[test]
fn a_name_with_a_dot_is_read_and_not_written() {
    let scene = Scene::new();
    let client = scene.client("read write");
    scene.write("shop/dev", "spring.datasource.url=1\n");
    assert_eq!(listed(&client.get(&scene.variables("dev"))), "spring.datasource.url=1");
    let export = client.get(&format!("{}/export", scene.variables("dev"))).text;
    assert_eq!(export, "spring.datasource.url=1\n");
    let at = scene.variable("dev", "spring.datasource.url");
    refused(&client.put(&at, &variable("2")), 422, "VALIDATION_ERROR");
    refused(&client.delete(&at), 422, "VALIDATION_ERROR");
    assert_eq!(scene.text("shop/dev"), "spring.datasource.url=1\n");
}
