//! What is there beside the service's own addresses, and what is not.

use ioenv::LevelPath;
use ioenv::vault::{At, CloudRole, MemberRole, NewMember, Permission};
use serde_json::json;

use super::super::stage::Stage;
use super::shape::{Cloud, code, invalid, not_found};

#[test]
fn members_are_invited_listed_and_removed() {
    let stage = Stage::new();
    let (client, all) = (Cloud::admin(&stage), format!("/api/v1/organizations/{}/members", stage.acme));
    let invited = client.post(&all, &json!({ "email": "ida@northwind.example", "role": "developer" })).json(201);
    let (id, invitation) = (&invited["data"]["id"], &invited["data"]["attributes"]["code"]);
    assert_eq!(
        invited,
        json!({ "data": { "type": "members", "id": id, "attributes": {
        "email": "ida@northwind.example", "role": "developer", "status": "invited", "code": invitation,
        "created_at": "2031-02-03T04:05:06Z" } } })
    );
    assert_eq!(client.get(&all).json(200)["data"], json!([]));
    let invitation = invitation.as_str().unwrap().to_owned().into();
    let ida = stage.system().accept_invitation(&invitation, "Ida Holm").unwrap().user;
    let meta = json!({ "current_page": 1, "last_page": 1, "per_page": 1, "total": 1 });
    assert_eq!(
        client.get(&all).json(200),
        json!({ "meta": meta, "data": [{ "type": "members", "id": ida.to_string(),
        "attributes": { "name": "Ida Holm", "email": "ida@northwind.example", "role": "developer", "status": "active",
            "created_at": "2031-02-03T04:05:06Z", "updated_at": "2031-02-03T04:05:06Z" } }] })
    );
    let again = client.post(&all, &json!({ "email": "ida@northwind.example" }));
    assert_eq!(code(&again, 409), "conflict");
    client.delete(&format!("{all}/{ida}")).empty(204);
    for nobody in [ida.to_string(), "x".to_owned()] {
        assert_eq!(client.delete(&format!("{all}/{nobody}")).json(404), not_found());
    }
    for (body, field, message) in [
        (json!({}), "email", "The email field is required."),
        (json!({ "email": "ida" }), "email", "The email field must be a valid email address."),
        (json!({ "email": "a@b", "role": "boss" }), "role", "The selected role is invalid."),
    ] {
        assert_eq!(client.post(&all, &body).json(422), invalid(&[(field, message)]));
    }
    for (given, role) in [(json!("administrator"), "admin"), (json!(null), "member"), (json!("auditor"), "auditor")] {
        let invited = client.post(&all, &json!({ "email": "a@b", "role": given })).json(201);
        assert_eq!(invited["data"]["attributes"]["role"], role);
    }
    // Only an owner makes an owner, and nobody gives a role that holds more than they do.
    assert_eq!(code(&client.post(&all, &json!({ "email": "a@b", "role": "owner" })), 403), "insufficient_permissions");
    let few = Cloud::with(&stage, &[Permission::MemberCreate], None);
    assert_eq!(code(&few.post(&all, &json!({ "email": "a@b" })), 403), "insufficient_permissions");
}

#[test]
fn all_members_are_listed_however_many_there_are() {
    let stage = Stage::new();
    for at in 0..205 {
        let role = MemberRole::Cloud(CloudRole::Member);
        stage.system().add_member(stage.acme, &NewMember::new(format!("m{at}@b"), "M", role)).unwrap();
    }
    let all = format!("/api/v1/organizations/{}/members", stage.acme);
    let list = Cloud::admin(&stage).get(&all).json(200);
    assert_eq!((list["data"].as_array().unwrap().len(), &list["meta"]["total"]), (205, &json!(205)));
}

#[test]
fn the_audit_log_is_read_page_by_page() {
    let stage = Stage::new();
    let (client, o) = (Cloud::admin(&stage), stage.acme);
    let made = client.post(&format!("/api/v1/{o}/projects"), &json!({ "name": "Shop" })).json(201);
    client.delete(&format!("/api/v1/{o}/shop")).empty(204);
    let all = format!("/api/v1/organizations/{o}/audit-log");
    let page = client.get(&format!("{all}?per_page=2")).json(200);
    let (deleted, created) = (&page["data"][0], &page["data"][1]);
    let actor = deleted["attributes"]["actor"].clone();
    assert_eq!((&actor["type"], &actor["name"]), (&json!("api_token"), &json!("worker")));
    assert_eq!(
        *created,
        json!({ "type": "audit-log", "id": created["id"], "attributes": {
        "at": "2031-02-03T04:05:06.789Z", "organization": o.to_string(), "actor": actor, "action": "project.created",
        "resource": { "type": "project", "id": made["data"]["id"], "path": "shop" }, "outcome": "success",
        "ip": "127.0.0.1", "details": { "name": "Shop", "custody": "server" } } })
    );
    assert_eq!(deleted["attributes"]["action"], "project.deleted");
    let (mut seen, mut next) = (2, page["meta"]["next"].clone());
    while let Some(after) = next.as_str() {
        let page = client.get(&format!("{all}?per_page=1&after={after}")).json(200);
        seen += page["data"].as_array().unwrap().len();
        next = page["meta"]["next"].clone();
    }
    assert!(seen >= 4, "{seen}");
    for (query, field, message) in [
        ("per_page=0", "per_page", "The per page field must be between 1 and 100."),
        ("after=x", "after", "The after field must be what the page before says as `meta.next`."),
    ] {
        assert_eq!(client.get(&format!("{all}?{query}")).json(422), invalid(&[(field, message)]));
        let blind = Cloud::with(&stage, &[Permission::SecretRead], None);
        assert_eq!(code(&blind.get(&format!("{all}?{query}")), 403), "insufficient_permissions");
    }
}

