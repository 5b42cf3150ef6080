//! Accounts of environments: one key each, for one environment each.

use std::sync::Arc;

use ioenv::ErrorKind::{Conflict, Denied, InvalidName, InvalidValue, NotFound, Unauthenticated};
use ioenv::Loader;
use ioenv::vault::Permission::{
    AccountCreate, AccountDelete, AccountRead, EnvironmentRead, ProjectDelete, Scan, SecretDecrypt, SecretDelete,
    SecretRead, SecretWrite, WebhookCreate, WebhookDelete, WebhookRead, WebhookTest, WebhookUpdate,
};
use ioenv::vault::{
    Action, ActorKind, At, AuditFilter, Confirmation, EnvironmentRole, EnvironmentUpdate, Grantee, Id, LevelScope,
    NewAccount, NewEnvironment, NewOrganization, NewToken, Paging, Permission, PermissionSet, Refusal, ResourceKind,
    Sha256Hasher, Token, TokenHasher as _, TokenUpdate, VaultOptions, VaultSource,
};
use serde_json::json;

use super::stage::{DAY, MINUTE, Stage, after, entry, path, refused, slug};

const PROD: &str = "shop/api/prod";
const READ: PermissionSet = PermissionSet::of(&[SecretRead, SecretDecrypt]);
const KNOWN: PermissionSet = PermissionSet::of(&[EnvironmentRead]);

