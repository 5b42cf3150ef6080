//! Users' own keys: in the user's name, within a level, as long as the user is there.

use ioenv::Error;
use ioenv::ErrorKind::{Denied, InvalidName, InvalidValue, NotFound, Unauthenticated};
use ioenv::vault::{
    Action, ActorKind, At, Grantee, Id, IssuedPersonalKey, LevelScope, NewAccount, NewMember, NewOrganization,
    NewPersonalKey, NewProject, NewToken, OrganizationId, Paging, PermissionSet, PersonalKeyLevel, Refusal,
    ResourceKind, Session, UserId, UserUpdate,
};
use serde_json::json;

use super::stage::{DAY, MINUTE, Stage, after, entry, names, path, refused};

const PROD: &str = "shop/api/prod";

fn make(stage: &Stage, user: UserId, level: PersonalKeyLevel) -> IssuedPersonalKey {
    stage.user(user).create_personal_key(stage.acme, &NewPersonalKey::new("laptop", level)).unwrap()
}

/// What a key is tried with.
fn attempts(session: &Session<'_>, acme: OrganizationId) -> [Result<(), Error>; 6] {
    let prod = &path(PROD);
    [
        session.read_level(At::Path(acme, prod), LevelScope::Chain).map(drop),
        session.set_entries(At::Path(acme, prod), &[entry("A", "1")]).map(drop),
        session.delete_entries(At::Path(acme, prod), &names(["A"])).map(drop),
        session.accounts(At::Path(acme, prod)).map(drop),
        session.create_project(acme, &NewProject::new("other")).map(drop),
        session.versions(At::Path(acme, prod), &Paging::new()).map(drop),
    ]
}

