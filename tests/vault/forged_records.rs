//! Somebody who can write to the database, but has no root key, gives nobody a right.

use std::sync::Arc;

use ioenv::ErrorKind::{self, Conflict, Corrupt, DecryptionFailed, UnsupportedVersion};
use ioenv::SystemRandom;
use ioenv::store::{Memory, Precondition, StoreExt as _, copy};
use ioenv::vault::{
    Actor, At, Confirmation, Grantee, LevelScope, MemberRole, MemberUpdate, NewAccount, NewIntegration, NewInvitation,
    NewOrganization, NewPersonalKey, NewProject, NewRole, NewServiceAccount, NewServiceKey, NewToken, NewUser,
    OrganizationStatus, OrganizationUpdate, Permission, PermissionSet, PersonalKeyLevel, Provider, RootKey,
    SealedRecordKind, TokenUpdate, Vault,
};
use serde_json::{Value, json};

use super::stage::{MINUTE, Stage, after, path, refused};

fn put(stage: &Stage, key: &str, value: &Value) {
    stage.store.write(|tx| tx.put(key, &value.to_string(), Precondition::Always)).unwrap();
}

fn remove(stage: &Stage, key: &str) {
    stage.store.write(|tx| tx.delete(key)).unwrap();
}

/// The only record under a prefix.
#[track_caller]
fn only(stage: &Stage, prefix: &str) -> (String, Value) {
    let mut records = stage.records(prefix);
    assert_eq!(records.len(), 1, "{prefix}");
    records.pop_first().unwrap()
}

/// The record of a token that was just made, with its key.
fn newest(stage: &Stage, id: &impl ToString) -> (String, Value) {
    let id = id.to_string();
    let found = stage.records("token/").into_iter().find(|(_, token)| token["id"] == id.as_str());
    found.unwrap()
}

/// Writes a record in the database, and asserts that `attempt` is refused because of it, that the check reports it alone, and
/// that both are over once the record is back.
#[track_caller]
fn assert_refused(
    stage: &Stage,
    key: &str,
    forged: &Value,
    kind: SealedRecordKind,
    attempt: impl Fn(&Stage) -> Option<ErrorKind>,
) {
    let before = stage.records(key).remove(key);
    put(stage, key, forged);
    assert_eq!(attempt(stage), Some(Corrupt), "{kind} {key} {forged}");
    // Whoever uses the vault meanwhile does not make the record a genuine one.
    assert_eq!(stage.records(key)[key], *forged, "{kind}");
    let damaged = stage.vault.check().unwrap().damaged;
    let found: Vec<_> = damaged.iter().map(|one| (one.kind, one.key.as_str(), one.error.kind())).collect();
    assert_eq!(found, [(kind, key, Corrupt)], "{forged}");
    match &before {
        Some(before) => put(stage, key, before),
        None => remove(stage, key),
    }
    assert!(stage.vault.check().unwrap().damaged.is_empty(), "{kind} {key}");
    if before.is_some() {
        assert_ne!(attempt(stage), Some(Corrupt), "{kind} {key}");
    }
}

/// A record with some members changed; `null` removes one.
fn with(record: &Value, changes: &Value) -> Value {
    let mut forged = record.clone();
    for (name, value) in changes.as_object().unwrap() {
        match value {
            Value::Null => forged.as_object_mut().unwrap().remove(name),
            value => forged.as_object_mut().unwrap().insert(name.clone(), value.clone()),
        };
    }
    assert_ne!(forged, *record, "{changes}");
    forged
}

fn kind_of<T: std::fmt::Debug>(result: Result<T, ioenv::Error>) -> Option<ErrorKind> {
    result.err().map(|error| error.kind())
}

