use ioenv::vault::{NewProject, NewToken, Permission, PermissionSet, Sha256Hasher, Token, TokenHasher as _};
use serde_json::{Value, json};

use super::super::stage::{DAY, SECOND, path};
use super::{Scene, listed, refused};

#[test]
fn a_token_is_told_once_and_works_until_it_is_revoked() {
    let scene = Scene::new();
    let client = scene.client("admin");
    let at = scene.at("tokens");
    let body =
        json!({ "name": "ci deploy", "permissions": ["write", "read"], "expiresAt": "2031-02-03T05:05:06+01:00" });
    // That is past; a second more is not.
    refused(&client.post(&at, &body), 422, "VALIDATION_ERROR");
    let body =
        json!({ "name": "ci deploy", "permissions": ["write", "read"], "expiresAt": "2031-02-04T05:05:06+01:00" });
    let answer = client.post(&at, &body);
    let issued = answer.json(201)["token"].clone();
    let token = issued["plaintext"].as_str().unwrap().to_owned();
    assert!(token.len() == 38 && token.starts_with("ioenv_"), "{token}");
    let id = issued["id"].as_str().unwrap().to_owned();
    assert!(id.len() == 26 && id.starts_with("tok_"), "{id}");
    let mut record = json!({
        "id": id,
        "projectId": scene.project.id.to_prefixed("proj"),
        "name": "ci deploy",
        "permissions": ["read", "write"],
        "hint": format!("{}…", &token[..10]),
        "createdAt": "2031-02-03T04:05:06.789Z",
        "expiresAt": "2031-02-04T04:05:06.000Z",
        "revokedAt": null,
        "lastUsedAt": null,
    });
    let mut whole = record.clone();
    whole["plaintext"] = Value::from(token.as_str());
    assert_eq!(issued, whole);
    let find = || {
        let answer = client.get(&at);
        let body = answer.json(200);
        assert_eq!(body.as_object().unwrap().len(), 1);
        let hash = Sha256Hasher.hash(&Token::parse(&token).unwrap()).to_string();
        assert!(!answer.text.contains(&token) && !answer.text.contains(&hash));
        body["tokens"].as_array().unwrap().iter().find(|one| one["id"] == id.as_str()).cloned()
    };
    assert_eq!(find(), Some(record.clone()));

    let holder = scene.stage.stranger().with("authorization", &format!("bEARER  {token}"));
    holder.put(&scene.variable("dev", "K"), &json!({ "value": "1", "isSecret": false })).json(200);
    assert_eq!(listed(&holder.get(&scene.variables("dev"))), "K=1");
    refused(&holder.get(&at), 403, "FORBIDDEN");
    record["lastUsedAt"] = Value::from("2031-02-03T04:05:06.789Z");
    assert_eq!(find(), Some(record.clone()));

    scene.stage.pass(SECOND);
    client.delete(&format!("{at}/{id}")).empty(204);
    record["revokedAt"] = Value::from("2031-02-03T04:05:07.789Z");
    assert_eq!(find(), Some(record));
    refused(&holder.get(&scene.variables("dev")), 401, "UNAUTHORIZED");
    client.delete(&format!("{at}/{id}")).empty(204);
}

#[test]
fn an_expired_one_is_as_unknown_as_any() {
    let scene = Scene::new();
    let client = scene.client("admin");
    let body = json!({ "name": "short", "permissions": ["read"], "expiresAt": "2031-02-03T04:05:07Z" });
    let token = client.post(&scene.at("tokens"), &body).json(201)["token"]["plaintext"].as_str().unwrap().to_owned();
    let holder = scene.stage.stranger().with("authorization", &format!("Bearer {token}"));
    holder.get(&scene.variables("dev")).json(200);
    scene.stage.pass(DAY);
    let expired = holder.get(&scene.variables("dev"));
    let unknown =
        scene.stage.stranger().with("authorization", "Bearer ioenv_AbCdEf012345").get(&scene.variables("dev"));
    assert_eq!((expired.status, &expired.text), (401, &unknown.text));
}

