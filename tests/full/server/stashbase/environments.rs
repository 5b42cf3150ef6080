use ioenv::LevelKey;
use ioenv::dotenv_cloud::KeyProof;
use ioenv::vault::{At, EnvironmentRole, NewAccount, NewEnvironment, NewKey, NewProject, NewTarget};
use serde_json::{Value, json};

use super::{AT, OWN, START, Scene, path, words};

const ALL: &str = "/v1/projects/billing/environments";

#[test]
fn an_environment_is_made_read_changed_and_deleted() {
    let scene = Scene::new();
    let client = scene.workspace();
    let body = json!({"name": "api-Prod", "description": "live", "is_production": true, "locked": true});
    let made = client.post(ALL, &body).json(201);
    let id = made["id"].as_str().unwrap().to_owned();
    assert!(id.starts_with("env_") && id.len() == 26);
    let expected = json!({"id": id, "created_at": START, "updated_at": START, "name": "api-Prod",
        "is_production": true, "description": "live", "secret_count": 0});
    assert_eq!(made, expected);
    assert_eq!(client.get(&format!("{ALL}/api-Prod")).json(200), expected);
    assert_eq!(client.get(&format!("{ALL}/{id}")).json(200), expected);
    let project = scene.project.to_prefixed("proj");
    assert_eq!(client.get(&format!("/v1/projects/{project}/environments/{id}")).json(200), expected);

    scene.stage.pass(1);
    let one = format!("{ALL}/{id}");
    client.patch(&one, &json!({"name": "live"})).empty(204);
    client.patch(&one, &json!({"is_production": false})).empty(204);
    client.patch(&one, &json!({"description": "no longer"})).empty(204);
    let changed = json!({"id": id, "created_at": START, "updated_at": "2031-02-03T04:05:06.790Z", "name": "live",
        "is_production": false, "description": "no longer", "secret_count": 0});
    assert_eq!(client.get(&format!("{ALL}/live")).json(200), changed);
    client.patch(&one, &json!({"description": null})).empty(204);
    assert_eq!(client.get(&one).json(200)["description"], Value::Null);
    client.delete(&one).empty(204);
    client.get(&one).refused(404, "resource.environment_not_found");

    let plain = client.post(ALL, &json!({"name": "plain"})).json(201);
    assert_eq!((&plain["is_production"], &plain["description"]), (&json!(false), &Value::Null));
}

#[test]
fn a_key_of_an_environment_reads_it() {
    let scene = Scene::new();
    scene.own().post(&format!("{OWN}/secrets"), &json!([{"name": "AA", "value": "1"}])).json(201);
    let body = scene.stage.client(&scene.account_key(words(["secrets.delete"]))).get(OWN).json(200);
    assert_eq!(
        body,
        json!({"id": scene.environment.to_prefixed("env"), "created_at": START, "updated_at": START,
            "name": "api-dev", "is_production": false, "description": null, "secret_count": 1,
            "project": {"id": scene.project.to_prefixed("proj"), "name": "billing"}})
    );
    let by_workspace = scene.workspace().get(AT).json(200);
    assert_eq!((&by_workspace["secret_count"], &by_workspace["project"]), (&json!(1), &Value::Null));
    scene.own().get(&format!("{OWN}/dashboard-url")).refused(404, "validation.bad_request");
    scene.own().post(OWN, &json!({})).refused(405, "validation.bad_request");
    scene.own().post(&format!("{OWN}/secrets/metadata"), &json!({})).refused(405, "validation.bad_request");
}

