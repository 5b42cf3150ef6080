//! What credentials are worth over HTTP: those that somebody wrote into the database, and those that are for some addresses.

use ioenv::ErrorKind;
use ioenv::store::{KeyRange, Order, Precondition, StoreExt as _};
use ioenv::vault::{
    At, NewProject, NewServiceAccount, NewServiceKey, NewToken, Permission, PermissionSet, Sha256Hasher,
    TokenHasher as _,
};
use serde_json::{Value, json};

use super::stage::{Stage, path, ranges};

fn readable(stage: &Stage) -> [String; 3] {
    stage.system().create_project(stage.acme, &NewProject::new("shop").has_base(true)).unwrap();
    let dev = stage.system().environment(At::Path(stage.acme, &path("shop/dev"))).unwrap().id.to_prefixed("env");
    [format!("/api/v1/env/{dev}/variables"), format!("/api/v1/{}/projects", stage.acme), "/v1/projects".to_owned()]
}

#[test]
fn a_token_that_somebody_wrote_into_the_database_opens_nothing() {
    for stage in Stage::on_every_store() {
        let addresses = readable(&stage);
        let token = stage.token(Permission::ApiTokenRead.into(), None);
        let admin = stage.token(PermissionSet::ALL, None);
        let [key, strong] = [&token, &admin].map(|token| format!("token/{}", Sha256Hasher.hash(token)));
        let store = stage.vault.store();
        let before = store.read(|tx| tx.get(&key)).unwrap().unwrap();
        let mut wide: Value = serde_json::from_str(&before).unwrap();
        wide["permissions"] = json!(PermissionSet::ALL.iter().map(Permission::as_str).collect::<Vec<_>>());
        let strong = store.read(|tx| tx.get(&strong)).unwrap().unwrap();
        let client = stage.client(&token);
        for forged in [wide.to_string(), strong] {
            store.write(|tx| tx.put(&key, &forged, Precondition::Present)).unwrap();
            for address in &addresses {
                let answer = client.get(address);
                assert_eq!(answer.status, 500, "{address}: {}", answer.text);
                assert!(!answer.text.contains(token.expose_secret()), "{}", answer.text);
            }
        }
        store.write(|tx| tx.put(&key, &before, Precondition::Present)).unwrap();
        assert!(addresses.iter().all(|address| [200, 403, 404].contains(&client.get(address).status)));
    }
}

#[test]
fn a_key_for_some_addresses_makes_and_takes_over_none_for_others() {
    let stage = Stage::new();
    readable(&stage);
    let account = NewServiceAccount::new("office", PermissionSet::ALL).allow_list(ranges(["127.0.0.0/8"]));
    let account = stage.system().create_service_account(stage.acme, &account).unwrap().id;
    let key = stage.system().create_service_key(stage.acme, account, &NewServiceKey::new("key")).unwrap().key;
    let client = stage.client(&key);
    let open = stage.system().issue_token(stage.acme, &NewToken::new("open", Permission::SecretRead.into())).unwrap();

    let keys = format!("/api/v1/organizations/{}/api-keys", stage.acme);
    let at = format!("{keys}/{}", open.info.id);
    assert_eq!(client.send("POST", &format!("{at}/rotate"), None).status, 403);
    for body in [json!({ "name": "mine" }), json!({ "abilities": ["*"] }), json!({ "expires_at": null })] {
        let answer = client.put(&at, &body);
        assert_eq!(answer.status, 403, "{body}: {}", answer.text);
    }
    let invitation = json!({ "email": "eve@example.com", "role": "member" });
    let answer = client.post(&format!("/api/v1/organizations/{}/members", stage.acme), &invitation);
    assert_eq!(answer.status, 403, "{}", answer.text);
    stage.vault.session(open.token).own_token().unwrap();

    // What it makes is for the same addresses.
    let made = client.post(&keys, &json!({ "name": "ci", "abilities": ["secret:read"] })).json(201);
    let shop = stage.system().project(At::Path(stage.acme, &path("shop"))).unwrap().id.to_prefixed("proj");
    let of_project = format!("/api/v1/project/{shop}/tokens");
    let scoped = client.post(&of_project, &json!({ "name": "ci", "permissions": ["read"] })).json(201);
    for token in [&made["token"]["token"], &scoped["token"]["plaintext"]] {
        let token = ioenv::vault::Token::parse(token.as_str().unwrap()).unwrap();
        let session = stage.vault.session(token.clone());
        assert_eq!(session.own_token().unwrap_err().kind(), ErrorKind::Denied);
        let session = stage.vault.session(token).from_ip("127.0.0.1".parse().unwrap());
        assert_eq!(session.own_token().unwrap().allow_list, ranges(["127.0.0.0/8"]));
    }
    client.delete(&at).empty(204);
    let left = stage.vault.store().read(|tx| tx.scan(&KeyRange::prefix("invitation/"), Order::Ascending, 9)).unwrap();
    assert!(left.is_empty());
}
