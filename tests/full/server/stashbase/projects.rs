use ioenv::vault::{At, Grantee, NewEnvironment, NewProject, PersonalKeyLevel};
use serde_json::{Value, json};

use super::{START, Scene, path, words};

#[test]
fn a_project_is_made_read_changed_and_deleted() {
    let scene = Scene::new();
    let client = scene.workspace();
    let made = client.post("/v1/projects", &json!({"name": "My_App", "description": null, "extra": 1})).json(201);
    let id = made["id"].as_str().unwrap().to_owned();
    assert!(id.starts_with("proj_") && id.len() == 27);
    let expected = json!({"id": id, "created_at": START, "updated_at": START, "name": "My_App", "description": null,
        "environment_count": 0});
    assert_eq!(made, expected);
    assert_eq!(client.get("/v1/projects/My_App").json(200), expected);
    assert_eq!(client.get(&format!("/v1/projects/{id}")).json(200), expected);
    client.get("/v1/projects/my_app").refused(404, "resource.project_not_found");

    scene.stage.pass(1);
    client.patch("/v1/projects/My_App", &json!({"name": "other", "description": "About"})).empty(204);
    let changed = client.get(&format!("/v1/projects/{id}")).json(200);
    assert_eq!((&changed["name"], &changed["description"]), (&json!("other"), &json!("About")));
    assert_eq!((&changed["created_at"], &changed["updated_at"]), (&json!(START), &json!("2031-02-03T04:05:06.790Z")));
    client.patch("/v1/projects/other", &json!({"description": null})).empty(204);
    assert_eq!(client.get("/v1/projects/other").json(200)["description"], Value::Null);
    client.delete("/v1/projects/other").empty(204);
    client.get("/v1/projects/other").refused(404, "resource.project_not_found");
    client.delete("/v1/projects/other").refused(404, "resource.project_not_found");
}

#[test]
fn every_name_that_the_service_takes_can_be_used() {
    let scene = Scene::new();
    let client = scene.workspace();
    for name in ["_-", "-a-", "projects", "secrets", "user", "proj_a1B2c3D4e5F6g7H8i9J0k", &"x".repeat(40)] {
        let made = client.post("/v1/projects", &json!({"name": name})).json(201);
        let at = format!("/v1/projects/{name}");
        assert_eq!(client.get(&at).json(200), made);
        for environment in ["_x", "A1", "secrets", "environments", "a-_", &"x".repeat(32)] {
            client.post(&format!("{at}/environments"), &json!({"name": environment})).json(201);
            let secrets = format!("{at}/environments/{environment}/secrets");
            client.post(&secrets, &json!([{"name": "__", "value": "1"}])).json(201);
            assert_eq!(client.get(&secrets).json(200)[0]["name"], "__");
        }
        assert_eq!(client.get(&at).json(200)["environment_count"], 6);
        client.delete(&at).empty(204);
    }
}