on_every_store! {
    fn an_account_has_one_key_that_is_told_once(stage: &Stage) {
        stage.shop();
        let end = after(stage.now(), DAY);
        let mut made = None;
        let log = stage.logged(|| {
            let new = NewAccount::new("runner", READ).expires_at(end);
            made = Some(stage.system().create_account(At::Path(stage.acme, &path(PROD)), &new).unwrap());
        });
        let made = made.unwrap();
        let text = made.key.expose_secret().to_owned();
        let account = made.account.clone();
        assert!(text.starts_with("sb_env_") && text.len() == 39);
        assert_eq!((account.name.as_str(), account.hint.as_str()), ("runner", &text[..11]));
        assert_eq!(account.permissions, READ.union(KNOWN), "it always knows its environment");
        assert_eq!((&account.path, account.expires_at, account.last_used_at), (&path(PROD), Some(end), None));
        assert_eq!((account.created_at, account.created_by.name.as_deref()), (stage.now(), Some("test")));
        let hash = Sha256Hasher.hash(&made.key).to_string();
        assert_eq!(stage.records("token/").into_keys().collect::<Vec<_>>(), [format!("token/{hash}")]);

        assert_eq!(log.len(), 1);
        assert_eq!((log[0].action, log[0].resource.kind), (Action::Create, ResourceKind::Account));
        assert_eq!((log[0].resource.id, log[0].resource.path.as_ref()), (Some(account.id.into()), Some(&path(PROD))));
        let details = serde_json::to_value(&log[0].details).unwrap();
        assert_eq!(details, json!({"name": "runner", "expiresAt": end.to_string(),
            "permissions": ["secret:read", "secret:decrypt", "environment:read"]}));

        let listed = stage.system().accounts(At::Path(stage.acme, &path(PROD))).unwrap();
        assert_eq!(listed, std::slice::from_ref(&account));
        assert_eq!(stage.system().account(At::Path(stage.acme, &path(PROD)), account.id).unwrap(), account);
        for place in [stage.dump(""), format!("{made:?} {listed:?} {:?}", stage.log())] {
            assert!(!place.contains(&text["sb_env_".len()..]), "{place}");
        }
        for place in ["audit", "account"] {
            assert!(place == "account" || !stage.dump(place).contains(&hash), "{place}");
        }

        let session = stage.vault.session(made.key);
        assert!(session.read_level(At::Path(stage.acme, &path(PROD)), LevelScope::Chain).unwrap().resolve().is_empty());
        stage.system().delete_account(At::Path(stage.acme, &path(PROD)), account.id).unwrap();
        assert_eq!(refused(session.read_level(At::Path(stage.acme, &path(PROD)), LevelScope::Chain)), Unauthenticated);
        assert!(stage.records("token/").is_empty() && stage.records("account/").is_empty());
        assert_eq!(refused(stage.system().account(At::Path(stage.acme, &path(PROD)), account.id)), NotFound);
        assert_eq!(refused(stage.system().delete_account(At::Path(stage.acme, &path(PROD)), account.id)), NotFound);
        assert_eq!(stage.system().accounts(At::Path(stage.acme, &path(PROD))).unwrap(), []);
        let last = stage.log().pop().unwrap();
        assert_eq!(last.resource.kind, ResourceKind::Account);
    }

    fn an_account_reaches_its_environment_alone(stage: &Stage) {
        stage.shop();
        let system = stage.system();
        system.create_environment(At::Path(stage.acme, &path("shop/api")), &NewEnvironment::new("test")).unwrap();
        for at in ["shop", "shop/api", PROD, "shop/api/test", "shop/dev"] {
            stage.write(at, &format!("{}=1\n", at.replace('/', "_").to_uppercase()));
        }
        let everything = NewAccount::new("runner", EnvironmentRole::ACCOUNT);
        let made = system.create_account(At::Path(stage.acme, &path(PROD)), &everything).unwrap();
        let session = stage.vault.session(made.key);
        assert_eq!(session.read_level(At::Path(stage.acme, &path(PROD)), LevelScope::Chain).unwrap().resolve().len(), 3, "inherited values are read");
        session.set_entries(At::Path(stage.acme, &path(PROD)), &[entry("X", "1")]).unwrap();
        assert_eq!(session.environment(At::Path(stage.acme, &path(PROD))).unwrap().slug, "prod");
        for elsewhere in ["shop", "shop/api", "shop/api/test", "shop/dev", "none"] {
            let at = path(elsewhere);
            assert_eq!(refused(session.read_level(At::Path(stage.acme, &at), LevelScope::Chain)), NotFound, "{elsewhere}");
            assert_eq!(refused(session.set_entries(At::Path(stage.acme, &at), &[entry("X", "1")])), NotFound, "{elsewhere}");
        }
        let listed = session.environments(At::Path(stage.acme, &path("shop/api"))).unwrap();
        assert_eq!(listed.iter().map(|one| one.slug.as_str()).collect::<Vec<_>>(), ["prod"]);
        assert!(session.environments(At::Path(stage.acme, &path("shop"))).unwrap().is_empty());
        assert_eq!(refused(session.environment(At::Path(stage.acme, &path("shop/api/test")))), NotFound);
        // Where it belongs, everybody may know.
        assert_eq!(session.organizations().unwrap().len(), 1);
        // What it takes more for than an account can have.
        assert_eq!(refused(session.organization(stage.acme)), Denied);
        assert_eq!(refused(session.projects(stage.acme)), Denied);
        assert_eq!(refused(session.project(At::Path(stage.acme, &path("shop")))), Denied);
        assert_eq!(refused(session.targets(At::Path(stage.acme, &path("shop")))), Denied);
        assert_eq!(refused(session.accounts(At::Path(stage.acme, &path(PROD)))), Denied);
        assert_eq!(refused(session.create_account(At::Path(stage.acme, &path(PROD)), &NewAccount::new("a", READ))), Denied);
        assert_eq!(refused(session.delete_account(At::Path(stage.acme, &path(PROD)), made.account.id)), Denied);
        assert_eq!(refused(session.versions(At::Path(stage.acme, &path(PROD)), &Paging::new())), Denied);
        assert_eq!(refused(session.issue_token(stage.acme, &NewToken::new("t", READ))), Denied);
        let other = system.create_organization(&NewOrganization::new("Other")).unwrap().id;
        assert_eq!(refused(session.read_level(At::Path(other, &path(PROD)), LevelScope::Chain)), NotFound);
        // What it does is recorded as its own.
        let filter = AuditFilter::new().actor(made.account.id.into());
        let records = system.audit(stage.acme, &filter, &Paging::new()).unwrap().items;
        assert!(records.iter().any(|record| record.action == Action::Update || record.action == Action::Create));
        let actor = &records[0].actor;
        assert_eq!((actor.kind, actor.id, actor.name.as_deref()), (ActorKind::Token, Some(made.account.id.into()), Some("runner")));
    }

    fn only_an_environment_has_accounts(stage: &Stage) {
        stage.shop();
        let system = stage.system();
        for at in ["shop", "shop/api", "shop/none", "none", "none/prod"] {
            assert_eq!(refused(system.create_account(At::Path(stage.acme, &path(at)), &NewAccount::new("a", READ))), NotFound, "{at}");
            assert_eq!(refused(system.accounts(At::Path(stage.acme, &path(at)))), NotFound, "{at}");
        }
        let made = system.create_account(At::Path(stage.acme, &path(PROD)), &NewAccount::new("a", READ)).unwrap().account;
        assert!(system.accounts(At::Path(stage.acme, &path("shop/dev"))).unwrap().is_empty());
        assert_eq!(refused(system.account(At::Path(stage.acme, &path("shop/dev")), made.id)), NotFound);
        assert_eq!(refused(system.delete_account(At::Path(stage.acme, &path("shop/dev")), made.id)), NotFound);
        for (new, kind) in [
            (NewAccount::new(" ", READ), InvalidName),
            (NewAccount::new("a", ProjectDelete.into()), InvalidValue),
            (NewAccount::new("a", PermissionSet::ALL), InvalidValue),
            (NewAccount::new("a", READ).expires_at(stage.now()), InvalidValue),
        ] {
            let before = stage.records("");
            assert_eq!(refused(system.create_account(At::Path(stage.acme, &path(PROD)), &new)), kind, "{new:?}");
            assert_eq!(stage.records(""), before);
        }
    }

    fn each_role_gives_what_the_table_says(stage: &Stage) {
        stage.shop();
        let viewer: &[Permission] = &[EnvironmentRead, SecretRead, SecretDecrypt];
        let editor: &[Permission] = &[EnvironmentRead, SecretRead, SecretDecrypt, SecretWrite, WebhookRead];
        let all: &[Permission] = &[
            EnvironmentRead, SecretRead, SecretDecrypt, SecretWrite, SecretDelete, WebhookRead, WebhookTest, WebhookCreate,
            WebhookUpdate, WebhookDelete, Scan,
        ];
        let roles: [(&str, &str, Option<&str>, &[Permission]); 9] = [
            ("viewer", "workspace:member", Some("viewer"), viewer),
            ("editor", "workspace:member", Some("editor"), editor),
            ("admin", "workspace:member", Some("admin"), all),
            ("full", "workspace:member", Some("full"), all),
            ("both", "workspace:admin", Some("viewer"), all),
            ("boss", "workspace:admin", None, all),
            ("owner", "workspace:owner", None, all),
            ("nobody", "workspace:member", None, &[]),
            ("reader", "developer", None, &[]),
        ];
        for (name, member, granted, expected) in roles {
            let user = stage.member(&format!("{name}@example.test"), member.parse().unwrap());
            if let Some(role) = granted {
                stage.grant(if role == "full" { "shop" } else { PROD }, Grantee::User(user), role);
            }
            let session = stage.user(user);
            for &permission in Permission::ALL {
                let before = stage.records("account/").len();
                let made = session.create_account(At::Path(stage.acme, &path(PROD)), &NewAccount::new("a", permission.into()));
                let is_given = expected.contains(&permission);
                assert_eq!(made.is_ok(), is_given, "{name} gives {permission}: {made:?}");
                assert_eq!(stage.records("account/").len(), before + usize::from(is_given));
                if let Ok(made) = made {
                    assert_eq!(made.account.permissions, PermissionSet::from(permission).union(KNOWN));
                    assert_eq!(made.account.created_by.id, Some(user.into()));
                }
            }
            let both: PermissionSet = expected.iter().copied().collect();
            assert_eq!(
                session.create_account(At::Path(stage.acme, &path(PROD)), &NewAccount::new("a", both)).is_ok(),
                !expected.is_empty(),
                "{name}"
            );
            // A role in an environment is none beside it.
            if matches!(granted, Some("viewer" | "editor" | "admin")) && member == "workspace:member" {
                let beside = session.create_account(At::Path(stage.acme, &path("shop/dev")), &NewAccount::new("a", READ));
                assert_eq!(refused(beside), NotFound, "{name}");
            }
        }
        // Whom the roles let see and remove accounts.
        for (role, sees, removes) in [("viewer", true, false), ("editor", true, false), ("admin", true, true)] {
            let user = stage.member(&format!("other-{role}@example.test"), "workspace:member".parse().unwrap());
            stage.grant(PROD, Grantee::User(user), role);
            let accounts = stage.user(user).accounts(At::Path(stage.acme, &path(PROD)));
            assert_eq!(accounts.is_ok(), sees, "{role}");
            let deleted = stage.user(user).delete_account(At::Path(stage.acme, &path(PROD)), accounts.unwrap()[0].id);
            assert_eq!(deleted.is_ok(), removes, "{role}");
        }
        let refusal = stage.user(stage.member("ann@example.test", "workspace:member".parse().unwrap())).accounts(At::Path(stage.acme, &path(PROD)));
        assert_eq!(refused(refusal), NotFound);
    }

    fn a_token_gives_what_it_holds_for_as_long_as_it_lives(stage: &Stage) {
        stage.shop();
        let end = after(stage.now(), DAY);
        let held = READ.union(PermissionSet::of(&[AccountCreate, AccountRead, AccountDelete, EnvironmentRead]));
        let token = NewToken::new("m", held).scope(path("shop/api")).expires_at(end);
        let session = stage.vault.session(stage.system().issue_token(stage.acme, &token).unwrap().token);
        let create = |at: &str, new: NewAccount| session.create_account(At::Path(stage.acme, &path(at)), &new);
        create(PROD, NewAccount::new("a", READ).expires_at(end)).unwrap();
        assert_eq!(refused(create(PROD, NewAccount::new("a", SecretWrite.into()).expires_at(end))), Denied);
        assert_eq!(refused(create(PROD, NewAccount::new("a", Scan.into()).expires_at(end))), Denied);
        assert_eq!(refused(create(PROD, NewAccount::new("a", READ).expires_at(after(end, 1)))), Denied);
        assert_eq!(refused(create(PROD, NewAccount::new("a", READ))), Denied);
        assert_eq!(refused(create("shop/dev", NewAccount::new("a", READ).expires_at(end))), NotFound);
        let given = NewAccount::new("a", READ).expires_at(end).id(Id::from(stage.acme).into());
        assert_eq!(refused(create(PROD, given)), Denied, "only trusted programs give ids");
        // All that an admin holds, and yet a token gives nothing beyond.
        let admin = EnvironmentRole::Admin.permissions();
        let session = stage.session(admin, Some(PROD));
        assert_eq!(refused(session.create_account(At::Path(stage.acme, &path(PROD)), &NewAccount::new("a", Scan.into()))), Denied);
        assert!(session.create_account(At::Path(stage.acme, &path(PROD)), &NewAccount::new("a", SecretDelete.into())).is_ok());
    }

    fn an_account_ends_at_its_end(stage: &Stage) {
        stage.shop();
        let end = after(stage.now(), DAY);
        let new = NewAccount::new("a", READ).expires_at(end);
        let made = stage.system().create_account(At::Path(stage.acme, &path(PROD)), &new).unwrap();
        let session = stage.vault.session(made.key);
        stage.pass(DAY - 1);
        session.read_level(At::Path(stage.acme, &path(PROD)), LevelScope::Chain).unwrap().resolve();
        stage.pass(1);
        let error = session.read_level(At::Path(stage.acme, &path(PROD)), LevelScope::Chain).unwrap_err();
        assert_eq!((error.kind(), error.refusal()), (Unauthenticated, Some(Refusal::Expired { since: end })));
        assert!(error.to_string().contains(&end.to_string()) && error.refusal() != Some(Refusal::Address), "{error}");
        assert_eq!(stage.system().accounts(At::Path(stage.acme, &path(PROD))).unwrap()[0].expires_at, Some(end), "it is still listed");
        stage.system().delete_account(At::Path(stage.acme, &path(PROD)), made.account.id).unwrap();
        let error = session.read_level(At::Path(stage.acme, &path(PROD)), LevelScope::Chain).unwrap_err();
        assert_eq!((error.kind(), error.refusal()), (Unauthenticated, None), "what is gone is told apart from nothing");
        let unknown = stage.vault.session("sb_env_0123456789abcdefghijABCDEFGHIJKL".parse::<Token>().unwrap());
        assert_eq!(unknown.read_level(At::Path(stage.acme, &path(PROD)), LevelScope::Chain).unwrap_err().to_string(), error.to_string());
    }

    fn accounts_are_no_api_tokens(stage: &Stage) {
        stage.shop();
        let system = stage.system();
        let made = system.create_account(At::Path(stage.acme, &path(PROD)), &NewAccount::new("a", READ)).unwrap();
        let token = stage.issue(READ, Some(PROD)).info.id;
        let id = made.account.id;
        assert_eq!(system.tokens(stage.acme).unwrap().iter().map(|one| one.id).collect::<Vec<_>>(), [token]);
        assert_eq!(refused(system.token(stage.acme, Id::from(id).into())), NotFound);
        assert_eq!(refused(system.update_token(stage.acme, Id::from(id).into(), &TokenUpdate::new())), NotFound);
        assert_eq!(refused(system.rotate_token(stage.acme, Id::from(id).into())), NotFound);
        assert_eq!(refused(system.revoke_token(stage.acme, Id::from(id).into())), NotFound);
        assert_eq!(system.accounts(At::Path(stage.acme, &path(PROD))).unwrap().len(), 1);
        assert_eq!(refused(system.account(At::Path(stage.acme, &path(PROD)), Id::from(token).into())), NotFound);
        assert_eq!(refused(system.delete_account(At::Path(stage.acme, &path(PROD)), Id::from(token).into())), NotFound);
        let session = stage.vault.session(made.key);
        let known = session.own_token().unwrap();
        assert_eq!((known.id, known.organization, known.scope), (Id::from(id).into(), stage.acme, Some(path(PROD))));
    }

    fn use_of_an_account_is_noted_once_a_minute(stage: &Stage) {
        stage.shop();
        let made = stage.system().create_account(At::Path(stage.acme, &path(PROD)), &NewAccount::new("a", READ)).unwrap();
        let session = stage.vault.session(made.key);
        let last = || stage.system().account(At::Path(stage.acme, &path(PROD)), made.account.id).unwrap().last_used_at;
        let first = stage.now();
        session.read_level(At::Path(stage.acme, &path(PROD)), LevelScope::Chain).unwrap().resolve();
        assert_eq!(last(), Some(first));
        stage.pass(MINUTE - 1);
        session.read_level(At::Path(stage.acme, &path(PROD)), LevelScope::Chain).unwrap().resolve();
        assert_eq!(last(), Some(first));
        stage.pass(1);
        session.read_level(At::Path(stage.acme, &path(PROD)), LevelScope::Chain).unwrap().resolve();
        assert_eq!(last(), Some(stage.now()));
    }

    fn an_account_follows_its_environment(stage: &Stage) {
        stage.shop();
        stage.write("shop/api", "A=1\n");
        let system = stage.system();
        let make = |at: &str| {
            let made = system.create_account(At::Path(stage.acme, &path(at)), &NewAccount::new("a", READ)).unwrap();
            stage.vault.session(made.key)
        };
        let rename = EnvironmentUpdate::new().name("Live").slug(slug("live"));
        let session = make(PROD);
        system.update_environment(At::Path(stage.acme, &path(PROD)), &rename).unwrap();
        assert_eq!(session.read_level(At::Path(stage.acme, &path("shop/api/live")), LevelScope::Chain).unwrap().resolve().len(), 1);
        assert_eq!(system.accounts(At::Path(stage.acme, &path("shop/api/live"))).unwrap()[0].path, path("shop/api/live"));

        // What is removed takes its accounts along, and a namesake does not bring them back.
        system.delete_environment(At::Path(stage.acme, &path("shop/api/live")), Confirmation::Given).unwrap();
        assert_eq!(refused(session.whoami()), Unauthenticated);
        system.create_environment(At::Path(stage.acme, &path("shop/api")), &NewEnvironment::new("live")).unwrap();
        assert_eq!(refused(session.read_level(At::Path(stage.acme, &path("shop/api/live")), LevelScope::Chain)), Unauthenticated);
        let removals: [(&str, &dyn Fn()); 3] = [
            ("target", &|| system.delete_target(At::Path(stage.acme, &path("shop/api"))).unwrap()),
            ("project", &|| system.delete_project(At::Path(stage.acme, &path("shop"))).unwrap()),
            ("organization", &|| system.delete_organization(stage.acme).unwrap()),
        ];
        stage.purge_deleted();
        for (what, remove) in removals {
            let session = match what {
                "target" => make("shop/api/live"),
                "project" => make("shop/dev"),
                _ => {
                    stage.shop();
                    make("shop/dev")
                }
            };
            session.whoami().unwrap();
            remove();
            assert_eq!(refused(session.whoami()), Unauthenticated, "{what}");
            stage.purge_deleted();
            assert_eq!(refused(session.whoami()), Unauthenticated, "{what}");
            assert!(stage.records("account/").is_empty(), "{what}");
            assert!(stage.records("token/").is_empty(), "{what}");
        }
    }

    fn what_brings_an_environment_back_brings_its_accounts(stage: &Stage) {
        stage.shop();
        stage.write(PROD, "A=1\n");
        let system = stage.system();
        let made = system.create_account(At::Path(stage.acme, &path(PROD)), &NewAccount::new("a", READ)).unwrap();
        let session = stage.vault.session(made.key);
        let project = system.project(At::Path(stage.acme, &path("shop"))).unwrap().id;
        let prod = system.environment(At::Path(stage.acme, &path(PROD))).unwrap().id;
        system.delete_environment(At::Path(stage.acme, &path(PROD)), Confirmation::Given).unwrap();
        assert_eq!(refused(session.whoami()), Unauthenticated);
        system.delete_project(At::Path(stage.acme, &path("shop"))).unwrap();
        system.restore_project(stage.acme, project).unwrap();
        assert_eq!(refused(session.whoami()), Unauthenticated);
        system.restore_environment(stage.acme, prod).unwrap();
        assert_eq!(session.read_level(At::Path(stage.acme, &path(PROD)), LevelScope::Chain).unwrap().resolve().len(), 1);
        assert_eq!(system.accounts(At::Path(stage.acme, &path(PROD))).unwrap().len(), 1);
    }

    fn a_program_loads_its_environment_by_an_account(stage: &Stage) {
        stage.shop();
        stage.write("shop/api", "A=1\n");
        stage.write(PROD, "B=2\n");
        let made = stage.system().create_account(At::Path(stage.acme, &path(PROD)), &NewAccount::new("a", READ)).unwrap();
        let vault = VaultOptions::new(&stage.root).clock(stage.clock.clone()).open(Arc::clone(&stage.store)).unwrap();
        let source = VaultSource::new(vault, made.key);
        let env = Loader::new().source(source.clone()).path(path(PROD)).resolve().unwrap();
        assert_eq!(env.var("A").unwrap().expose_secret(), "1");
        assert_eq!(env.var("B").unwrap().expose_secret(), "2");
        assert_eq!(refused(Loader::new().source(source).path(path("shop/dev")).resolve()), NotFound);
    }

    fn trusted_programs_give_an_account_its_id(stage: &Stage) {
        stage.shop();
        let id: Id = "01ARZ3NDEKTSV4RRFFQ69G5FAV".parse().unwrap();
        let new = NewAccount::new("a", READ).id(id.into());
        let made = stage.system().create_account(At::Path(stage.acme, &path(PROD)), &new).unwrap();
        assert_eq!(made.account.id, id.into());
        let before = stage.records("");
        assert_eq!(refused(stage.system().create_account(At::Path(stage.acme, &path(PROD)), &new)), Conflict);
        assert_eq!(stage.records(""), before);
    }
}
