//! Service accounts: what their keys may do is what the account may.

use ioenv::ErrorKind::{Denied, InvalidName, InvalidValue, NotFound, Unauthenticated};
use ioenv::vault::{
    Action, ActorKind, At, Grantee, Id, IssuedServiceKey, LevelScope, NewPersonalKey, NewProject, NewServiceAccount,
    NewServiceKey, NewToken, OrganizationId, Permission as P, PermissionSet, PersonalKeyLevel, Refusal, ResourceKind,
    ServiceAccount, ServiceAccountId, ServiceAccountUpdate, ServiceKeyId, Session, WorkspaceRole,
};
use serde_json::json;

use super::stage::{DAY, MINUTE, Stage, after, entry, path, refused};

const PROD: &str = "shop/api/prod";
const READ: PermissionSet = PermissionSet::of(&[P::ProjectRead, P::SecretRead, P::SecretDecrypt]);

fn account(stage: &Stage, permissions: PermissionSet) -> ServiceAccount {
    stage.system().create_service_account(stage.acme, &NewServiceAccount::new("ci", permissions)).unwrap()
}

fn key(stage: &Stage, account: ServiceAccountId) -> IssuedServiceKey {
    stage.system().create_service_key(stage.acme, account, &NewServiceKey::new("k")).unwrap()
}

/// Everything there is to do with service accounts.
fn manage(
    session: &Session<'_>,
    acme: OrganizationId,
    account: ServiceAccountId,
    key: ServiceKeyId,
) -> Vec<Result<(), ioenv::Error>> {
    let rename = ServiceAccountUpdate::new().name("other");
    vec![
        session.service_accounts(acme).map(drop),
        session.service_account(acme, account).map(drop),
        session.service_keys(acme, account).map(drop),
        session.create_service_account(acme, &NewServiceAccount::new("new", P::ProjectRead.into())).map(drop),
        session.update_service_account(acme, account, &rename).map(drop),
        session.create_service_key(acme, account, &NewServiceKey::new("new")).map(drop),
        session.delete_service_key(acme, account, key),
        session.delete_service_account(acme, account),
    ]
}