on_every_store! {
    fn a_key_may_do_what_its_level_and_its_user_may(stage: &Stage) {
        use PersonalKeyLevel::{FullAccess, ReadOnly, SecretsWrite};
        stage.shop();
        stage.write(PROD, "B=1\n");
        // Reads, writes, deletes, sees accounts, makes a project, sees versions.
        let cases: [(&str, Option<&str>, PersonalKeyLevel, [bool; 6]); 9] = [
            ("workspace:owner", None, FullAccess, [true, true, true, true, true, true]),
            ("workspace:owner", None, SecretsWrite, [true, true, true, false, false, true]),
            ("workspace:owner", None, ReadOnly, [true, false, false, false, false, false]),
            ("workspace:member", Some("viewer"), FullAccess, [true, false, false, true, false, true]),
            ("workspace:member", Some("viewer"), SecretsWrite, [true, false, false, false, false, true]),
            ("workspace:member", Some("viewer"), ReadOnly, [true, false, false, false, false, false]),
            ("workspace:member", Some("editor"), SecretsWrite, [true, true, false, false, false, true]),
            ("workspace:member", Some("admin"), SecretsWrite, [true, true, true, false, false, true]),
            ("workspace:member", None, FullAccess, [false; 6]),
        ];
        for (at, (role, granted, level, expected)) in cases.into_iter().enumerate() {
            let user = stage.member(&format!("user-{at}@example.test"), role.parse().unwrap());
            if let Some(granted) = granted {
                stage.grant(PROD, Grantee::User(user), granted);
            }
            let session = stage.vault.session(make(stage, user, level).key);
            let done = attempts(&session, stage.acme);
            for (what, (done, is_allowed)) in done.iter().zip(expected).enumerate() {
                assert_eq!(done.is_ok(), is_allowed, "{role} {granted:?} {level}, attempt {what}: {done:?}");
                let kind = done.as_ref().err().map(Error::kind);
                assert!(matches!(kind, None | Some(Denied | NotFound)), "{kind:?}");
            }
            if done[4].is_ok() {
                stage.system().delete_project(At::Path(stage.acme, &path("other"))).unwrap();
            }
        }
    }

    fn what_is_taken_from_the_user_is_taken_from_the_key(stage: &Stage) {
        stage.shop();
        let user = stage.member("ann@example.test", "workspace:member".parse().unwrap());
        stage.grant(PROD, Grantee::User(user), "admin");
        let session = stage.vault.session(make(stage, user, PersonalKeyLevel::FullAccess).key);
        let write = || session.set_entries(At::Path(stage.acme, &path(PROD)), &[entry("A", "1")]).map(drop);
        write().unwrap();
        stage.grant(PROD, Grantee::User(user), "viewer");
        assert_eq!(refused(write()), Denied);
        session.read_level(At::Path(stage.acme, &path(PROD)), LevelScope::Chain).unwrap().resolve();
        stage.grant("shop/dev", Grantee::User(user), "admin");
        stage.system().revoke_grant(At::Path(stage.acme, &path(PROD)), Grantee::User(user)).unwrap();
        assert_eq!(refused(session.read_level(At::Path(stage.acme, &path(PROD)), LevelScope::Chain)), NotFound);
        stage.grant(PROD, Grantee::User(user), "editor");
        write().unwrap();
    }

    fn without_the_member_or_the_user_a_key_is_unknown(stage: &Stage) {
        stage.shop();
        let end = after(stage.now(), DAY);
        for gone in ["member", "user"] {
            let user = stage.member(&format!("{gone}@example.test"), "workspace:admin".parse().unwrap());
            let new = NewPersonalKey::new("laptop", PersonalKeyLevel::FullAccess).expires_at(end);
            let made = stage.user(user).create_personal_key(stage.acme, &new).unwrap();
            let (other, session) = (make(stage, user, PersonalKeyLevel::ReadOnly), stage.vault.session(made.key));
            session.whoami().unwrap();
            if gone == "member" {
                stage.system().remove_member(stage.acme, user).unwrap();
            } else {
                stage.system().delete_user(user).unwrap();
            }
            assert!(stage.records("personal-key/").is_empty() && stage.records("token/").is_empty(), "{gone}");
            for session in [session, stage.vault.session(other.key)] {
                let error = session.read_level(At::Path(stage.acme, &path(PROD)), LevelScope::Chain).unwrap_err();
                assert_eq!(error.kind(), Unauthenticated, "{gone}");
                assert_eq!(refused(session.whoami()), Unauthenticated, "{gone}");
            }
        }
        // Whoever comes back has none of the keys they had; and what is of an organization goes with it.
        let back = stage.member("member@example.test", "workspace:admin".parse().unwrap());
        assert!(stage.user(back).personal_keys(stage.acme).unwrap().is_empty());
        make(stage, back, PersonalKeyLevel::ReadOnly);
        stage.system().delete_organization(stage.acme).unwrap();
        assert!(stage.records("personal-key/").is_empty() && stage.records("token/").is_empty());
    }

    fn a_key_is_for_one_organization(stage: &Stage) {
        stage.shop();
        let user = stage.member("ann@example.test", "workspace:owner".parse().unwrap());
        let made = make(stage, user, PersonalKeyLevel::FullAccess);
        let other = stage.system().create_organization(&NewOrganization::new("Other")).unwrap().id;
        stage.system().add_member(other, &NewMember::new("ann@example.test", "ann", "workspace:owner".parse().unwrap())).unwrap();
        assert!(stage.user(user).organization(other).is_ok(), "the user is in both");
        let session = stage.vault.session(made.key);
        assert!(session.organization(stage.acme).is_ok());
        assert_eq!(refused(session.organization(other)), NotFound);
        assert_eq!(refused(session.create_project(other, &NewProject::new("p"))), NotFound);
        assert_eq!(session.organizations().unwrap().len(), 1);
        assert_eq!(refused(stage.user(user).delete_personal_key(other, made.info.id)), NotFound);
        assert!(stage.user(user).personal_keys(other).unwrap().is_empty());
        // What concerns the user, and not the organization, is done in person.
        let rename = UserUpdate::new().name("Other");
        assert_eq!(refused(session.update_user(user, &rename)), Denied);
        assert_eq!(refused(session.user(user)), Denied);
        assert_eq!(refused(session.create_organization(&NewOrganization::new("Mine"))), Denied);
        assert!(stage.user(user).user(user).is_ok());
        let stranger = stage.system().create_organization(&NewOrganization::new("Third")).unwrap().id;
        let new = NewPersonalKey::new("k", PersonalKeyLevel::ReadOnly);
        assert_eq!(refused(stage.user(user).create_personal_key(stranger, &new)), NotFound);
        assert_eq!(refused(stage.user(user).personal_keys(stranger)), NotFound);
    }

    fn a_user_in_person_has_keys(stage: &Stage) {
        stage.shop();
        let (ann, bob) = (stage.member("ann@example.test", "workspace:member".parse().unwrap()), stage.member("bob@example.test", "workspace:member".parse().unwrap()));
        let end = after(stage.now(), DAY);
        let mut new = NewPersonalKey::new("laptop", PersonalKeyLevel::ReadOnly).expires_at(end).allow_list(vec!["192.0.2.0/24".parse().unwrap()]);
        let mut made = None;
        let log = stage.logged(|| made = Some(stage.user(ann).create_personal_key(stage.acme, &new).unwrap()));
        let made = made.unwrap();
        let text = made.key.expose_secret().to_owned();
        assert!(text.starts_with("sb_personal_") && text.len() == 44);
        assert_eq!((made.info.user, made.info.level, made.info.expires_at), (ann, PersonalKeyLevel::ReadOnly, Some(end)));
        assert_eq!((log[0].action, log[0].resource.kind, log[0].actor.id), (Action::Create, ResourceKind::Token, Some(ann.into())));
        assert_eq!(serde_json::to_value(&log[0].details).unwrap(), json!({"name": "laptop", "level": "read_only",
            "userId": ann, "expiresAt": end.to_string(), "allowList": ["192.0.2.0/24"]}));
        let others: Vec<_> = (0..3).map(|_| make(stage, ann, PersonalKeyLevel::FullAccess)).collect();
        let listed = stage.user(ann).personal_keys(stage.acme).unwrap();
        assert_eq!((listed.len(), &listed[0], &listed[3]), (4, &made.info, &others[2].info));
        assert!(stage.user(bob).personal_keys(stage.acme).unwrap().is_empty());
        assert_eq!(refused(stage.user(bob).delete_personal_key(stage.acme, made.info.id)), NotFound);
        assert!(stage.system().tokens(stage.acme).unwrap().is_empty());
        assert_eq!(refused(stage.system().revoke_token(stage.acme, Id::from(made.info.id).into())), NotFound);
        for place in [stage.dump(""), format!("{made:?} {listed:?} {:?}", stage.log())] {
            assert!(!place.contains(&text["sb_personal_".len()..]));
        }

        let key = stage.vault.session(others[0].key.clone());
        assert_eq!(refused(key.create_personal_key(stage.acme, &new)), Denied, "a key makes no keys");
        assert_eq!(refused(key.personal_keys(stage.acme)), Denied);
        assert_eq!(refused(key.delete_personal_key(stage.acme, made.info.id)), Denied);
        assert_eq!(refused(stage.system().create_personal_key(stage.acme, &new)), Denied);

        stage.user(ann).delete_personal_key(stage.acme, others[0].info.id).unwrap();
        assert_eq!(refused(key.whoami()), Unauthenticated);
        assert!(stage.vault.session(others[1].key.clone()).whoami().is_ok());
        assert_eq!(refused(stage.user(ann).delete_personal_key(stage.acme, others[0].info.id)), NotFound);
        assert_eq!(stage.records("token/").len(), 3);
        assert_eq!(stage.records("personal-key/").len(), 3);
        new = new.expires_at(stage.now());
        assert_eq!(refused(stage.user(ann).create_personal_key(stage.acme, &new)), InvalidValue);
        let nameless = NewPersonalKey::new("", PersonalKeyLevel::ReadOnly);
        assert_eq!(refused(stage.user(ann).create_personal_key(stage.acme, &nameless)), InvalidName);
    }

    fn who_looks_after_members_looks_after_their_keys(stage: &Stage) {
        stage.shop();
        let person = |name: &str, role: &str| {
            let user = stage.member(&format!("{name}@example.test"), role.parse().unwrap());
            (user, make(stage, user, PersonalKeyLevel::FullAccess))
        };
        let owner = person("owner", "workspace:owner");
        let admin = person("admin", "workspace:admin");
        let member = person("member", "workspace:member");
        let other = person("other", "workspace:member");
        // Who, of whom, whether.
        for (actor, of, is_allowed) in [
            (&owner, &admin, true), (&owner, &owner, true), (&admin, &member, true), (&admin, &owner, false),
            (&admin, &admin, true), (&member, &other, false), (&member, &member, false),
        ] {
            for session in [stage.user(actor.0), stage.vault.session(actor.1.key.clone())] {
                let listed = session.member_keys(stage.acme, of.0);
                assert_eq!(listed.map(|keys| keys.len()).map_err(|error| error.kind()), if is_allowed { Ok(1) } else { Err(Denied) });
                if !is_allowed {
                    assert_eq!(refused(session.delete_member_key(stage.acme, of.0, of.1.info.id)), Denied);
                }
            }
        }
        assert_eq!(refused(stage.user(admin.0).delete_member_key(stage.acme, member.0, other.1.info.id)), NotFound);
        stage.user(admin.0).delete_member_key(stage.acme, member.0, member.1.info.id).unwrap();
        assert_eq!(refused(stage.vault.session(member.1.key.clone()).whoami()), Unauthenticated);
        let last = stage.log().pop().unwrap();
        assert_eq!((last.action, last.actor.id, last.resource.id), (Action::Delete, Some(admin.0.into()), Some(member.1.info.id.into())));
        let nobody: UserId = "01ARZ3NDEKTSV4RRFFQ69G5FAV".parse().unwrap();
        assert_eq!(refused(stage.user(owner.0).member_keys(stage.acme, nobody)), NotFound);
    }

    fn what_a_key_does_is_recorded_as_its_users(stage: &Stage) {
        stage.shop();
        let user = stage.member("ann@example.test", "workspace:owner".parse().unwrap());
        let made = make(stage, user, PersonalKeyLevel::FullAccess);
        let key = stage.vault.session(made.key);
        let by_key = stage.logged(|| drop(key.set_entries(At::Path(stage.acme, &path(PROD)), &[entry("A", "1")]).unwrap()));
        let in_person = stage.logged(|| drop(stage.user(user).set_entries(At::Path(stage.acme, &path(PROD)), &[entry("A", "2")]).unwrap()));
        for (log, expected) in [(by_key, Some(json!(made.info.id))), (in_person, None)] {
            assert!(!log.is_empty());
            for record in log {
                assert_eq!((record.actor.kind, record.actor.id), (ActorKind::User, Some(user.into())));
                assert_eq!(serde_json::to_value(&record.details).unwrap().get("keyId"), expected.as_ref());
            }
        }
    }

    fn a_key_ends_and_its_use_is_noted(stage: &Stage) {
        stage.shop();
        let user = stage.member("ann@example.test", "workspace:owner".parse().unwrap());
        let end = after(stage.now(), DAY);
        let new = NewPersonalKey::new("laptop", PersonalKeyLevel::FullAccess).expires_at(end);
        let made = stage.user(user).create_personal_key(stage.acme, &new).unwrap();
        let session = stage.vault.session(made.key);
        let last = || stage.user(user).personal_keys(stage.acme).unwrap()[0].last_used_at;
        let first = stage.now();
        session.whoami().unwrap();
        stage.pass(MINUTE - 1);
        session.whoami().unwrap();
        assert_eq!(last(), Some(first));
        stage.pass(1);
        session.whoami().unwrap();
        assert_eq!(last(), Some(stage.now()));
        // What it makes lives no longer than it does itself.
        let read = PermissionSet::from(ioenv::vault::Permission::SecretRead);
        assert_eq!(refused(session.issue_token(stage.acme, &NewToken::new("t", read))), Denied);
        assert_eq!(refused(session.create_account(At::Path(stage.acme, &path(PROD)), &NewAccount::new("a", read))), Denied);
        session.create_account(At::Path(stage.acme, &path(PROD)), &NewAccount::new("a", read).expires_at(end)).unwrap();
        stage.pass(DAY - MINUTE - 1);
        session.whoami().unwrap();
        stage.pass(1);
        let error = session.whoami().unwrap_err();
        assert_eq!((error.kind(), error.refusal()), (Unauthenticated, Some(Refusal::Expired { since: end })));
    }
}