#[test]
fn lists_are_cut_sorted_and_searched() {
    let scene = Scene::new();
    let client = scene.workspace();
    for name in ["alpha", "Beta", "gamma"] {
        scene.stage.pass(1000);
        client.post("/v1/projects", &json!({"name": name})).json(201);
    }
    client.post("/v1/projects/gamma/environments", &json!({"name": "dev"})).json(201);
    client.post("/v1/projects/gamma/environments", &json!({"name": "prod"})).json(201);
    let names = |query: &str| -> Vec<String> {
        let body = client.get(&format!("/v1/projects{query}")).json(200);
        body["data"].as_array().unwrap().iter().map(|one| one["name"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(names(""), ["Beta", "alpha", "billing", "gamma"]);
    assert_eq!(names("?order=desc"), ["gamma", "billing", "alpha", "Beta"]);
    assert_eq!(names("?sort_by=created_at"), ["billing", "alpha", "Beta", "gamma"]);
    assert_eq!(names("?sort_by=updated_at&order=desc"), ["gamma", "Beta", "alpha", "billing"]);
    assert_eq!(names("?sort_by=environment_count&order=desc")[..2], ["gamma", "billing"]);
    assert_eq!(names("?search=BE"), ["Beta"]);
    assert_eq!(names("?search=zz"), [""; 0]);
    assert_eq!(names("?page=2&page_size=3"), ["gamma"]);

    let body = client.get("/v1/projects?page_size=2&page=1&unknown=x").json(200);
    let pagination = json!({"page": 1, "page_size": 2, "total_items": 4, "total_pages": 2, "next_page": 2,
        "prev_page": null});
    assert_eq!(body["pagination"], pagination);
    let body = client.get("/v1/projects?page=2&page_size=2").json(200);
    assert_eq!(body["pagination"]["prev_page"], 1);
    assert_eq!(body["pagination"]["next_page"], Value::Null);
    assert_eq!(body["data"][1]["environment_count"], 2);
    let body = client.get("/v1/projects?search=nothing").json(200);
    let empty = json!({"page": 1, "page_size": 10, "total_items": 0, "total_pages": 0, "next_page": null,
        "prev_page": null});
    assert_eq!(body, json!({"data": [], "pagination": empty}));
    assert_eq!(client.get("/v1/projects?page=9").json(200)["data"], json!([]));

    let bounds = json!({"min": 1, "max": 1000, "default": 1});
    for page in ["0", "1001", "-1", "x", ""] {
        let answer = client.get(&format!("/v1/projects?page={page}"));
        assert_eq!(answer.refused(400, "validation.invalid_page"), bounds);
    }
    let bounds = json!({"min": 2, "max": 30, "default": 10});
    for size in ["1", "31", "x"] {
        let answer = client.get(&format!("/v1/projects?page_size={size}"));
        assert_eq!(answer.refused(400, "validation.invalid_page_size"), bounds);
    }
    let allowed = json!({"allowed_values": ["name", "created_at", "updated_at", "environment_count"]});
    assert_eq!(client.get("/v1/projects?sort_by=id").refused(400, "validation.invalid_sort_by"), allowed);
    let allowed = json!({"allowed_values": ["asc", "desc"]});
    assert_eq!(client.get("/v1/projects?order=up").refused(400, "validation.invalid_order"), allowed);
    for search in ["a", "a%20b", "a.b"] {
        let details = client.get(&format!("/v1/projects?search={search}")).refused(400, "validation.invalid_search");
        assert!(details["valid_search_examples"].is_array() && details["invalid_search_examples"].is_array());
    }
}

#[test]
fn what_a_project_cannot_be_is_said() {
    let scene = Scene::new();
    let client = scene.workspace();
    let refused = |body: Value, status, code: &str| client.post("/v1/projects", &body).refused(status, code);
    refused(json!({"name": "billing"}), 409, "conflict.project_already_exists");
    for name in ["a", "a b", "a.b", &"x".repeat(41), "", "_base", "usr_0000000000000000000000"] {
        let details = refused(json!({"name": name}), 400, "validation.invalid_project_name");
        assert_eq!(details["valid_name_examples"], json!(["my-app", "super_app", "App2"]));
        assert_eq!(details["invalid_name_examples"], json!(["a", "#app", "app.v2"]));
    }
    let id = scene.project.to_prefixed("proj");
    let details = refused(json!({"name": id}), 400, "validation.project_name_uses_id_format");
    assert!(details["valid_name_examples"].is_array() && details["invalid_name_examples"].is_array());
    let long = "é".repeat(256);
    let details = refused(json!({"name": "new", "description": long}), 400, "validation.project_description_too_long");
    assert_eq!(details, json!({"max_length": 255}));
    for body in [json!([]), json!({}), json!({"name": 1}), json!("x")] {
        refused(body, 400, "validation.bad_request");
    }
    client.send("POST", "/v1/projects", Some("{")).refused(400, "validation.bad_request");
    client.send("POST", "/v1/projects", None).refused(400, "validation.bad_request");

    client.post("/v1/projects", &json!({"name": "other"})).json(201);
    let update = |body: Value, status, code: &str| client.patch("/v1/projects/billing", &body).refused(status, code);
    let details = update(json!({}), 400, "validation.missing_properties_to_update");
    assert_eq!(details, json!({"possible_properties": ["name", "description"]}));
    update(json!({"name": "other"}), 409, "conflict.project_already_exists");
    update(json!({"name": "billing"}), 400, "validation.new_project_name_equals_original");
    update(json!({"name": "a"}), 400, "validation.invalid_project_name");
    update(json!({"description": long}), 400, "validation.project_description_too_long");
    let by_id = client.patch(&format!("/v1/projects/{id}"), &json!({"name": "billing"}));
    by_id.refused(400, "validation.new_project_name_equals_original");

    for bad in ["a", "a.b", "%20%20", &"x".repeat(41)] {
        let details = client.get(&format!("/v1/projects/{bad}")).refused(400, "validation.invalid_project_identifier");
        let examples = json!({"name_examples": ["my-app", "super_app", "App2"],
            "id_example": "proj_Zz9Yy8Xx7Ww6Vv5Uu4Tt3S"});
        assert_eq!(details, examples);
    }
    for unknown in ["nothing", "proj_zzzzzzzzzzzzzzzzzzzzzz", "proj_0000000000000000000000"] {
        client.get(&format!("/v1/projects/{unknown}")).refused(404, "resource.project_not_found");
        client.get(&format!("/v1/projects/{unknown}/environments")).refused(404, "resource.project_not_found");
    }
    // What is another kind of thing has no such id here.
    let environment = scene.environment.to_prefixed("proj");
    client.get(&format!("/v1/projects/{environment}")).refused(404, "resource.project_not_found");
}

#[test]
fn a_user_sees_what_was_granted() {
    let scene = Scene::new();
    let system = scene.stage.system();
    system.create_project(scene.stage.acme, &NewProject::new("hidden")).unwrap();
    system.create_environment(At::Path(scene.stage.acme, &path("billing")), &NewEnvironment::new("closed")).unwrap();
    let (user, key) = scene.personal_key("ann@example.test", "member", PersonalKeyLevel::FullAccess);
    let client = scene.stage.client(&key);
    assert_eq!(client.get("/v1/projects").json(200)["data"], json!([]));
    let at = path("billing/api-dev");
    system.grant(At::Path(scene.stage.acme, &at), Grantee::User(user), "editor".parse().unwrap()).unwrap();
    let listed = client.get("/v1/projects").json(200);
    assert_eq!(listed["pagination"]["total_items"], 1);
    assert_eq!(listed["data"][0]["access_level"], "granted");
    assert_eq!(listed["data"][0]["environment_count"], 1);
    let environments = client.get("/v1/projects/billing/environments").json(200);
    assert_eq!(environments.as_array().unwrap().len(), 1);
    assert_eq!(environments[0]["user_role"], "editor");
    client.get("/v1/projects/hidden").refused(404, "resource.project_not_found");
    client.get("/v1/projects/billing/environments/closed").refused(404, "resource.environment_not_found");
    client.get("/v1/projects/billing/environments/closed/secrets").refused(404, "resource.environment_not_found");

    // An editor neither shapes the project nor removes secrets.
    let create = |body| client.post("/v1/projects/billing/environments", &body);
    assert_eq!(create(json!({"name": "new"})).refused(403, "access.missing_full_project_access"), json!({}));
    create(json!([])).refused(403, "access.missing_full_project_access");
    client.patch("/v1/projects/billing", &json!({})).refused(403, "access.missing_full_project_access");
    client.delete("/v1/projects/billing").refused(403, "access.missing_full_project_access");
    client.delete(super::AT).refused(403, "access.missing_full_project_access");
    let secrets = format!("{}/secrets", super::AT);
    client.post(&secrets, &json!([{"name": "NEW", "value": ""}])).json(201);
    let details = client.post(&format!("{secrets}/delete"), &json!([])).refused(403, "access.missing_permission");
    assert_eq!(details, json!({"required_permissions": ["secrets.delete"]}));
    client.post("/v1/projects", &json!({"name": "mine"})).refused(403, "access.missing_permission");
    // The history is for users, and an editor brings back what removes nothing.
    let changes = client.get(&format!("{}/changelog", super::AT)).json(200);
    assert_eq!(changes["pagination"]["total_items"], 1);

    let (_, key) = scene.personal_key("root@example.test", "admin", PersonalKeyLevel::FullAccess);
    let admin = scene.stage.client(&key);
    assert_eq!(admin.get("/v1/projects/billing").json(200)["access_level"], "full");
    assert_eq!(admin.get(super::AT).json(200)["user_role"], "admin");
    // A key that is for less is refused for what it is, not for what its user is.
    let (_, key) = scene.personal_key("reader@example.test", "admin", PersonalKeyLevel::ReadOnly);
    let reader = scene.stage.client(&key);
    let details = reader.delete(super::AT).refused(403, "access.missing_permission");
    assert_eq!(details, json!({"required_permissions": ["environment.delete"]}));
    let nothing = scene.stage.client(&scene.service_key(words(["scans.scan"])));
    let details = nothing.get("/v1/projects").refused(403, "access.missing_permission");
    assert_eq!(details, json!({"required_permissions": ["projects.read"]}));
}