on_every_store! {
    fn a_token_is_believed_only_as_it_was_issued(stage: &Stage) {
        stage.shop();
        stage.system().create_project(stage.acme, &NewProject::new("other")).unwrap();
        let other = stage.system().project(At::Path(stage.acme, &path("other"))).unwrap().id;
        let end = after(stage.now(), MINUTE);
        let new = NewToken::new("weak", Permission::SecretRead.into()).scope(path("shop/dev")).expires_at(end);
        let token = stage.system().issue_token(stage.acme, &new).unwrap();
        let strong = stage.issue(PermissionSet::ALL, None);
        let (key, record) = newest(stage, &token.info.id);
        let (_, strong) = newest(stage, &strong.info.id);
        let attempt = |stage: &Stage| kind_of(stage.vault.session(token.token.clone()).own_token());

        let mut node = record["scope"].clone();
        node["node"] = Value::Null;
        let mut project = record["scope"].clone();
        project["project"] = other.to_string().into();
        for changes in [
            json!({ "permissions": strong["permissions"] }),
            json!({ "permissions": [] }),
            json!({ "scope": null }),
            json!({ "scope": node }),
            json!({ "scope": project }),
            json!({ "expires_at": null }),
            json!({ "expires_at": "2100-01-01T00:00:00Z" }),
            json!({ "organization": other.to_string() }),
            json!({ "name": "other" }),
            json!({ "id": other.to_string() }),
            json!({ "allow_list": ["0.0.0.0/0"] }),
            json!({ "holder": "account" }),
            json!({ "holder": { "user": { "user": other.to_string(), "level": "full_access" } } }),
            json!({ "created_by": null }),
            json!({ "last_used_at": "2031-02-03T04:05:06.789Z" }),
            json!({ "mac": null }),
            json!({ "mac": "" }),
            json!({ "mac": "00" }),
            json!({ "mac": 0 }),
            json!({ "mac": "0".repeat(64) }),
            json!({ "mac": record["mac"].as_str().unwrap().to_uppercase() + "\n" }),
            json!({ "mac": strong["mac"] }),
        ] {
            let forged = with(&record, &changes);
            assert_refused(stage, &key, &forged, SealedRecordKind::Token, attempt);
        }
        // The record of another token, as a whole.
        assert_refused(stage, &key, &strong, SealedRecordKind::Token, attempt);
        for broken in [json!(null), json!("0"), json!([]), json!({})] {
            assert_refused(stage, &key, &broken, SealedRecordKind::Token, attempt);
        }
        assert_eq!(attempt(stage), None);
    }

    fn what_was_revoked_or_rests_is_not_made_to_work(stage: &Stage) {
        stage.shop();
        stage.write("shop/dev", "A=1\n");
        let revoked = stage.issue(PermissionSet::ALL, None);
        stage.system().revoke_token(stage.acme, revoked.info.id).unwrap();
        let resting = stage.issue(PermissionSet::ALL, Some("shop/dev"));
        let environment = stage.system().environment(At::Path(stage.acme, &path("shop/dev"))).unwrap().id;
        stage.system().delete_environment(At::Path(stage.acme, &path("shop/dev")), Confirmation::Given).unwrap();
        for (token, member) in [(&revoked, "revoked_at"), (&resting, "deleted_with")] {
            let (key, record) = newest(stage, &token.info.id);
            let forged = with(&record, &json!({ member: null }));
            let attempt = |stage: &Stage| kind_of(stage.vault.session(token.token.clone()).own_token());
            assert_refused(stage, &key, &forged, SealedRecordKind::Token, attempt);
        }
        let (key, deleted) = only(stage, "deleted/");
        let forged = with(&deleted, &json!({ "deleted_at": "2031-02-02T00:00:00Z" }));
        assert_refused(stage, &key, &forged, SealedRecordKind::Deleted, |stage| {
            // Asked for in a way that changes nothing.
            kind_of(stage.system().deleted(stage.acme))
        });
        let (key, node) = only(stage, "deleted-node/");
        let forged = with(&node, &json!({ "is_production": true }));
        put(stage, &key, &forged);
        assert_eq!(refused(stage.system().restore_environment(stage.acme, environment)), Corrupt);
        put(stage, &key, &node);
        stage.system().restore_environment(stage.acme, environment).unwrap();
    }

    fn a_token_of_another_vault_is_worth_nothing(stage: &Stage) {
        for root in [stage.root.clone(), RootKey::generate(&SystemRandom).unwrap()] {
            let store = Arc::new(Memory::new());
            let elsewhere = Vault::create(Arc::clone(&store), &root).unwrap();
            let system = elsewhere.session(Actor::system("attacker"));
            system.create_organization(&NewOrganization::new("Acme").id(stage.acme)).unwrap();
            let token = system.issue_token(stage.acme, &NewToken::new("mine", PermissionSet::ALL)).unwrap();
            elsewhere.session(token.token.clone()).own_token().unwrap();
            let records = store.read(|tx| tx.scan(&ioenv::store::KeyRange::prefix("token/"), ioenv::store::Order::Ascending, 9));
            let record = records.unwrap().remove(0);
            let forged: Value = serde_json::from_str(&record.value).unwrap();
            assert_refused(stage, &record.key, &forged, SealedRecordKind::Token, |stage| {
                kind_of(stage.vault.session(token.token.clone()).own_token())
            });
        }
    }

    fn an_index_leads_to_no_record_but_its_own(stage: &Stage) {
        let system = stage.system();
        let victim = system.create_organization(&NewOrganization::new("Victim")).unwrap().id;
        let rich = system.issue_token(victim, &NewToken::new("rich", PermissionSet::ALL)).unwrap();
        let (rich_key, _) = newest(stage, &rich.info.id);
        let hash: Value = rich_key.strip_prefix("token/").unwrap().into();
        let admin = stage.issue(PermissionSet::ALL, None);
        let session = stage.vault.session(admin.token.clone());
        let own = stage.issue(PermissionSet::ALL, None);
        let key = format!("token-id/{}/{}", stage.acme, own.info.id);

        let before = stage.records(&key)[&key].clone();
        put(stage, &key, &hash);
        assert_eq!(refused(session.rotate_token(stage.acme, own.info.id)), Corrupt);
        assert_eq!(refused(session.update_token(stage.acme, own.info.id, &TokenUpdate::new().name("mine"))), Corrupt);
        assert_eq!(refused(session.token(stage.acme, own.info.id)), Corrupt);
        assert_eq!(refused(session.tokens(stage.acme)), Corrupt);
        assert_eq!(refused(session.revoke_token(stage.acme, own.info.id)), Corrupt);
        let damaged = stage.vault.check().unwrap().damaged;
        assert_eq!(damaged.iter().map(|one| one.key.as_str()).collect::<Vec<_>>(), [key.as_str()]);
        assert_eq!(damaged[0].organization, Some(stage.acme));
        // The operator removes what is left of the token; the other token stays.
        system.revoke_token(stage.acme, own.info.id).unwrap();
        stage.vault.session(rich.token.clone()).own_token().unwrap();
        assert_eq!(stage.records(&key).len(), 0);
        put(stage, &key, &before);

        // A service account's key and an account of an environment, likewise.
        stage.shop();
        let robot = system.create_service_account(stage.acme, &NewServiceAccount::new("robot", PermissionSet::ALL)).unwrap();
        let service = system.create_service_key(stage.acme, robot.id, &NewServiceKey::new("key")).unwrap();
        let dev = path("shop/dev");
        let account = system.create_account(At::Path(stage.acme, &dev), &NewAccount::new("a", PermissionSet::EMPTY)).unwrap();
        for prefix in ["service-key/", "account/"] {
            let (key, before) = only(stage, prefix);
            put(stage, &key, &hash);
            match prefix {
                "service-key/" => {
                    assert_eq!(refused(system.service_keys(stage.acme, robot.id)), Corrupt);
                    assert_eq!(refused(system.delete_service_key(stage.acme, robot.id, service.info.id)), Corrupt);
                }
                _ => {
                    assert_eq!(refused(system.account(At::Path(stage.acme, &dev), account.account.id)), Corrupt);
                    assert_eq!(refused(system.delete_account(At::Path(stage.acme, &dev), account.account.id)), Corrupt);
                }
            }
            assert_eq!(stage.vault.check().unwrap().damaged.len(), 1);
            put(stage, &key, &before);
        }
        // Removing the account of the service removes no token of others.
        let (key, _) = only(stage, "service-key/");
        put(stage, &key, &hash);
        system.delete_service_account(stage.acme, robot.id).unwrap();
        stage.vault.session(rich.token).own_token().unwrap();
    }

    fn what_a_user_may_do_is_believed_only_as_it_was_given(stage: &Stage) {
        stage.shop();
        let (system, acme) = (stage.system(), stage.acme);
        system.create_project(acme, &NewProject::new("other")).unwrap();
        stage.write("shop/dev", "A=1\n");
        stage.write("other", "A=2\n");
        let [shop, other] = ["shop", "other"].map(|slug| system.project(At::Path(acme, &path(slug))).unwrap().id);
        let owner = stage.member("ann@example.com", "workspace:owner".parse().unwrap());
        let role = system.create_role(acme, &NewRole::new("guest", PermissionSet::EMPTY)).unwrap();
        let bob = stage.member("bob@example.com", MemberRole::Custom(role.id));
        let victim = system.create_organization(&NewOrganization::new("Victim")).unwrap().id;
        let team = stage.team("team", &[]);
        stage.grant("shop/dev", Grantee::User(bob), "viewer");
        stage.grant("other", Grantee::Team(team), "editor");
        let read = |place: &'static str| {
            move |stage: &Stage| {
                let at = path(place);
                kind_of(stage.user(bob).read_level(At::Path(stage.acme, &at), LevelScope::Own))
            }
        };
        assert_eq!((read("shop/dev")(stage), read("other")(stage)), (None, Some(ErrorKind::NotFound)));

        let key = format!("member/{acme}/{bob}");
        let member = stage.records(&key)[&key].clone();
        let owners = stage.records(&format!("member/{acme}/{owner}")).pop_first().unwrap().1;
        for changes in [
            json!({ "role": owners["role"] }),
            json!({ "teams": [team.to_string()] }),
            json!({ "user": owner.to_string() }),
            json!({ "mac": null }),
        ] {
            assert_refused(stage, &key, &with(&member, &changes), SealedRecordKind::Member, read("shop/dev"));
        }
        assert_refused(stage, &key, &owners, SealedRecordKind::Member, read("shop/dev"));
        let there = format!("member/{victim}/{bob}");
        assert_refused(stage, &there, &member, SealedRecordKind::Member, |stage| {
            kind_of(stage.user(bob).organization(victim))
        });

        let key = format!("user/{bob}");
        let user = stage.records(&key)[&key].clone();
        let mut organizations = user["organizations"].clone();
        organizations.as_array_mut().unwrap().push(victim.to_string().into());
        for changes in [
            json!({ "organizations": organizations }),
            json!({ "email": "ann@example.com" }),
            json!({ "id": owner.to_string() }),
        ] {
            assert_refused(stage, &key, &with(&user, &changes), SealedRecordKind::User, read("shop/dev"));
        }

        let key = format!("role/{acme}/{}", role.id);
        let record = stage.records(&key)[&key].clone();
        let forged = with(&record, &json!({ "permissions": ["secret:read", "secret:decrypt"] }));
        assert_refused(stage, &key, &forged, SealedRecordKind::Role, read("shop/dev"));

        let key = format!("grant/{shop}/user-{bob}");
        let grant = stage.records(&key)[&key].clone();
        let mut wide = grant["roles"].clone();
        wide[0]["role"] = "admin".into();
        assert_refused(stage, &key, &with(&grant, &json!({ "roles": wide })), SealedRecordKind::Grant, read("shop/dev"));
        wide = grant["roles"].clone();
        wide[0]["node"] = Value::Null;
        assert_refused(stage, &key, &with(&grant, &json!({ "roles": wide })), SealedRecordKind::Grant, read("shop/dev"));
        let teams = stage.records(&format!("grant/{other}/team-{team}")).pop_first().unwrap().1;
        // In another project; of a team; to another user.
        for (key, forged) in [
            (format!("grant/{other}/user-{bob}"), &grant),
            (format!("grant/{other}/user-{bob}"), &teams),
        ] {
            assert_refused(stage, &key, forged, SealedRecordKind::Grant, read("other"));
        }
        let carl = stage.member("carl@example.com", MemberRole::Custom(role.id));
        assert_refused(stage, &format!("grant/{shop}/user-{carl}"), &grant, SealedRecordKind::Grant, |stage| {
            kind_of(stage.user(carl).read_level(At::Path(stage.acme, &path("shop/dev")), LevelScope::Own))
        });

        // Also in the hands of somebody who may change it, it does not become genuine.
        let key = format!("member/{acme}/{bob}");
        put(stage, &key, &with(&member, &json!({ "teams": [team.to_string()] })));
        let update = MemberUpdate::new().role("workspace:member".parse().unwrap());
        assert_eq!(refused(system.update_member(acme, bob, &update)), Corrupt);
        assert_eq!(refused(system.add_team_member(acme, team, bob)), Corrupt);
        assert_eq!(refused(system.remove_member(acme, bob)), Corrupt);
        put(stage, &key, &member);

        // Nobody is taken for an owner, or for somebody in a team, because of an index.
        put(stage, &format!("role-member/{acme}/owner/{bob}"), &json!(0));
        assert_eq!(refused(system.remove_member(acme, owner)), Corrupt);
        assert_eq!(refused(system.update_member(acme, owner, &update)), Corrupt);
        assert_eq!(stage.vault.check().unwrap().damaged.len(), 1);
        remove(stage, &format!("role-member/{acme}/owner/{bob}"));
        assert_eq!(refused(system.remove_member(acme, owner)), Conflict);
        put(stage, &format!("team-member/{acme}/{team}/{bob}"), &json!(0));
        assert_eq!(refused(system.team_members(acme, team, &ioenv::vault::Paging::new())), Corrupt);
        assert_eq!(stage.vault.check().unwrap().damaged.len(), 1);
        remove(stage, &format!("team-member/{acme}/{team}/{bob}"));

        // An address leads to its own user only.
        let dora = system.create_user(&NewUser::new("Dora", "dora@example.com")).unwrap();
        put(stage, "user-email/dora@example.com", &json!(bob.to_string()));
        assert_eq!(refused(system.user_by_email("dora@example.com")), Corrupt);
        assert_eq!(stage.vault.check().unwrap().damaged.len(), 1);
        put(stage, "user-email/dora@example.com", &json!(dora.id.to_string()));
        assert!(stage.vault.check().unwrap().damaged.is_empty());
    }

    fn keys_accounts_and_invitations_are_believed_only_as_they_were_made(stage: &Stage) {
        stage.shop();
        let (system, acme) = (stage.system(), stage.acme);
        let everything: Vec<&str> = PermissionSet::ALL.iter().map(Permission::as_str).collect();

        let allow_list = vec!["192.0.2.0/24".parse().unwrap()];
        let robot = NewServiceAccount::new("robot", Permission::ProjectRead.into()).allow_list(allow_list);
        let robot = system.create_service_account(acme, &robot).unwrap();
        let key = system.create_service_key(acme, robot.id, &NewServiceKey::new("key")).unwrap().key;
        let attempt = move |stage: &Stage| {
            kind_of(stage.vault.session(key.clone()).from_ip("192.0.2.1".parse().unwrap()).organization(stage.acme))
        };
        let (at, record) = only(stage, "service-account/");
        for changes in [json!({ "permissions": everything }), json!({ "allow_list": [] }), json!({ "mac": null })] {
            assert_refused(stage, &at, &with(&record, &changes), SealedRecordKind::ServiceAccount, &attempt);
        }

        let ann = stage.member("ann@example.com", "workspace:owner".parse().unwrap());
        let new = NewPersonalKey::new("laptop", PersonalKeyLevel::ReadOnly);
        let personal = stage.user(ann).create_personal_key(acme, &new).unwrap();
        let (at, record) = newest(stage, &personal.info.id);
        let mut holder = record["holder"].clone();
        holder["user"]["level"] = json!("full_access");
        let attempt = move |stage: &Stage| kind_of(stage.vault.session(personal.key.clone()).whoami());
        assert_refused(stage, &at, &with(&record, &json!({ "holder": holder })), SealedRecordKind::Token, attempt);

        let dev = path("shop/dev");
        let account = system.create_account(At::Path(acme, &dev), &NewAccount::new("a", PermissionSet::EMPTY)).unwrap();
        let (at, record) = newest(stage, &account.account.id);
        let attempt = move |stage: &Stage| kind_of(stage.vault.session(account.key.clone()).whoami());
        for changes in [json!({ "permissions": everything }), json!({ "scope": null }), json!({ "holder": "token" })] {
            assert_refused(stage, &at, &with(&record, &changes), SealedRecordKind::Token, &attempt);
        }

        let role: MemberRole = "workspace:member".parse().unwrap();
        let invitation = system.invite_member(acme, &NewInvitation::new("bob@example.com", role)).unwrap();
        let (at, record) = only(stage, "invitation/");
        for changes in [
            json!({ "role": "workspace:owner" }),
            json!({ "email": "eve@example.com" }),
            json!({ "expires_at": "2100-01-01T00:00:00Z" }),
            json!({ "organization": ann.to_string() }),
        ] {
            put(stage, &at, &with(&record, &changes));
            assert_eq!(refused(system.accept_invitation(&invitation.code, "Eve")), Corrupt, "{changes}");
            assert_eq!(refused(system.invitations(acme)), Corrupt);
            let damaged = stage.vault.check().unwrap().damaged;
            assert_eq!(damaged.iter().map(|one| one.kind).collect::<Vec<_>>(), [SealedRecordKind::Invitation]);
        }
        put(stage, &at, &record);
        system.accept_invitation(&invitation.code, "Bob").unwrap();
    }

    fn a_place_is_believed_only_where_it_was_made(stage: &Stage) {
        stage.shop();
        let (system, acme) = (stage.system(), stage.acme);
        stage.write("shop/api/prod", "A=planted\n");
        let victim = system.create_organization(&NewOrganization::new("Victim")).unwrap().id;
        let token = system.issue_token(victim, &NewToken::new("tenant", PermissionSet::ALL)).unwrap().token;
        let in_target = stage.issue(PermissionSet::ALL, Some("shop/api")).token;
        let read = |token: &ioenv::vault::Token, organization, at: &'static str| {
            let token = token.clone();
            move |stage: &Stage| {
                let session = stage.vault.session(token.clone());
                kind_of(session.read_level(At::Path(organization, &path(at)), LevelScope::Own))
            }
        };
        let (_, project) = only(stage, "project/");
        let shop = project["id"].as_str().unwrap().to_owned();
        let nodes = stage.records(&format!("node/{shop}/"));
        let prod = &nodes[&format!("node/{shop}/api/prod")];

        // Somebody else's project as one of the tenant's own.
        let there = format!("project/{victim}/shop");
        for forged in [project.clone(), with(&project, &json!({ "organization": victim.to_string() }))] {
            assert_refused(stage, &there, &forged, SealedRecordKind::Project, read(&token, victim, "shop/api/prod"));
        }
        // Another environment inside of what a token is bound to, and another one in its place.
        let dev = with(&nodes[&format!("node/{shop}/dev")], &json!({ "slug": "mine" }));
        assert_refused(stage, &format!("node/{shop}/api/mine"), &dev, SealedRecordKind::Node, read(&in_target, acme, "shop/api/mine"));
        let at = format!("node/{shop}/api/prod");
        let forged = with(prod, &json!({ "id": dev["id"] }));
        assert_refused(stage, &at, &forged, SealedRecordKind::Node, read(&in_target, acme, "shop/api/prod"));
        // Where an id leads.
        let id = system.environment(At::Path(acme, &path("shop/api/prod"))).unwrap().id;
        for key in [format!("node-id/{id}"), format!("project-id/{shop}")] {
            let place = stage.records(&key)[&key].clone();
            let forged = with(&place, &json!({ "path": "dev" }));
            assert_refused(stage, &key, &forged, SealedRecordKind::Place, |stage| {
                kind_of(stage.system().read_level(At::Id(id.into()), LevelScope::Own))
            });
        }
        // What the organization or the project is.
        let key = format!("organization/{acme}");
        system.update_organization(acme, &OrganizationUpdate::new().status(OrganizationStatus::Suspended)).unwrap();
        let record = stage.records(&key)[&key].clone();
        let forged = with(&record, &json!({ "status": "active" }));
        assert_refused(stage, &key, &forged, SealedRecordKind::Organization, read(&in_target, acme, "shop/api/prod"));
        system.update_organization(acme, &OrganizationUpdate::new().status(OrganizationStatus::Active)).unwrap();
        let (key, record) = only(stage, &format!("project/{acme}/"));
        let forged = with(&record, &json!({ "versioning": false }));
        assert_refused(stage, &key, &forged, SealedRecordKind::Project, read(&in_target, acme, "shop/api/prod"));
    }

    fn secrets_are_copied_only_where_an_integration_was_told_to(stage: &Stage) {
        stage.shop();
        let (system, acme) = (stage.system(), stage.acme);
        let shelf = Provider::Other("shelf".to_owned());
        let new = NewIntegration::new("Shelf", shelf, "planted").environment(ioenv::vault::Mapping::new(path("shop/dev"), "d"));
        let integration = system.link_integration(At::Path(acme, &path("shop")), &new).unwrap().id;
        let prod = system.environment(At::Path(acme, &path("shop/api/prod"))).unwrap().id;
        let (key, record) = only(stage, "integration/");
        let mut environments = record["environments"].clone();
        environments[prod.to_string()] = "d".into();
        for changes in [json!({ "environments": environments }), json!({ "settings": { "a": "b" } }), json!({ "mac": null })] {
            assert_refused(stage, &key, &with(&record, &changes), SealedRecordKind::Credentials, |stage| {
                kind_of(stage.system().integration(At::Path(stage.acme, &path("shop")), integration))
            });
        }
    }

    fn a_former_state_of_its_own_is_not_told_from_the_present_one(stage: &Stage) {
        let token = stage.issue(Permission::ProjectRead.into(), None);
        let (key, record) = newest(stage, &token.info.id);
        stage.system().revoke_token(stage.acme, token.info.id).unwrap();
        assert_eq!(refused(stage.vault.session(token.token.clone()).own_token()), ErrorKind::Unauthenticated);
        put(stage, &key, &record);
        stage.vault.session(token.token).own_token().unwrap();
        assert!(stage.vault.check().unwrap().damaged.is_empty());
    }

    fn a_copy_is_the_same_vault(stage: &Stage) {
        stage.shop();
        let token = stage.issue(PermissionSet::ALL, None).token;
        let backup = Arc::new(Memory::new());
        copy(&stage.store, &backup).unwrap();
        let vault = Vault::open(Arc::clone(&backup), &stage.root).unwrap();
        vault.session(token).own_token().unwrap();
        let report = vault.check().unwrap();
        assert!(report.damaged.is_empty() && report.authenticated_records > 5, "{report:?}");
        let other = RootKey::generate(&SystemRandom).unwrap();
        assert_eq!(refused(Vault::open(backup, &other)), DecryptionFailed);
    }

    fn a_vault_without_macs_is_refused(stage: &Stage) {
        let (key, record) = only(stage, "vault");
        put(stage, &key, &with(&record, &json!({ "schema": 1 })));
        let error = Vault::open(Arc::clone(&stage.store), &stage.root).unwrap_err();
        assert_eq!(error.kind(), UnsupportedVersion);
        assert!(error.to_string().contains("older version"), "{error}");
    }

    fn the_operator_removes_a_token_that_was_changed(stage: &Stage) {
        let token = stage.issue(Permission::ApiTokenDelete.into(), None);
        let admin = stage.issue(PermissionSet::ALL, None);
        let (key, record) = newest(stage, &token.info.id);
        put(stage, &key, &with(&record, &json!({ "permissions": ["secret:read"] })));
        let error = stage.vault.session(admin.token).revoke_token(stage.acme, token.info.id).unwrap_err();
        assert_eq!(error.kind(), Corrupt);
        assert!(error.to_string().contains("ioenv vault check"), "{error}");
        let logged = stage.logged(|| stage.system().revoke_token(stage.acme, token.info.id).unwrap());
        assert_eq!(logged.len(), 1);
        assert!(stage.records(&key).is_empty() && stage.vault.check().unwrap().damaged.is_empty());
        assert_eq!(stage.system().tokens(stage.acme).unwrap().len(), 1);
    }
}