#[test]
fn the_audit_log_calls_things_by_their_names() {
    let stage = Stage::new();
    let (client, system, o) = (Cloud::admin(&stage), stage.system(), stage.acme);
    let log = format!("/api/v1/organizations/{o}/audit-log?per_page=1");
    let last = || client.get(&log).json(200)["data"][0]["attributes"].clone();
    let (keys, members) = (format!("/api/v1/organizations/{o}/api-keys"), format!("/api/v1/organizations/{o}/members"));
    client.post(&format!("/api/v1/{o}/projects"), &json!({ "name": "Shop" })).json(201);
    let made = client.post(&keys, &json!({ "name": "ci", "abilities": ["secret:read"] })).json(201);
    assert_eq!(last()["action"], "api_token.created");
    client.send("POST", &format!("{keys}/{}/rotate", made["api_key"]["id"].as_str().unwrap()), None).json(200);
    assert_eq!(last()["action"], "api_token.rotated");
    client.post(&members, &json!({ "email": "a@b" })).json(201);
    assert_eq!(last()["action"], "member.invited");
    let shop = super::super::stage::slug("shop");
    system.set_document(At::Path(o, &(&shop).into()), &ioenv::Document::parse("A=planted\n").unwrap()).unwrap();
    let stored = last();
    assert_eq!((&stored["action"], &stored["actor"]["type"]), (&json!("secret.created"), &json!("system")));
    system.key(At::Path(o, &LevelPath::from(&shop))).unwrap();
    assert_eq!(last()["action"], "key.retrieved");
    system.rotate_key(At::Path(o, &LevelPath::from(&shop)), ioenv::vault::HistoryPolicy::Keep).unwrap();
    assert_eq!(last()["action"], "key.rotated");
    let whole = client.get(&format!("/api/v1/organizations/{o}/audit-log?per_page=100"));
    let token = made["token"]["token"].as_str().unwrap();
    assert!(!whole.text.contains(token) && !whole.text.contains("planted"));
}

#[test]
fn telemetry_is_taken_from_everybody_and_kept_nowhere() {
    for stage in [Stage::new(), Stage::with(ioenv::server::Server::rate_limited)] {
        let event = json!({ "version": "1.0.0", "os": "linux", "command": "pull", "duration": 5, "success": true });
        let stranger = Cloud::new(stage.stranger());
        stranger.post("/api/v1/cli/telemetry", &event).empty(204);
        stranger.send("POST", "/api/v1/cli/telemetry", None).empty(204);
        assert_eq!(code(&stranger.get("/api/v1/cli/telemetry"), 405), "method_not_allowed");
        let much = "x".repeat((4 << 20) + 1);
        let answer = stranger.send("POST", "/api/v1/cli/telemetry", Some(&much));
        assert_eq!(code(&answer, 413), "payload_too_large");
        let page = ioenv::vault::Paging::new().limit(200);
        let log = stage.system().audit(stage.acme, &ioenv::vault::AuditFilter::new(), &page).unwrap();
        assert!(log.items.iter().all(|record| record.ip.is_none()));
    }
}

#[test]
fn what_is_not_offered_is_not_there() {
    let stage = Stage::new();
    let (client, o) = (Cloud::admin(&stage), stage.acme);
    for (method, path) in [
        ("GET", "/oauth/authorize".to_owned()),
        ("GET", "/api/v1/plans".to_owned()),
        ("GET", format!("/api/v1/organizations/{o}/subscription")),
        ("GET", format!("/api/v1/organizations/{o}/usage")),
        ("GET", format!("/api/v1/organizations/{o}/invoices")),
        ("GET", format!("/api/v1/organizations/{o}/billing/subscription")),
        ("POST", format!("/api/v1/organizations/{o}/billing/charges")),
        ("POST", "/api/v1/telemetry".to_owned()),
        ("GET", "/api/v1".to_owned()),
        ("GET", "/api/v2/organizations".to_owned()),
    ] {
        assert_eq!(code(&client.send(method, &path, Some("{}")), 404), "not_found", "{method} {path}");
    }
}
