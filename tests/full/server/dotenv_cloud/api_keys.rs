use ioenv::vault::{At, NewEnvironment, NewOrganization, NewToken};
use ioenv::vault::{NewProject, NewTarget, Permission as P, PermissionSet, Token};
use serde_json::{Value, json};

use super::super::stage::{DAY, SECOND, Stage, path};
use super::shape::{Cloud, code, invalid, not_found};

fn all(stage: &Stage) -> String {
    format!("/api/v1/organizations/{}/api-keys", stage.acme)
}

fn holder(stage: &Stage, token: &Value) -> Cloud {
    Cloud::new(stage.client(&Token::parse(token.as_str().unwrap()).unwrap()))
}

#[test]
fn an_api_key_is_made_read_changed_rotated_and_revoked() {
    let stage = Stage::new();
    let (client, all) = (Cloud::admin(&stage), all(&stage));
    let body = json!({ "name": "ci", "abilities": ["key:retrieve", "secret:read", "organization:read"],
        "expires_at": "2031-03-01T00:00:00+02:00" });
    let made = client.post(&all, &body).json(201);
    let (id, token) = (made["api_key"]["id"].clone(), made["token"]["token"].clone());
    let prefix = format!("dotenv_{}_", stage.acme);
    let text = token.as_str().unwrap();
    assert!(text.starts_with(&prefix) && text.len() == prefix.len() + 48);
    assert!(text[prefix.len()..].bytes().all(|byte| byte.is_ascii_alphanumeric()));
    let abilities = json!(["secret:read", "key:retrieve", "organization:read"]);
    let mut key = json!({ "id": id, "name": "ci", "token_prefix": &text[..prefix.len() + 4], "abilities": abilities,
        "expires_at": "2031-02-28T22:00:00Z", "last_used_at": null,
        "created_at": "2031-02-03T04:05:06Z", "updated_at": "2031-02-03T04:05:06Z" });
    assert_eq!(
        made,
        json!({
            "success": true, "message": "The API key was created: keep its token, which is not shown again.",
            "token": { "name": "ci", "token": token, "abilities": abilities, "expires_at": "2031-02-28T22:00:00Z" },
            "api_key": key,
        })
    );
    let at = format!("{all}/{}", id.as_str().unwrap());
    assert_eq!(client.get(&at).json(200), json!({ "data": key }));
    let listed = client.get(&all).json(200);
    assert_eq!((&listed["data"][1], &listed["meta"]["total"]), (&key, &json!(2)));
    let own = format!("/api/v1/organizations/{}", stage.acme);
    holder(&stage, &token).get(&own).json(200);
    key["last_used_at"] = json!("2031-02-03T04:05:06Z");

    stage.pass(SECOND);
    key["updated_at"] = json!("2031-02-03T04:05:07Z");
    key["name"] = json!("deploy");
    assert_eq!(client.put(&at, &json!({ "name": "deploy" })).json(200), json!({ "data": key }));
    key["abilities"] = json!(["*"]);
    key["expires_at"] = json!(null);
    let body = json!({ "abilities": ["*"], "expires_at": null });
    assert_eq!(client.put(&at, &body).json(200), json!({ "data": key }));
    assert_eq!(code(&client.patch(&at, &json!({})), 405), "method_not_allowed");

    let rotated = client.send("POST", &format!("{at}/rotate"), None).json(200);
    let new = rotated["data"]["token"].clone();
    assert_ne!(new, token);
    key["token_prefix"] = json!(&new.as_str().unwrap()[..prefix.len() + 4]);
    key["last_used_at"] = json!(null);
    let message = "The API key was rotated: keep its token, which is not shown again.";
    assert_eq!(rotated, json!({ "data": { "token": new, "api_key": key }, "message": message }));
    assert_eq!(code(&holder(&stage, &token).get(&own), 401), "unauthenticated");
    holder(&stage, &new).get(&own).json(200);

    client.delete(&at).empty(204);
    assert_eq!(code(&holder(&stage, &new).get(&own), 401), "unauthenticated");
    let rotate = format!("{at}/rotate");
    for (method, path, body) in [
        ("GET", &at, None),
        ("PUT", &at, Some(r#"{ "name": "again" }"#)),
        ("DELETE", &at, None),
        ("POST", &rotate, None),
    ] {
        assert_eq!(client.send(method, path, body).json(404), not_found(), "{method}");
    }
    assert_eq!(client.get(&all).json(200)["meta"]["total"], 1);
}

#[test]
fn what_is_wrong_is_told_by_the_field() {
    let stage = Stage::new();
    let (client, all) = (Cloud::admin(&stage), all(&stage));
    let required = [("name", "The name field is required."), ("abilities", "The abilities field is required.")];
    let answer = client.post(&all, &json!({})).json(422);
    assert_eq!(answer, invalid(&required));
    let made = client.post(&all, &json!({ "name": "ci", "abilities": ["secret:read"] })).json(201);
    let one = format!("{all}/{}", made["api_key"]["id"].as_str().unwrap());
    for (field, value, told_at, message) in [
        ("name", json!(""), "name", "The name field is required."),
        ("name", json!("n".repeat(256)), "name", "The name field must not be greater than 255 characters."),
        ("abilities", json!([]), "abilities", "The abilities field is required."),
        ("abilities", json!("*"), "abilities", "The abilities field must be an array."),
        (
            "abilities",
            json!(["secrets:read"]),
            "abilities.0",
            "The selected abilities.0 is invalid. Write `secret:read`.",
        ),
        (
            "abilities",
            json!(["project:read", "env:read"]),
            "abilities.1",
            "The selected abilities.1 is invalid. Write `environment:read`.",
        ),
        (
            "abilities",
            json!(["encryption:read"]),
            "abilities.0",
            "The selected abilities.0 is invalid. Write `key:retrieve` or `key:rotate`.",
        ),
        ("abilities", json!(["planted"]), "abilities.0", "The selected abilities.0 is invalid."),
        ("abilities", json!([7]), "abilities.0", "The selected abilities.0 is invalid."),
        ("abilities", json!([null]), "abilities.0", "The selected abilities.0 is invalid."),
        ("expires_at", json!("soon"), "expires_at", "The expires at field must be a valid date."),
        ("expires_at", json!(7), "expires_at", "The expires at field must be a string."),
        (
            "expires_at",
            json!("2031-02-03T04:05:06Z"),
            "expires_at",
            "The expires at field must be a date in the future.",
        ),
    ] {
        let mut body = json!({ "name": "new", "abilities": ["secret:read"] });
        body[field] = value.clone();
        let answer = client.post(&all, &body);
        assert_eq!(answer.json(422), invalid(&[(told_at, message)]), "{body}");
        assert!(!answer.text.contains("planted"));
        assert_eq!(client.put(&one, &json!({ field: value })).json(422), invalid(&[(told_at, message)]), "{field}");
    }
    for scope in [
        json!({}),
        json!([]),
        json!({ "target": "api" }),
        json!({ "project": "shop", "environment": "prod" }),
        json!({ "project": "shop", "team": "web" }),
        json!({ "project": "A B" }),
        json!({ "project": 7 }),
        json!({ "project": "" }),
    ] {
        let body = json!({ "name": "new", "abilities": ["secret:read"], "scope": scope });
        assert_eq!(
            client.post(&all, &body).json(422),
            invalid(&[("scope", "The selected scope is invalid.")]),
            "{body}"
        );
    }
    let body = json!({ "name": "new", "abilities": ["secret:read"], "scope": "shop" });
    assert_eq!(client.post(&all, &body).json(422), invalid(&[("scope", "The scope field must be an object.")]));
    assert_eq!(client.get(&all).json(200)["meta"]["total"], 2);
}

#[test]
fn an_api_key_can_be_bound_to_a_place() {
    let stage = Stage::new();
    let system = stage.system();
    system.create_project(stage.acme, &NewProject::new("shop")).unwrap();
    system.create_target(At::Path(stage.acme, &path("shop")), &NewTarget::new("api")).unwrap();
    system.create_environment(At::Path(stage.acme, &path("shop/api")), &NewEnvironment::new("prod")).unwrap();
    let (client, all) = (Cloud::admin(&stage), all(&stage));
    for scope in [
        json!({ "project": "shop" }),
        json!({ "project": "shop", "target": "api" }),
        json!({ "project": "shop", "target": "api", "environment": "prod" }),
    ] {
        let body = json!({ "name": "new", "abilities": ["*"], "scope": scope });
        let made = client.post(&all, &body).json(201);
        assert_eq!(made["api_key"]["scope"], scope);
        let at = format!("{all}/{}", made["api_key"]["id"].as_str().unwrap());
        assert_eq!(client.get(&at).json(200)["data"]["scope"], scope);
        // What is bound to a place makes nothing that is bound to less.
        let bound = holder(&stage, &made["token"]["token"]);
        let wider = bound.post(&all, &json!({ "name": "wider", "abilities": ["secret:read"] }));
        assert_eq!(code(&wider, 403), "insufficient_permissions");
        bound.post(&all, &body).json(201);
        assert_eq!(bound.get(&at).json(200)["data"]["scope"], scope);
    }
    let mut explicit = json!({ "name": "new", "abilities": ["*"] });
    explicit["scope"] = json!({ "project": "shop", "target": null, "environment": null });
    assert_eq!(client.post(&all, &explicit).json(201)["api_key"]["scope"], json!({ "project": "shop" }));
    explicit["scope"] = json!({ "project": "shop", "target": "web" });
    assert_eq!(client.post(&all, &explicit).json(404), not_found());
    // With the project goes what was bound to it.
    assert_eq!(client.get(&all).json(200)["meta"]["total"], 8);
    system.delete_project(At::Path(stage.acme, &path("shop"))).unwrap();
    assert_eq!(client.get(&all).json(200)["meta"]["total"], 1);
}

#[test]
fn nobody_gives_what_they_lack() {
    let stage = Stage::new();
    let all = all(&stage);
    let few = [P::ApiTokenCreate, P::ApiTokenRead, P::ApiTokenUpdate, P::ApiTokenDelete, P::SecretRead];
    let client = Cloud::with(&stage, &few, None);
    let made = client.post(&all, &json!({ "name": "few", "abilities": ["secret:read", "api-token:read"] })).json(201);
    let few = format!("{all}/{}", made["api_key"]["id"].as_str().unwrap());
    let much = Cloud::admin(&stage).post(&all, &json!({ "name": "much", "abilities": ["*"] })).json(201);
    let much = format!("{all}/{}", much["api_key"]["id"].as_str().unwrap());
    for abilities in [json!(["*"]), json!(["secret:read", "secret:write"]), json!(["key:retrieve"])] {
        for answer in [
            client.post(&all, &json!({ "name": "n", "abilities": abilities })),
            client.put(&few, &json!({ "abilities": abilities })),
        ] {
            assert_eq!(code(&answer, 403), "insufficient_permissions");
            assert!(answer.text.contains("nobody can grant") || answer.text.contains("Nobody can grant"));
        }
    }
    // Nor does anybody take over or change what holds more.
    assert_eq!(code(&client.send("POST", &format!("{much}/rotate"), None), 403), "insufficient_permissions");
    assert_eq!(code(&client.put(&much, &json!({ "name": "n" })), 403), "insufficient_permissions");
    client.put(&few, &json!({ "name": "n", "abilities": ["secret:read"] })).json(200);
    client.send("POST", &format!("{few}/rotate"), Some("{}")).json(200);
    // What is made with a key that ends, ends no later.
    let new = NewToken::new("short", PermissionSet::ALL).expires_at("2031-02-04T00:00:00Z".parse().unwrap());
    let short = Cloud::new(stage.client(&stage.system().issue_token(stage.acme, &new).unwrap().token));
    for (expires_at, status) in
        [(json!(null), 403), (json!("2031-02-05T00:00:00Z"), 403), (json!("2031-02-04T00:00:00Z"), 201)]
    {
        let body = json!({ "name": "n", "abilities": ["secret:read"], "expires_at": expires_at });
        assert_eq!(short.post(&all, &body).status, status);
    }
    stage.pass(DAY);
    assert_eq!(code(&short.get(&all), 401), "unauthenticated");
}

#[test]
fn each_thing_takes_its_own_scope() {
    let stage = Stage::new();
    let all = all(&stage);
    let other = stage.system().create_organization(&NewOrganization::new("Other")).unwrap().id;
    let foreign = stage.system().issue_token(other, &NewToken::new("s", P::SecretRead.into())).unwrap().info.id;
    let id = || stage.system().issue_token(stage.acme, &NewToken::new("s", P::SecretRead.into())).unwrap().info.id;
    for (scopes, method, end, body) in [
        (vec![P::ApiTokenRead], "GET", None, None),
        (vec![P::ApiTokenCreate], "POST", None, Some(json!({ "name": "a", "abilities": ["secret:read"] }))),
        (vec![P::ApiTokenRead], "GET", Some(""), None),
        (vec![P::ApiTokenUpdate], "PUT", Some(""), Some(json!({ "name": "b" }))),
        (vec![P::ApiTokenDelete], "DELETE", Some(""), None),
        (vec![P::ApiTokenCreate, P::ApiTokenDelete], "POST", Some("/rotate"), None),
    ] {
        let at = |id: &str| end.map_or(all.clone(), |end| format!("{all}/{id}{end}"));
        let (path, body) = (at(&id().to_string()), body.map(|body| body.to_string()));
        for scope in &scopes {
            let others = PermissionSet::ALL.difference((*scope).into());
            let refused = Cloud::new(stage.client(&stage.token(others, None)));
            assert_eq!(code(&refused.send(method, &path, body.as_deref()), 403), "insufficient_permissions");
            // Before anything is looked up.
            assert_eq!(code(&refused.send(method, &at("x"), body.as_deref()), 403), "insufficient_permissions");
        }
        let mut enough = scopes.clone();
        enough.push(P::SecretRead);
        let client = Cloud::with(&stage, &enough, None);
        let answer = client.send(method, &path, body.as_deref());
        assert!((200..300).contains(&answer.status), "{method} {path}: {}", answer.text);
        if end.is_some() {
            for nothing in ["x".to_owned(), foreign.to_string(), stage.acme.to_string()] {
                assert_eq!(client.send(method, &at(&nothing), body.as_deref()).json(404), not_found());
            }
        }
    }
}