on_every_store! {
    fn all_keys_may_do_what_the_account_may(stage: &Stage) {
        stage.shop();
        let account = account(stage, READ);
        let (one, two) = (key(stage, account.id), key(stage, account.id));
        let text = one.key.expose_secret().to_owned();
        assert!(text.starts_with("sb_service_") && text.len() == 43);
        let sessions = [&one, &two].map(|issued| stage.vault.session(issued.key.clone()));
        let write = |session: &Session<'_>| session.set_entries(At::Path(stage.acme, &path(PROD)), &[entry("A", "1")]).map(drop);
        for session in &sessions {
            session.read_level(At::Path(stage.acme, &path(PROD)), LevelScope::Chain).unwrap().resolve();
            assert_eq!(refused(write(session)), Denied);
            assert_eq!(session.own_token().unwrap().permissions, READ);
        }
        // A change is there at once, in the middle of a session.
        let mut update = ServiceAccountUpdate::new().permissions(READ.union(P::SecretWrite.into()));
        let updated = stage.system().update_service_account(stage.acme, account.id, &update).unwrap();
        assert_eq!(updated.permissions, READ.union(P::SecretWrite.into()));
        for session in &sessions {
            write(session).unwrap();
        }
        update = update.permissions(P::ProjectRead.into());
        stage.system().update_service_account(stage.acme, account.id, &update).unwrap();
        for session in &sessions {
            assert_eq!(refused(session.read_level(At::Path(stage.acme, &path(PROD)), LevelScope::Chain)), Denied);
            assert_eq!(session.projects(stage.acme).unwrap().len(), 1);
        }
        let listed = stage.system().service_keys(stage.acme, account.id).unwrap();
        assert_eq!(listed.iter().map(|key| key.id).collect::<Vec<_>>(), [one.info.id, two.info.id]);
        assert!(stage.system().tokens(stage.acme).unwrap().is_empty());
        assert_eq!(refused(stage.system().rotate_token(stage.acme, Id::from(one.info.id).into())), NotFound);
        for place in [stage.dump(""), format!("{one:?} {listed:?} {:?}", stage.log())] {
            assert!(!place.contains(&text["sb_service_".len()..]));
        }

        stage.system().delete_service_key(stage.acme, account.id, one.info.id).unwrap();
        assert_eq!(refused(sessions[0].projects(stage.acme)), Unauthenticated);
        assert!(sessions[1].projects(stage.acme).is_ok());
        assert_eq!(refused(stage.system().delete_service_key(stage.acme, account.id, one.info.id)), NotFound);
        stage.system().delete_service_account(stage.acme, account.id).unwrap();
        assert_eq!(refused(sessions[1].projects(stage.acme)), Unauthenticated);
        assert_eq!(refused(stage.system().service_account(stage.acme, account.id)), NotFound);
        for place in ["token/", "service-account/", "service-key/"] {
            assert!(stage.records(place).is_empty(), "{place}");
        }
    }

    fn owners_and_admins_manage_them(stage: &Stage) {
        stage.shop();
        for (name, role, is_allowed) in [
            ("owner", "workspace:owner", true), ("admin", "workspace:admin", true), ("member", "workspace:member", false),
            ("full", "workspace:member", false), ("o", "owner", true), ("a", "admin", true), ("m", "member", false),
            ("co", "cloud:owner", true), ("ca", "cloud:admin", true), ("cd", "developer", false), ("cu", "auditor", false),
        ] {
            let user = stage.member(&format!("{name}@example.test"), role.parse().unwrap());
            if name == "full" {
                stage.grant("shop", Grantee::User(user), "full");
            }
            let personal = NewPersonalKey::new("k", PersonalKeyLevel::FullAccess);
            let by_key = stage.vault.session(stage.user(user).create_personal_key(stage.acme, &personal).unwrap().key);
            for session in [stage.user(user), by_key] {
                let account = account(stage, P::ProjectRead.into());
                let key = key(stage, account.id).info.id;
                for (what, done) in manage(&session, stage.acme, account.id, key).into_iter().enumerate() {
                    // An auditor sees which tokens there are.
                    let is_allowed = is_allowed || (role == "auditor" && what < 3 && name == "cu");
                    assert_eq!(done.is_ok(), is_allowed, "{role}, attempt {what}: {done:?}");
                    assert!(is_allowed || refused(done) == Denied);
                }
            }
        }
    }

    fn no_service_key_manages_service_accounts(stage: &Stage) {
        stage.shop();
        let account = account(stage, PermissionSet::ALL);
        let one = key(stage, account.id);
        let session = stage.vault.session(one.key);
        for done in manage(&session, stage.acme, account.id, one.info.id) {
            assert_eq!(refused(done), Denied);
        }
        // Nor does what is bound to a place.
        let bound = stage.session(PermissionSet::ALL, Some("shop"));
        for done in manage(&bound, stage.acme, account.id, one.info.id) {
            assert_eq!(refused(done), Denied);
        }
        assert!(session.create_project(stage.acme, &NewProject::new("other")).is_ok(), "all else it may");
    }

    fn nobody_gives_a_service_account_what_they_do_not_hold(stage: &Stage) {
        stage.shop();
        let manage = PermissionSet::of(&[P::ApiTokenCreate, P::ApiTokenRead, P::ApiTokenUpdate, P::ApiTokenDelete]);
        let session = stage.session(READ.union(manage), None);
        let create = |permissions| session.create_service_account(stage.acme, &NewServiceAccount::new("a", permissions));
        assert_eq!(refused(create(READ.union(P::SecretWrite.into()))), Denied);
        let own = create(READ).unwrap();
        let strong = account(stage, READ.union(P::SecretWrite.into()));
        assert_eq!(refused(session.create_service_key(stage.acme, strong.id, &NewServiceKey::new("k"))), Denied);
        let mut update = ServiceAccountUpdate::new().name("mine");
        assert_eq!(refused(session.update_service_account(stage.acme, strong.id, &update)), Denied);
        update = update.permissions(strong.permissions);
        assert_eq!(refused(session.update_service_account(stage.acme, own.id, &update)), Denied);
        update = update.permissions(P::SecretRead.into());
        assert_eq!(session.update_service_account(stage.acme, own.id, &update).unwrap().name, "mine");
        // An admin does not have all that an owner has.
        let admin = stage.user(stage.member("admin@example.test", "workspace:admin".parse().unwrap()));
        let new = |permissions| NewServiceAccount::new("a", permissions);
        assert_eq!(refused(admin.create_service_account(stage.acme, &new(PermissionSet::ALL))), Denied);
        admin.create_service_account(stage.acme, &new(WorkspaceRole::Admin.permissions())).unwrap();

        // What has an end gives nothing that has none.
        let end = after(stage.now(), DAY);
        let ending = NewToken::new("t", PermissionSet::ALL).expires_at(end);
        let ending = stage.vault.session(stage.system().issue_token(stage.acme, &ending).unwrap().token);
        assert_eq!(refused(ending.create_service_account(stage.acme, &new(READ))), Denied);
        assert_eq!(refused(ending.update_service_account(stage.acme, own.id, &update)), Denied);
        let mut short = NewServiceKey::new("k");
        assert_eq!(refused(ending.create_service_key(stage.acme, own.id, &short)), Denied);
        short = short.expires_at(end);
        ending.create_service_key(stage.acme, own.id, &short).unwrap();
        let mut given = new(READ);
        given = given.id(Id::from(stage.acme).into());
        assert_eq!(refused(admin.create_service_account(stage.acme, &given)), Denied, "only trusted programs give ids");
        assert_eq!(stage.system().create_service_account(stage.acme, &given).unwrap().id, Id::from(stage.acme).into());
    }

    fn what_a_key_does_is_recorded_as_its_accounts(stage: &Stage) {
        stage.shop();
        let mut made = None;
        let log = stage.logged(|| made = Some(account(stage, READ)));
        let account = made.unwrap();
        assert_eq!((log[0].action, log[0].resource.kind), (Action::Create, ResourceKind::ServiceAccount));
        assert_eq!(log[0].resource.id, Some(account.id.into()));
        assert_eq!(serde_json::to_value(&log[0].details).unwrap(), json!({"name": "ci", "allowList": [],
            "permissions": ["secret:read", "secret:decrypt", "project:read"]}));
        let mut one = None;
        let log = stage.logged(|| one = Some(key(stage, account.id)));
        let one = one.unwrap();
        assert_eq!((log[0].resource.kind, log[0].resource.id), (ResourceKind::Token, Some(one.info.id.into())));
        assert_eq!(serde_json::to_value(&log[0].details).unwrap()["serviceAccountId"], json!(account.id));
        let session = stage.vault.session(one.key);
        let log = stage.logged(|| drop(session.projects(stage.acme).unwrap()));
        let actor = &log[0].actor;
        assert_eq!((actor.kind, actor.id, actor.name.as_deref()), (ActorKind::Token, Some(account.id.into()), Some("ci")));
        assert_eq!(serde_json::to_value(&log[0].details).unwrap()["keyId"], json!(one.info.id));
    }

    fn each_key_has_an_end_of_its_own(stage: &Stage) {
        let account = account(stage, READ);
        let end = after(stage.now(), DAY);
        let new = NewServiceKey::new("k").expires_at(end);
        let short = stage.system().create_service_key(stage.acme, account.id, &new).unwrap();
        let long = key(stage, account.id);
        let sessions = [short.key, long.key].map(|key| stage.vault.session(key));
        stage.pass(DAY - 1);
        for session in &sessions {
            session.projects(stage.acme).unwrap();
        }
        let used = || stage.system().service_keys(stage.acme, account.id).unwrap()[1].last_used_at;
        assert_eq!(used(), Some(stage.now()));
        stage.pass(1);
        let error = sessions[0].projects(stage.acme).unwrap_err();
        assert_eq!((error.kind(), error.refusal()), (Unauthenticated, Some(Refusal::Expired { since: end })));
        sessions[1].projects(stage.acme).unwrap();
        stage.pass(MINUTE);
        sessions[1].projects(stage.acme).unwrap();
        assert_eq!(used(), Some(stage.now()));
        assert_eq!(refused(stage.system().create_service_key(stage.acme, account.id, &new)), InvalidValue);
    }

    fn they_go_with_their_organization(stage: &Stage) {
        let account = account(stage, READ);
        let session = stage.vault.session(key(stage, account.id).key);
        session.projects(stage.acme).unwrap();
        stage.system().delete_organization(stage.acme).unwrap();
        assert_eq!(refused(session.projects(stage.acme)), Unauthenticated);
        for place in ["token/", "service-account/", "service-key/"] {
            assert!(stage.records(place).is_empty(), "{place}");
        }
    }

    fn what_is_no_service_account_is_refused(stage: &Stage) {
        let before = stage.records("");
        let system = stage.system();
        let nowhere: Id = "01ARZ3NDEKTSV4RRFFQ69G5FAV".parse().unwrap();
        assert_eq!(refused(system.create_service_account(stage.acme, &NewServiceAccount::new("", READ))), InvalidName);
        let empty = NewServiceAccount::new("a", PermissionSet::EMPTY);
        assert_eq!(refused(system.create_service_account(stage.acme, &empty)), InvalidValue);
        assert_eq!(refused(system.create_service_account(nowhere.into(), &NewServiceAccount::new("a", READ))), NotFound);
        assert_eq!(refused(system.service_account(stage.acme, nowhere.into())), NotFound);
        assert_eq!(refused(system.service_keys(stage.acme, nowhere.into())), NotFound);
        assert_eq!(refused(system.create_service_key(stage.acme, nowhere.into(), &NewServiceKey::new("k"))), NotFound);
        assert_eq!(refused(system.delete_service_account(stage.acme, nowhere.into())), NotFound);
        assert_eq!(stage.records(""), before);
    }
}