#[test]
fn lists_are_sorted_and_searched() {
    let scene = Scene::new();
    let client = scene.workspace();
    for (name, is_production) in [("web-prod", true), ("Api", false)] {
        scene.stage.pass(1000);
        client.post(ALL, &json!({"name": name, "is_production": is_production})).json(201);
    }
    client.post(&format!("{ALL}/Api/secrets"), &json!([{"name": "AA", "value": "1"}])).json(201);
    let names = |query: &str| -> Vec<String> {
        let body = client.get(&format!("{ALL}{query}")).json(200);
        body.as_array().unwrap().iter().map(|one| one["name"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(names(""), ["Api", "api-dev", "web-prod"]);
    assert_eq!(names("?sort_by=created_at&order=desc"), ["Api", "web-prod", "api-dev"]);
    assert_eq!(names("?sort_by=updated_at"), ["api-dev", "web-prod", "Api"]);
    assert_eq!(names("?sort_by=secret_count&order=desc")[0], "Api");
    assert_eq!(names("?search=API"), ["Api", "api-dev"]);
    assert_eq!(names("?is_production=true"), ["web-prod"]);
    assert_eq!(names("?is_production=false"), ["Api", "api-dev"]);
    client.get(&format!("{ALL}?is_production=x")).refused(400, "validation.bad_request");
    let allowed = json!({"allowed_values": ["name", "created_at", "updated_at", "secret_count"]});
    assert_eq!(client.get(&format!("{ALL}?sort_by=x")).refused(400, "validation.invalid_sort_by"), allowed);
    client.get(&format!("{ALL}?order=x")).refused(400, "validation.invalid_order");
    client.get(&format!("{ALL}?search=x")).refused(400, "validation.invalid_search");
}

#[test]
fn what_an_environment_cannot_be_is_said() {
    let scene = Scene::new();
    let client = scene.workspace();
    let refused = |body: Value, status, code: &str| client.post(ALL, &body).refused(status, code);
    refused(json!({"name": "api-dev"}), 409, "conflict.environment_already_exists");
    for name in ["a", "dev env", "api/dev", "a-b-c", "-ab", "ab-", &"x".repeat(33), "_base"] {
        let details = refused(json!({"name": name}), 400, "validation.invalid_environment_name");
        assert_eq!(details["valid_name_examples"], json!(["dev", "dev_2", "api-production"]));
        assert_eq!(details["invalid_name_examples"], json!(["dev env", "api/dev", "api.dev"]));
    }
    let id = scene.environment.to_prefixed("env");
    refused(json!({"name": id}), 400, "validation.environment_name_uses_id_format");
    let long = "x".repeat(256);
    let details =
        refused(json!({"name": "new", "description": long}), 400, "validation.environment_description_too_long");
    assert_eq!(details, json!({"max_length": 255}));
    refused(json!({"name": "new", "is_production": "yes"}), 400, "validation.bad_request");

    client.post(ALL, &json!({"name": "other"})).json(201);
    let update = |body: Value, status, code: &str| client.patch(AT, &body).refused(status, code);
    let details = update(json!({"unknown": 1}), 400, "validation.missing_properties_to_update");
    assert_eq!(details, json!({"possible_properties": ["name", "is_production", "description"]}));
    update(json!({"name": "api-dev"}), 400, "validation.new_environment_name_equals_original");
    update(json!({"name": "other"}), 409, "conflict.environment_already_exists");
    update(json!({"name": "env_0000000000000000000000"}), 400, "validation.environment_name_uses_id_format");

    for bad in ["a", "a.b", "a-b-c", &"x".repeat(41)] {
        let details = client.get(&format!("{ALL}/{bad}")).refused(400, "validation.invalid_environment_identifier");
        let examples = json!({"name_examples": ["dev", "dev_2", "api-production"],
            "id_example": "env_Kk1Ll2Mm3Nn4Oo5Pp6Qq7R"});
        assert_eq!(details, examples);
    }
    for unknown in ["nothing", "env_zzzzzzzzzzzzzzzzzzzzzz", "env_0000000000000000000000"] {
        for rest in ["", "/secrets", "/webhooks", "/changelog"] {
            let answer = client.get(&format!("{ALL}/{unknown}{rest}"));
            answer.refused(404, "resource.environment_not_found");
        }
    }
    client.get("/v1/projects/nothing/environments/api-dev").refused(404, "resource.project_not_found");
}

#[test]
fn an_environment_comes_with_its_secrets_or_not_at_all() {
    let scene = Scene::new();
    let client = scene.workspace();
    let secrets = json!([{"name": "AA", "value": "1", "comment": "x "}, {"name": "BB", "value": "2"}]);
    let made = client.post(&format!("{ALL}?url=true"), &json!({"name": "full", "secrets": secrets})).json(201);
    assert_eq!(made["secret_count"], 2);
    let listed = client.get(&format!("{ALL}/full/secrets")).json(200);
    assert_eq!(listed[0], json!({"name": "AA", "value": "1", "comment": "x"}));
    for secrets in [json!([{"name": "aa", "value": ""}]), json!([{"name": "AA", "value": "\0"}])] {
        let answer = client.post(ALL, &json!({"name": "none", "secrets": secrets}));
        assert_eq!(answer.status, 400);
        client.get(&format!("{ALL}/none")).refused(404, "resource.environment_not_found");
    }
    let key = scene.service_key(words(["environment.write", "environment.read"]));
    let shaper = scene.stage.client(&key);
    let body = json!({"name": "none", "secrets": [{"name": "AA", "value": "1"}]});
    let details = shaper.post(ALL, &body).refused(403, "access.missing_permission");
    assert_eq!(details, json!({"required_permissions": ["secrets.write"]}));
    client.get(&format!("{ALL}/none")).refused(404, "resource.environment_not_found");
    shaper.post(ALL, &json!({"name": "none", "secrets": []})).json(201);
}

#[test]
fn only_what_stands_right_below_a_project_is_an_environment_of_it() {
    let scene = Scene::new();
    let (system, acme) = (scene.stage.system(), scene.stage.acme);
    let project = NewProject::new("based").has_base(true);
    let based = system.create_project(acme, &project).unwrap().id;
    system.create_target(At::Path(acme, &path("based")), &NewTarget::new("web")).unwrap();
    let below = NewEnvironment::new("below");
    let below = system.create_environment(At::Path(acme, &path("based/web")), &below).unwrap().id.to_prefixed("env");
    let client = scene.workspace();
    let all = "/v1/projects/based/environments";
    let listed = client.get(all).json(200);
    let names: Vec<&str> = listed.as_array().unwrap().iter().map(|one| one["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["dev", "prod", "staging"]);
    assert_eq!(client.get("/v1/projects/based").json(200)["environment_count"], 3);
    for other in ["_base", "web", &below, &based.to_prefixed("env")] {
        client.get(&format!("{all}/{other}")).refused(404, "resource.environment_not_found");
        client.get(&format!("{all}/{other}/secrets")).refused(404, "resource.environment_not_found");
    }
    // Names that this service would not give are shown, and reached by id.
    let made = NewEnvironment::new("eu-web-1");
    let id = system.create_environment(At::Path(acme, &path("based")), &made).unwrap().id.to_prefixed("env");
    assert_eq!(client.get(&format!("{all}/{id}")).json(200)["name"], "eu-web-1");
    client.delete(&format!("{all}/staging")).empty(204);
    client.patch(&format!("{all}/dev"), &json!({"name": "other"})).refused(400, "validation.invalid_environment_name");
}

#[test]
fn a_key_of_an_environment_below_a_target_works_there() {
    let scene = Scene::new();
    let (system, acme) = (scene.stage.system(), scene.stage.acme);
    system.create_target(At::Path(acme, &path("billing")), &NewTarget::new("web")).unwrap();
    system.create_environment(At::Path(acme, &path("billing/web")), &NewEnvironment::new("prod")).unwrap();
    let new = NewAccount::new("runner", EnvironmentRole::ACCOUNT);
    let key = system.create_account(At::Path(acme, &path("billing/web/prod")), &new).unwrap().key;
    let client = scene.stage.client(&key);
    let body = client.get(OWN).json(200);
    assert_eq!((&body["name"], &body["project"]["name"]), (&json!("prod"), &json!("billing")));
    client.post(&format!("{OWN}/secrets"), &json!([{"name": "AA", "value": "1"}])).json(201);
    assert_eq!(client.get(&format!("{OWN}/secrets/AA")).json(200)["value"], "1");
    assert_eq!(client.get("/v1/whoami").json(200)["data"]["project"]["environment"]["name"], "prod");
}

#[test]
fn two_environments_are_compared() {
    let scene = Scene::new();
    let client = scene.workspace();
    client.post(ALL, &json!({"name": "other"})).json(201);
    let put = |at: &str, body| client.put(&format!("{ALL}/{at}/secrets"), &body).json(200);
    put("api-dev", json!([{"name": "AA", "value": "1"}, {"name": "BB", "value": "b${AA}"}]));
    put("other", json!([{"name": "CC", "value": ""}, {"name": "AA", "value": "1"}]));
    let compare = |query: &str| client.get(&format!("{AT}/compare/other{query}")).json(200);
    assert_eq!(
        compare("?with_values=true"),
        json!([{"name": "AA", "values": ["1", "1"]}, {"name": "BB", "values": ["b${AA}", null]},
            {"name": "CC", "values": [null, ""]}])
    );
    assert_eq!(compare("?with_values=true&expand_refs=true")[1]["values"], json!(["b1", null]));
    assert_eq!(compare("")[2]["values"], json!([null, "******"]));
    client.get(&format!("{AT}/compare/api-dev")).refused(400, "validation.environment_self_comparison");
    client.get(&format!("{AT}/compare/none")).refused(404, "resource.compare_to_environment_not_found");
    client.get(&format!("{ALL}/none/compare/other")).refused(404, "resource.environment_not_found");
    client.get(&format!("{AT}/compare/!")).refused(400, "validation.invalid_environment_identifier");
}

#[test]
fn what_the_vault_cannot_open_is_not_opened() {
    let scene = Scene::new();
    let mut project = NewProject::new("theirs");
    let proof = KeyProof::of(&LevelKey::from_bytes(&[7; 32])).to_text();
    project = project.key(NewKey::Client { derivation: None, proof, hint: None });
    scene.stage.system().create_project(scene.stage.acme, &project).unwrap();
    let client = scene.workspace();
    let all = "/v1/projects/theirs/environments";
    client.post(all, &json!({"name": "dev"})).json(201);
    assert_eq!(client.get(&format!("{all}/dev")).json(200)["secret_count"], 0);
    client.get(&format!("{all}/dev/secrets")).refused(409, "validation.bad_request");
    let body = json!([{"name": "AA", "value": "1"}]);
    client.post(&format!("{all}/dev/secrets"), &body).refused(409, "validation.bad_request");
    client.get("/v1/projects/theirs/secrets/search?name=AA").refused(409, "validation.bad_request");
}
