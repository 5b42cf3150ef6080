use ioenv::vault::{At, Permission, PermissionSet, PersonalKeyLevel};
use serde_json::json;

use super::{Scene, words};

#[test]
fn each_kind_of_key_is_told_what_it_is() {
    let scene = Scene::new();
    let workspace = json!({"id": scene.stage.acme.to_prefixed("wks"), "slug": "acme", "name": "Acme"});

    let key = scene.account_key(words(["secrets.read", "secrets.write"]));
    let body = scene.stage.client(&key).get("/v1/whoami").json(200);
    let id = body["data"]["id"].as_str().unwrap();
    assert!(id.starts_with("acc_") && id.len() == 26);
    assert_eq!(
        body,
        json!({"type": "environment_account", "data": {"id": id, "name": "runner", "workspace": workspace,
            "project": {"id": scene.project.to_prefixed("proj"), "name": "billing",
                "environment": {"id": scene.environment.to_prefixed("env"), "name": "api-dev"}},
            "permissions": {"environment": ["read"], "secrets": ["read", "write"]}}})
    );

    let key = scene.service_key(words(["projects.read", "projects.write"]));
    let body = scene.stage.client(&key).get("/v1/whoami").json(200);
    let id = &body["data"]["id"];
    assert_eq!(
        body,
        json!({"type": "service_account", "data": {"id": id, "name": "ci", "workspace": workspace,
            "access": {"workspace": {"permissions": {"projects": ["read", "write"]},
                "created_project_permissions": null, "created_environment_permissions": null},
            "project_count": 1}}})
    );

    for (role, level) in [("admin", PersonalKeyLevel::FullAccess), ("member", PersonalKeyLevel::ReadOnly)] {
        let email = format!("{role}@example.test");
        let (user, key) = scene.personal_key(&email, role, level);
        let mut workspace = workspace.clone();
        workspace["user_role"] = json!(role);
        assert_eq!(
            scene.stage.client(&key).get("/v1/whoami").json(200),
            json!({"type": "user", "data": {"id": user.to_prefixed("usr"), "email": email, "full_name": "Ann Oak",
                "display_name": null, "workspace": workspace}})
        );
    }
}

#[test]
fn an_api_token_is_as_good_as_the_key_of_an_account() {
    let scene = Scene::new();
    let workspace = json!({"id": scene.stage.acme.to_prefixed("wks"), "slug": "acme", "name": "Acme"});
    let token = scene.stage.token(words(["environment.read", "secrets.read"]), Some("billing/api-dev"));
    let client = scene.stage.client(&token);
    let body = client.get("/v1/whoami").json(200);
    let id = body["data"]["id"].as_str().unwrap();
    assert!(id.starts_with("acc_"));
    assert_eq!(
        body,
        json!({"type": "environment_account", "data": {"id": id, "name": "worker", "workspace": workspace,
            "project": {"id": scene.project.to_prefixed("proj"), "name": "billing",
                "environment": {"id": scene.environment.to_prefixed("env"), "name": "api-dev"}},
            "permissions": {"environment": ["read"], "secrets": ["read"]}}})
    );
    assert_eq!(client.get("/v1/environment/secrets").json(200), json!([]));

    for (scope, count) in [(None, 2), (Some("billing"), 1)] {
        scene.stage.system().create_project(scene.stage.acme, &ioenv::vault::NewProject::new("other")).ok();
        let client = scene.stage.client(&scene.stage.token(words(["projects.read"]), scope));
        let body = client.get("/v1/whoami").json(200);
        let id = body["data"]["id"].as_str().unwrap();
        assert!(id.starts_with("sa_"));
        assert_eq!(
            body,
            json!({"type": "service_account", "data": {"id": id, "name": "worker", "workspace": workspace,
                "access": {"workspace": {"permissions": {"projects": ["read"]},
                    "created_project_permissions": null, "created_environment_permissions": null},
                "project_count": count}}})
        );
        assert_eq!(client.get("/v1/projects").json(200)["pagination"]["total_items"], count, "{scope:?}");
    }
}

#[test]
fn keys_are_for_what_they_are_for() {
    let scene = Scene::new();
    let of_environment = scene.stage.client(&scene.stage.token(PermissionSet::ALL, Some("billing/api-dev")));
    let workspace = json!({"supported_api_key_types": ["user", "service_account"]});
    let environment = json!({"supported_api_key_types": ["environment_account"]});
    for client in [&of_environment, &scene.own()] {
        for path in ["/v1/projects", "/v1/projects/billing", "/v1/projects/!/environments/!/secrets/!"] {
            assert_eq!(client.get(path).refused(403, "access.unsupported_api_key_type"), workspace);
        }
    }
    let (_, personal) = scene.personal_key("ann@example.test", "admin", PersonalKeyLevel::FullAccess);
    let of_project = scene.stage.client(&scene.stage.token(PermissionSet::ALL, Some("billing")));
    for client in [&scene.workspace(), &scene.stage.admin(), &of_project, &scene.stage.client(&personal)] {
        for path in ["/v1/environment", "/v1/environment/secrets", "/v1/environment/webhooks/!"] {
            assert_eq!(client.get(path).refused(403, "access.unsupported_api_key_type"), environment);
        }
    }
}

#[test]
fn a_key_that_is_unknown_expired_or_elsewhere_says_so() {
    let scene = Scene::new();
    let system = scene.stage.system();
    let stranger = scene.stage.stranger();
    for header in ["", "Bearer", "Bearer sb_env_unknown", "Basic eDp5"] {
        let client = if header.is_empty() { stranger.clone() } else { stranger.clone().with("authorization", header) };
        for path in ["/v1/whoami", "/v1/environment/secrets", "/v1/projects"] {
            assert_eq!(client.get(path).refused(401, "auth.unauthorized"), json!({}));
        }
    }

    let end = "2031-02-03T05:05:06.789Z";
    let new = ioenv::vault::NewAccount::new("short", Permission::SecretRead.into()).expires_at(end.parse().unwrap());
    let at = super::path("billing/api-dev");
    let short = system.create_account(At::Path(scene.stage.acme, &at), &new).unwrap().key;
    let client = scene.stage.client(&short);
    client.get("/v1/environment").json(200);
    scene.stage.pass(3_600_000);
    assert_eq!(client.get("/v1/environment").refused(401, "auth.expired_api_key"), json!({"expired_at": end}));

    let elsewhere = ioenv::vault::NewServiceAccount::new("elsewhere", PermissionSet::ALL)
        .allow_list(super::super::stage::ranges(["192.0.2.0/24"]));
    let account = system.create_service_account(scene.stage.acme, &elsewhere).unwrap().id;
    let key = system.create_service_key(scene.stage.acme, account, &ioenv::vault::NewServiceKey::new("one")).unwrap();
    for path in ["/v1/whoami", "/v1/projects"] {
        let answer = scene.stage.client(&key.key).get(path);
        assert_eq!(answer.refused(403, "access.ip_address_not_allowed"), json!({}));
    }
}