#[test]
fn a_token_grants_only_what_it_holds() {
    let scene = Scene::new();
    let (stage, system) = (&scene.stage, scene.stage.system());
    let at = scene.at("tokens");
    let issue = PermissionSet::of(&[
        Permission::ApiTokenCreate,
        Permission::SecretRead,
        Permission::SecretDecrypt,
        Permission::EnvironmentRead,
    ]);
    let client = stage.client(&stage.token(issue, Some("shop")));
    client.post(&at, &json!({ "name": "reader", "permissions": ["read"] })).json(201);
    for words in [json!(["write"]), json!(["read", "write"]), json!(["admin"])] {
        let answer = client.post(&at, &json!({ "name": "more", "permissions": words }));
        assert!(refused(&answer, 403, "FORBIDDEN").contains("cannot grant"));
    }
    // Nor for longer.
    let new = NewToken::new("short", super::permissions("admin"))
        .scope(path("shop"))
        .expires_at("2031-02-04T00:00:00Z".parse().unwrap());
    let short = stage.client(&system.issue_token(stage.acme, &new).unwrap().token);
    refused(&short.post(&at, &json!({ "name": "longer", "permissions": ["read"] })), 403, "FORBIDDEN");
    let by_then = json!({ "name": "as long", "permissions": ["admin"], "expiresAt": "2031-02-04T00:00:00Z" });
    assert_eq!(short.post(&at, &by_then).json(201)["token"]["permissions"], json!(["admin"]));
}

#[test]
fn what_is_asked_for_has_rules() {
    let scene = Scene::new();
    let client = scene.client("admin");
    for body in [
        json!({}),
        json!({ "name": "t" }),
        json!({ "permissions": ["read"] }),
        json!({ "name": 1, "permissions": ["read"] }),
        json!({ "name": "", "permissions": ["read"] }),
        json!({ "name": "a\nb", "permissions": ["read"] }),
        json!({ "name": "tok_0123456789abcdefghijkl", "permissions": ["read"] }),
        json!({ "name": "t", "permissions": [] }),
        json!({ "name": "t", "permissions": "read" }),
        json!({ "name": "t", "permissions": ["read", 1] }),
        json!({ "name": "t", "permissions": ["Read"] }),
        json!({ "name": "t", "permissions": ["secret:read"] }),
        json!({ "name": "t", "permissions": ["read"], "expiresAt": 5 }),
        json!({ "name": "t", "permissions": ["read"], "expiresAt": "tomorrow" }),
        json!({ "name": "t", "permissions": ["read"], "expiresAt": "2031-02-03T04:05:06Z" }),
    ] {
        refused(&client.post(&scene.at("tokens"), &body), 422, "VALIDATION_ERROR");
    }
    let forever = json!({ "name": "t", "permissions": ["read", "read"], "expiresAt": null });
    assert_eq!(client.post(&scene.at("tokens"), &forever).json(201)["token"]["expiresAt"], Value::Null);
}

#[test]
fn a_token_of_another_project_is_not_there() {
    let scene = Scene::new();
    let (stage, system) = (&scene.stage, scene.stage.system());
    system.create_project(stage.acme, &NewProject::new("other")).unwrap();
    let other = stage.token(super::permissions("read"), Some("other"));
    let of_all = stage.token(super::permissions("read"), None);
    let within = stage.token(super::permissions("read"), Some("shop/dev"));
    let tokens = system.tokens(stage.acme).unwrap();
    let id = |token: &Token| {
        let hint = token.hint();
        tokens.iter().find(|info| info.hint == hint).unwrap().id.to_prefixed("tok")
    };
    // Whoever may see all of the organization sees in this project what belongs to it.
    for client in [stage.admin(), scene.client("admin")] {
        let listed = client.get(&scene.at("tokens")).text;
        assert!(listed.contains(&id(&within)) && !listed.contains(&id(&other)) && !listed.contains(&id(&of_all)));
        for unknown in [id(&other), id(&of_all), "tok_0123456789abcdefghijkl".to_owned(), "nonsense".to_owned()] {
            refused(&client.delete(&scene.at(&format!("tokens/{unknown}"))), 404, "NOT_FOUND");
        }
    }
    scene.client("admin").delete(&scene.at(&format!("tokens/{}", id(&within)))).empty(204);
    refused(&stage.client(&within).get(&scene.variables("dev")), 401, "UNAUTHORIZED");
}
