use ioenv::vault::{
    Actor, NewOrganization, NewPersonalKey, NewServiceAccount, NewServiceKey, NewUser, OrganizationId,
    OrganizationStatus, OrganizationUpdate, Permission, PersonalKeyLevel,
};
use ioenv::vault::{CloudRole, MemberRole, NewMember};
use serde_json::{Value, json};

use super::super::stage::{SECOND, Stage};
use super::shape::{Cloud, code, invalid, not_found};

fn acme(id: OrganizationId) -> Value {
    json!({ "type": "organizations", "id": id.to_string(), "attributes": {
        "ulid": id.to_string(), "name": "Acme", "slug": "acme", "status": "active", "plan_name": "team",
        "created_at": "2031-02-03T04:05:06Z", "updated_at": "2031-02-03T04:05:06Z",
    } })
}

#[test]
fn a_token_knows_its_own_organization() {
    let stage = Stage::new();
    let other = stage.system().create_organization(&NewOrganization::new("Other")).unwrap().id;
    let one = Cloud::with(&stage, &[Permission::SecretRead], None);
    let meta = json!({ "current_page": 1, "last_page": 1, "per_page": 1, "total": 1 });
    assert_eq!(one.get("/api/v1/organizations").json(200), json!({ "data": [acme(stage.acme)], "meta": meta }));
    assert_eq!(one.get("/api/v1/organization").json(200), json!({ "data": acme(stage.acme) }));
    let at = format!("/api/v1/organizations/{}", stage.acme);
    assert_eq!(code(&one.get(&at), 403), "insufficient_permissions");
    let reader = Cloud::with(&stage, &[Permission::OrganizationRead], None);
    assert_eq!(reader.get(&at).json(200), json!({ "data": acme(stage.acme) }));
    assert_eq!(reader.get(&at.to_lowercase()).json(200), json!({ "data": acme(stage.acme) }));
    for nowhere in [other.to_string(), "acme".to_owned(), "01ARZ3NDEKTSV4RRFFQ69G5FAV".to_owned()] {
        assert_eq!(reader.get(&format!("/api/v1/organizations/{nowhere}")).json(404), not_found());
    }
}

#[test]
fn an_organization_is_changed_and_deleted() {
    let stage = Stage::new();
    stage.system().create_organization(&NewOrganization::new("Other")).unwrap();
    let (client, at) = (Cloud::admin(&stage), format!("/api/v1/organizations/{}", stage.acme));
    stage.pass(SECOND);
    let mut expected = acme(stage.acme);
    let attributes = &mut expected["attributes"];
    attributes["name"] = json!("Acme Ltd");
    attributes["updated_at"] = json!("2031-02-03T04:05:07Z");
    assert_eq!(client.patch(&at, &json!({ "name": "Acme Ltd" })).json(200), json!({ "data": expected }));
    expected["attributes"]["slug"] = json!("acme-ltd");
    assert_eq!(client.put(&at, &json!({ "slug": "acme-ltd" })).json(200), json!({ "data": expected }));
    let taken = client.patch(&at, &json!({ "slug": "other" })).json(409);
    assert_eq!(taken, json!({ "error": "conflict", "message": "The slug is taken: choose another one." }));
    for (body, field, message) in [
        (json!({ "name": "" }), "name", "The name field is required."),
        (json!({ "slug": "A" }), "slug", "The slug field format is invalid."),
        (json!({ "slug": "members" }), "slug", "The slug is reserved."),
    ] {
        assert_eq!(client.patch(&at, &body).json(422), invalid(&[(field, message)]));
    }
    client.delete(&at).empty(204);
    assert_eq!(code(&client.get(&at), 401), "unauthenticated");
}

#[test]
fn a_token_makes_no_organization() {
    let stage = Stage::new();
    let client = Cloud::admin(&stage);
    // What is wrong with it comes after that.
    for body in [r#"{ "name": "New" }"#, "{}", "{", r#"{ "name": "New", "slug": "!" }"#] {
        let answer = client.send("POST", "/api/v1/organizations", Some(body));
        let message = "Only the operator of the vault may do this, with the root key.";
        assert_eq!(answer.json(403), json!({ "error": "insufficient_permissions", "message": message }));
    }
    assert_eq!(code(&Cloud::new(stage.stranger()).post("/api/v1/organizations", &json!({})), 401), "unauthenticated");
}

#[test]
fn an_organization_that_is_not_active_is_of_no_use() {
    let stage = Stage::new();
    let client = Cloud::admin(&stage);
    let update = OrganizationUpdate::new().status(OrganizationStatus::Suspended);
    stage.system().update_organization(stage.acme, &update).unwrap();
    let o = stage.acme;
    for path in ["organizations", "organization", "user", &format!("organizations/{o}"), &format!("{o}/projects")] {
        let answer = client.get(&format!("/api/v1/{path}"));
        assert_eq!(code(&answer, 403), "organization_inactive", "{path}");
    }
}

#[test]
fn everybody_may_know_who_they_are() {
    let stage = Stage::new();
    let o = stage.acme.to_string();
    let token = stage
        .system()
        .issue_token(stage.acme, &ioenv::vault::NewToken::new("ci", Permission::SecretRead.into()))
        .unwrap();
    let organization = |role: Option<&str>| {
        let mut attributes = json!({ "ulid": o, "name": "Acme", "slug": "acme" });
        if let Some(role) = role {
            attributes["role"] = json!(role);
        }
        json!([{ "type": "organizations", "id": o, "attributes": attributes }])
    };
    let relationships = json!({ "organizations": { "data": [{ "type": "organizations", "id": o }] } });
    let at = "2031-02-03T04:05:06Z";
    let expected = json!({
        "data": { "type": "api_tokens", "id": token.info.id.to_string(), "relationships": relationships,
            "attributes": { "name": "ci", "created_at": at, "updated_at": at } },
        "included": organization(None),
    });
    assert_eq!(Cloud::new(stage.client(&token.token)).get("/api/v1/user").json(200), expected);

    let user = stage.system().create_user(&NewUser::new("Ida Holm", "ida@northwind.example")).unwrap().id;
    for (role, word) in [(CloudRole::Developer, "developer"), (CloudRole::Admin, "admin")] {
        let role = MemberRole::Cloud(role);
        let new = NewMember::new("ida@northwind.example", "", role);
        if stage.system().add_member(stage.acme, &new).is_err() {
            let update = ioenv::vault::MemberUpdate::new().role(role);
            stage.system().update_member(stage.acme, user, &update).unwrap();
        }
        let new = NewPersonalKey::new("laptop", PersonalKeyLevel::ReadOnly);
        let key = stage.vault.session(Actor::User(user)).create_personal_key(stage.acme, &new).unwrap();
        let expected = json!({
            "data": { "type": "users", "id": user.to_string(), "relationships": relationships, "attributes": {
                "name": "Ida Holm", "email": "ida@northwind.example", "is_verified": true,
                "created_at": at, "updated_at": at,
            } },
            "included": organization(Some(word)),
        });
        assert_eq!(Cloud::new(stage.client(&key.key)).get("/api/v1/user").json(200), expected);
    }
    let account = NewServiceAccount::new("deployer", Permission::SecretRead.into());
    let account = stage.system().create_service_account(stage.acme, &account).unwrap().id;
    let key = stage.system().create_service_key(stage.acme, account, &NewServiceKey::new("k")).unwrap();
    let me = Cloud::new(stage.client(&key.key)).get("/api/v1/user").json(200);
    assert_eq!((&me["data"]["type"], &me["data"]["attributes"]["name"]), (&json!("api_tokens"), &json!("deployer")));
}
