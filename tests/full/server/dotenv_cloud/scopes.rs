//! What is bound to a place may do there what it may, know of the way to there, and find nothing elsewhere.

use ioenv::vault::{At, NewEnvironment, NewProject, NewTarget, PermissionSet};
use serde_json::json;

use super::super::stage::{Stage, path};
use super::shape::{Cloud, code, not_found};

const SCOPES: [&str; 4] = ["", "shop", "shop/api", "shop/api/prod"];

/// What each scope is answered: a method, an address behind the organization, and a status for each scope.
const ANSWERS: &[(&str, &str, [u16; 4])] = &[
    ("GET", "shop", [200, 200, 200, 200]),
    ("GET", "shop/targets", [200, 200, 200, 200]),
    ("GET", "shop/api", [200, 200, 200, 200]),
    ("GET", "shop/api/environments", [200, 200, 200, 200]),
    ("GET", "shop/api/prod", [200, 200, 200, 200]),
    ("GET", "shop/api/dev", [200, 200, 200, 404]),
    ("GET", "shop/web", [200, 200, 404, 404]),
    ("GET", "shop/web/environments", [200, 200, 404, 404]),
    ("GET", "shop/web/prod", [200, 200, 404, 404]),
    ("GET", "other", [200, 404, 404, 404]),
    ("GET", "other/targets", [200, 404, 404, 404]),
    ("GET", "other/api", [200, 404, 404, 404]),
    ("PATCH", "shop/api/prod", [200, 200, 200, 200]),
    ("PATCH", "shop/api/dev", [200, 200, 200, 404]),
    ("PATCH", "shop/api", [200, 200, 200, 404]),
    ("PATCH", "shop/web", [200, 200, 404, 404]),
    ("PATCH", "shop", [200, 200, 404, 404]),
    ("PATCH", "other", [200, 404, 404, 404]),
    ("PATCH", "other/api", [200, 404, 404, 404]),
    ("POST", "shop/api/environments", [201, 201, 201, 404]),
    ("POST", "shop/web/environments", [201, 201, 404, 404]),
    ("POST", "shop/targets", [201, 201, 404, 404]),
    ("POST", "other/targets", [201, 404, 404, 404]),
    ("POST", "projects", [201, 403, 403, 403]),
    ("DELETE", "shop/web/prod", [204, 204, 404, 404]),
    ("DELETE", "shop/web", [204, 204, 404, 404]),
    ("DELETE", "other", [204, 404, 404, 404]),
    ("DELETE", "shop/api/dev", [204, 204, 204, 404]),
    ("DELETE", "shop/api/prod", [204, 204, 204, 204]),
];

fn filled() -> Stage {
    let stage = Stage::memory();
    let system = stage.system();
    for project in ["shop", "other"] {
        system.create_project(stage.acme, &NewProject::new(project)).unwrap();
        for target in ["api", "web"] {
            system.create_target(At::Path(stage.acme, &path(project)), &NewTarget::new(target)).unwrap();
            for environment in ["prod", "dev"] {
                let parent = path(&format!("{project}/{target}"));
                system.create_environment(At::Path(stage.acme, &parent), &NewEnvironment::new(environment)).unwrap();
            }
        }
    }
    stage
}

fn bound(stage: &Stage, scope: &str) -> Cloud {
    let scope = Some(scope).filter(|scope| !scope.is_empty());
    Cloud::new(stage.client(&stage.token(PermissionSet::ALL, scope)))
}

#[test]
fn a_token_reaches_what_it_is_bound_to() {
    for (at, scope) in SCOPES.into_iter().enumerate() {
        let stage = filled();
        let client = bound(&stage, scope);
        for (method, path, statuses) in ANSWERS {
            let body = json!({ "name": format!("by {scope}") }).to_string();
            let body = Some(body.as_str()).filter(|_| *method != "GET");
            let answer = client.send(method, &format!("/api/v1/{}/{path}", stage.acme), body);
            assert_eq!(answer.status, statuses[at], "{method} {path} by a token of {scope:?}: {}", answer.text);
            match statuses[at] {
                404 => assert_eq!(answer.json(404), not_found()),
                403 => assert_eq!(code(&answer, 403), "insufficient_permissions"),
                _ => {}
            }
        }
        // With its place it is gone.
        let again = client.get("/api/v1/organization");
        assert_eq!(again.status, if scope == "shop/api/prod" { 401 } else { 200 });
    }
}

#[test]
fn what_is_listed_and_counted_is_what_it_reaches() {
    let stage = filled();
    for (scope, projects, targets, environments, counts) in [
        ("", "other shop", "api web", "dev prod", [2, 4, 2]),
        ("shop", "shop", "api web", "dev prod", [2, 4, 2]),
        ("shop/api", "shop", "api", "dev prod", [1, 2, 2]),
        ("shop/api/prod", "shop", "api", "prod", [1, 1, 1]),
    ] {
        let (client, o) = (bound(&stage, scope), stage.acme);
        let slugs = |path: &str| {
            let list = client.get(&format!("/api/v1/{o}/{path}")).json(200);
            let slugs = list["data"].as_array().unwrap().iter().map(|one| one["attributes"]["slug"].as_str().unwrap());
            slugs.collect::<Vec<_>>().join(" ")
        };
        assert_eq!(slugs("projects"), projects, "{scope}");
        assert_eq!(slugs("shop/targets"), targets, "{scope}");
        assert_eq!(slugs("shop/api/environments"), environments, "{scope}");
        let read = |path: &str| client.get(&format!("/api/v1/{o}/{path}")).json(200)["data"]["attributes"].clone();
        let (shop, api) = (read("shop"), read("shop/api"));
        let counted = [&shop["target_count"], &shop["environment_count"], &api["environment_count"]];
        assert_eq!(counted.map(|count| count.as_u64().unwrap()), counts, "{scope}");
        // What concerns all of the organization is not for what is bound to a place.
        let members = client.get(&format!("/api/v1/organizations/{o}/members"));
        assert_eq!(members.status, if scope.is_empty() { 200 } else { 403 });
    }
}
