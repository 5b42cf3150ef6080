//! What is asked first: who it is, whether the organization is theirs and active, whether they may, what there is, and
//! only then whether the request makes sense.

use ioenv::vault::{
    At, NewEnvironment, NewOrganization, NewProject, NewTarget, NewToken, OrganizationStatus, OrganizationUpdate,
    Permission as P, PermissionSet,
};

use super::super::stage::{Stage, path};
use super::shape::{Cloud, code, not_found};

/// A method, an address without what all begin with, and what it takes.
type Route = (&'static str, &'static str, &'static [P]);

/// Those in an organization, `{o}`, with a thing that is there.
const ROUTES: &[Route] = &[
    ("GET", "organizations/{o}", &[P::OrganizationRead]),
    ("PUT", "organizations/{o}", &[P::OrganizationUpdate]),
    ("PATCH", "organizations/{o}", &[P::OrganizationUpdate]),
    ("GET", "organizations/{o}/members", &[P::MemberRead]),
    ("POST", "organizations/{o}/members", &[P::MemberCreate]),
    ("DELETE", "organizations/{o}/members/{id}", &[P::MemberDelete]),
    ("GET", "organizations/{o}/audit-log", &[P::AuditRead]),
    ("GET", "organizations/{o}/api-keys", &[P::ApiTokenRead]),
    ("POST", "organizations/{o}/api-keys", &[P::ApiTokenCreate]),
    ("GET", "organizations/{o}/api-keys/{id}", &[P::ApiTokenRead]),
    ("PUT", "organizations/{o}/api-keys/{id}", &[P::ApiTokenUpdate]),
    ("DELETE", "organizations/{o}/api-keys/{id}", &[P::ApiTokenDelete]),
    ("POST", "organizations/{o}/api-keys/{id}/rotate", &[P::ApiTokenCreate, P::ApiTokenDelete]),
    ("GET", "{o}/projects", &[P::ProjectRead]),
    ("POST", "{o}/projects", &[P::ProjectCreate]),
    ("GET", "{o}/shop", &[P::ProjectRead]),
    ("PUT", "{o}/shop", &[P::ProjectUpdate]),
    ("PATCH", "{o}/shop", &[P::ProjectUpdate]),
    ("GET", "{o}/shop/targets", &[P::TargetRead]),
    ("POST", "{o}/shop/targets", &[P::TargetCreate]),
    ("GET", "{o}/shop/api", &[P::TargetRead]),
    ("PUT", "{o}/shop/api", &[P::TargetUpdate]),
    ("PATCH", "{o}/shop/api", &[P::TargetUpdate]),
    ("GET", "{o}/shop/api/environments", &[P::EnvironmentRead]),
    ("POST", "{o}/shop/api/environments", &[P::EnvironmentCreate]),
    ("GET", "{o}/shop/api/prod", &[P::EnvironmentRead]),
    ("PUT", "{o}/shop/api/prod", &[P::EnvironmentUpdate]),
    ("PATCH", "{o}/shop/api/prod", &[P::EnvironmentUpdate]),
    ("GET", "organizations/{o}/projects", &[P::ProjectRead]),
    ("GET", "organizations/{o}/projects/shop", &[P::ProjectRead]),
    ("GET", "organizations/{o}/projects/shop/targets", &[P::TargetRead]),
    ("GET", "organizations/{o}/projects/shop/targets/api", &[P::TargetRead]),
    ("GET", "organizations/{o}/projects/shop/targets/api/environments", &[P::EnvironmentRead]),
    ("GET", "organizations/{o}/projects/shop/targets/api/environments/prod", &[P::EnvironmentRead]),
    // Last, because then it is gone.
    ("DELETE", "{o}/shop/api/prod", &[P::EnvironmentDelete]),
    ("DELETE", "{o}/shop/api", &[P::TargetDelete]),
    ("DELETE", "{o}/shop", &[P::ProjectDelete]),
    ("DELETE", "organizations/{o}", &[P::OrganizationDelete]),
];

/// Bodies that are wrong in some way, with what is said of that to those who may: all of them hold something that must
/// not be repeated.
const BODIES: [(&str, u16); 4] = [
    (r#"{ "name": 7, "email": ["planted"], "slug": "PLANTED", "description": { "planted": true }, "planted""#, 400),
    (r#"["planted"]"#, 400),
    (r#"{ "name": ["planted"], "email": ["planted"], "slug": "PLANTED" }"#, 422),
    (r#"{ "name": "", "email": "", "slug": "planted--", "abilities": ["planted"] }"#, 422),
];

fn filled() -> Stage {
    let stage = Stage::new();
    let system = stage.system();
    system.create_project(stage.acme, &NewProject::new("shop")).unwrap();
    system.create_target(At::Path(stage.acme, &path("shop")), &NewTarget::new("api")).unwrap();
    system.create_environment(At::Path(stage.acme, &path("shop/api")), &NewEnvironment::new("prod")).unwrap();
    stage
}

fn address(route: &str, organization: &str, id: &str) -> String {
    format!("/api/v1/{}", route.replace("{o}", organization).replace("{id}", id))
}

/// All bodies that a request is tried with.
fn bodies(method: &str) -> Vec<Option<&'static str>> {
    let wrong = BODIES.iter().map(|(body, _)| Some(*body));
    if method == "GET" { vec![None] } else { wrong.chain([Some("{}"), None]).collect() }
}

#[test]
fn nobody_is_told_more_than_they_may_know() {
    let stage = filled();
    let other = stage.system().create_organization(&NewOrganization::new("Other")).unwrap().id;
    let token = |organization, permissions| {
        let new = NewToken::new("t", permissions);
        Cloud::new(stage.client(&stage.system().issue_token(organization, &new).unwrap().token))
    };
    let unknown = Cloud::new(stage.stranger().with("authorization", "Bearer ioenv_planted0123456789"));
    let not_one = Cloud::new(stage.stranger().with("authorization", "Bearer planted"));
    let (stranger, foreign, blind) =
        (Cloud::new(stage.stranger()), token(other, PermissionSet::ALL), token(other, P::SecretRead.into()));
    let acme = stage.acme.to_string();
    let id =
        stage.system().issue_token(stage.acme, &NewToken::new("id", P::SecretRead.into())).unwrap().info.id.to_string();
    for (method, route, needed) in ROUTES {
        let at = address(route, &acme, &id);
        let without = token(stage.acme, PermissionSet::ALL.difference(PermissionSet::of(needed)));
        for body in bodies(method) {
            let shown = format!("{method} {at} {body:?}");
            let tried = |client: &Cloud, at: &str| {
                let answer = client.send(method, at, body);
                assert!(!answer.text.to_lowercase().contains("planted"), "{shown}");
                assert!(answer.headers.values().all(|value| !value.to_str().unwrap().contains("planted")), "{shown}");
                answer
            };
            for nowhere in [&at, &address(route, "acme", &id), &address(route, &acme.replace('0', "1"), "x")] {
                for client in [&stranger, &unknown, &not_one] {
                    let answer = tried(client, nowhere);
                    assert_eq!((answer.status, code(&answer, 401).as_str()), (401, "unauthenticated"), "{shown}");
                }
            }
            for client in [&foreign, &blind] {
                assert_eq!(tried(client, &at).json(404), not_found(), "{shown}");
            }
            // What the organization is, before what may be done there; and the other way round for what is in it.
            for (organization, status) in [("acme", 404), (&*other.to_string(), 404), (&*acme, 403)] {
                for id in [id.as_str(), "x"] {
                    for gone in ["shop", "nothing", "NOTHING", "_base", "%20"] {
                        let route = route.replace("shop", gone).replace("api/", "nothing/").replace("/prod", "/x");
                        let route = if gone == "shop" { (*route).to_owned() } else { route };
                        let at = address(&route, organization, id);
                        let answer = tried(&without, &at);
                        assert_eq!(answer.status, status, "{shown} at {at}: {}", answer.text);
                    }
                }
            }
        }
    }
}

#[test]
fn what_is_not_active_is_told_before_what_may_be_done() {
    let stage = filled();
    let clients = [stage.token(PermissionSet::ALL, None), stage.token(P::TeamRead.into(), None)]
        .map(|token| stage.client(&token));
    let clients = clients.map(Cloud::new);
    let other = stage.system().create_organization(&NewOrganization::new("Other")).unwrap().id;
    let update = OrganizationUpdate::new().status(OrganizationStatus::Locked);
    stage.system().update_organization(stage.acme, &update).unwrap();
    for (method, route, _) in ROUTES {
        for body in bodies(method) {
            for client in &clients {
                let answer = client.send(method, &address(route, &stage.acme.to_string(), "x"), body);
                assert_eq!(code(&answer, 403), "organization_inactive", "{method} {route}");
                let message = "The organization is not active: its operator can activate it.";
                assert_eq!(answer.json(403)["message"], message);
                for nowhere in [other.to_string(), "acme".to_owned()] {
                    let answer = client.send(method, &address(route, &nowhere, "x"), body);
                    assert_eq!(answer.json(404), not_found(), "{method} {route}");
                }
            }
        }
    }
}

#[test]
fn what_is_not_there_is_told_before_what_is_wrong() {
    let stage = filled();
    let acme = stage.acme.to_string();
    let id =
        stage.system().issue_token(stage.acme, &NewToken::new("id", P::SecretRead.into())).unwrap().info.id.to_string();
    for (method, route, needed) in ROUTES.iter().filter(|(method, ..)| ["POST", "PUT", "PATCH"].contains(method)) {
        let client = Cloud::with(&stage, &[needed, [P::SecretRead].as_slice()].concat(), None);
        for (body, status) in BODIES {
            if !route.ends_with("rotate") {
                let answer = client.send(method, &address(route, &acme, &id), Some(body));
                assert_eq!(answer.status, status, "{method} {route} {body}: {}", answer.text);
                let expected = if status == 400 { "malformed_request" } else { "validation_failed" };
                assert_eq!(code(&answer, status), expected);
                assert!(!answer.text.to_lowercase().contains("planted"), "{}", answer.text);
            }
            for gone in ["nothing", "NOTHING", "_base"] {
                let at = address(&route.replace("shop", gone), &acme, &id);
                if route.contains("shop") {
                    assert_eq!(client.send(method, &at, Some(body)).json(404), not_found(), "{method} {at}");
                }
            }
            let at = address(&route.replace("shop/api", "shop/nothing"), &acme, &id);
            if route.contains("shop/api") {
                assert_eq!(client.send(method, &at, Some(body)).json(404), not_found(), "{method} {at}");
            }
        }
    }
}

#[test]
fn those_of_no_organization_take_a_token_alone() {
    let stage = Stage::new();
    let nothing = Cloud::with(&stage, &[P::BillingRead], None);
    for path in ["organizations", "organization", "user"] {
        let at = format!("/api/v1/{path}");
        nothing.get(&at).json(200);
        for token in [None, Some("Bearer ioenv_planted0123456789"), Some("Basic planted"), Some("Bearer")] {
            let client = token.map_or(stage.stranger(), |token| stage.stranger().with("authorization", token));
            let answer = Cloud::new(client).get(&at);
            assert_eq!(code(&answer, 401), "unauthenticated");
            assert!(!answer.text.contains("planted"));
        }
    }
    let client = stage.client(&stage.token(PermissionSet::ALL, None));
    let again = Cloud::new(client.clone().with("authorization", "Bearer ioenv_planted0123456789"));
    assert_eq!(code(&again.get("/api/v1/user"), 401), "unauthenticated");
    Cloud::new(client.clone().with("x-api-version", "1")).get("/api/v1/user").json(200);
    for version in ["2", "", "1.0", "v1"] {
        for client in [client.clone(), stage.stranger()] {
            let answer = Cloud::new(client.with("x-api-version", version)).get("/api/v1/user");
            assert_eq!(code(&answer, 400), "unsupported_api_version", "{version}");
        }
    }
}
