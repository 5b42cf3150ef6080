//! What somebody made can be found and revoked, also after they are gone.

use ioenv::ErrorKind::{Denied, NotFound, Unauthenticated};
use ioenv::vault::{
    ActorKind, At, NewAccount, NewOrganization, NewPersonalKey, NewServiceAccount, NewServiceKey, NewToken, Permission,
    PermissionSet, PersonalKeyLevel, Token,
};

use super::stage::{Stage, path, refused};

impl Stage {
    #[track_caller]
    fn assert_works(&self, token: &Token, works: bool) {
        let found = self.vault.session(token.clone()).whoami();
        assert_eq!(found.is_ok(), works, "{found:?}");
        if let Err(error) = found {
            assert_eq!(error.kind(), Unauthenticated);
        }
    }
}

on_every_store! {
    fn what_somebody_made_is_revoked_with_what_was_made_with_it(stage: &Stage) {
        stage.shop();
        let (system, acme, dev) = (stage.system(), stage.acme, path("shop/dev"));
        let owner = "workspace:owner".parse().unwrap();
        let [ann, bob] = ["ann@example.com", "bob@example.com"].map(|email| stage.member(email, owner));
        let robot = system.create_service_account(acme, &NewServiceAccount::new("robot", PermissionSet::ALL)).unwrap().id;
        let new = |name: &str| NewToken::new(name, PermissionSet::ALL);
        let account = NewAccount::new("a", PermissionSet::EMPTY);

        let session = stage.user(ann);
        let own = session.issue_token(acme, &new("own")).unwrap();
        let personal = NewPersonalKey::new("p", PersonalKeyLevel::FullAccess);
        let personal = session.create_personal_key(acme, &personal).unwrap().key;
        let by_key = stage.vault.session(personal).issue_token(acme, &new("by her key")).unwrap();
        let by_token = stage.vault.session(own.token.clone()).issue_token(acme, &new("by her token")).unwrap();
        let deep = stage.vault.session(by_token.token.clone()).issue_token(acme, &new("deep")).unwrap();
        let environment = session.create_account(At::Path(acme, &dev), &account).unwrap().key;
        let service = session.create_service_key(acme, robot, &NewServiceKey::new("hers")).unwrap();
        assert_eq!(service.info.created_by.id, Some(ann.into()));
        // What she has seen, because she rotated it.
        let bobs = stage.user(bob).issue_token(acme, &new("rotated")).unwrap();
        let rotated = session.rotate_token(acme, bobs.info.id).unwrap();
        // What she made and revoked had made others.
        let gone = session.issue_token(acme, &new("gone")).unwrap();
        let by_gone = stage.vault.session(gone.token).issue_token(acme, &new("by a revoked one")).unwrap();
        system.revoke_token(acme, gone.info.id).unwrap();
        // A token that renews itself stays hers.
        let renewed = stage.vault.session(own.token.clone()).rotate_token(acme, own.info.id).unwrap();
        assert_eq!((renewed.info.created_by.id, renewed.info.created_by.kind), (Some(ann.into()), ActorKind::User));
        assert_eq!(renewed.info.rotated_by.unwrap().id, Some(own.info.id.into()));

        let hers = [
            &renewed.token, &by_key.token, &by_token.token, &deep.token, &environment, &service.key, &rotated.token,
            &by_gone.token,
        ];
        let kept = [
            stage.user(bob).issue_token(acme, &new("bob's")).unwrap().token,
            stage.issue(PermissionSet::ALL, None).token,
            stage.user(bob).create_account(At::Path(acme, &dev), &account).unwrap().key,
            stage.user(bob).create_service_key(acme, robot, &NewServiceKey::new("his")).unwrap().key,
        ];
        let elsewhere = system.create_organization(&NewOrganization::new("Elsewhere")).unwrap().id;

        let listed = system.tokens(acme).unwrap();
        let by = |name: &str| listed.iter().find(|token| token.name == name).unwrap().created_by.id;
        assert_eq!((by("own"), by("by her key"), by("by her token")), (Some(ann.into()), Some(ann.into()), Some(own.info.id.into())));

        assert_eq!(system.count_tokens_created_by(acme, ann).unwrap(), hers.len());
        assert_eq!(system.count_tokens_created_by(elsewhere, ann).unwrap(), 0);
        // It is about the organization, not about membership: she may be gone.
        system.remove_member(acme, ann).unwrap();
        for token in hers {
            stage.assert_works(token, true);
        }
        let logged = stage.logged(|| {
            assert_eq!(system.revoke_tokens_created_by(acme, ann).unwrap(), hers.len());
        });
        for token in hers {
            stage.assert_works(token, false);
        }
        for token in &kept {
            stage.assert_works(token, true);
        }
        assert_eq!(logged.len(), hers.len());
        for record in &logged {
            assert_eq!(record.action, ioenv::vault::Action::Delete);
            assert_eq!(serde_json::to_value(record).unwrap()["details"]["createdBy"], ann.to_string());
        }
        assert_eq!(system.revoke_tokens_created_by(acme, ann).unwrap(), 0);
        assert!(stage.vault.check().unwrap().damaged.is_empty());
    }

    fn revoking_by_creator_takes_what_revoking_one_by_one_takes(stage: &Stage) {
        stage.shop();
        let (system, acme, dev) = (stage.system(), stage.acme, path("shop/dev"));
        let ann = stage.member("ann@example.com", "workspace:owner".parse().unwrap());
        let token = stage.user(ann).issue_token(acme, &NewToken::new("t", PermissionSet::ALL)).unwrap().token;
        let bound = stage.session(PermissionSet::ALL, Some("shop"));
        assert_eq!(refused(bound.revoke_tokens_created_by(acme, ann)), Denied);
        assert_eq!(refused(bound.count_tokens_created_by(acme, ann)), Denied);
        let reader = stage.session(Permission::ApiTokenRead.into(), None);
        assert_eq!(refused(reader.revoke_tokens_created_by(acme, ann)), Denied);
        assert_eq!(reader.count_tokens_created_by(acme, ann).unwrap(), 1);
        let deleter = stage.issue(Permission::ApiTokenDelete.into(), None).token;
        let deleter = stage.vault.session(deleter);
        assert_eq!(refused(deleter.count_tokens_created_by(acme, ann)), Denied);
        let elsewhere = system.create_organization(&NewOrganization::new("Elsewhere")).unwrap().id;
        assert_eq!(refused(deleter.revoke_tokens_created_by(elsewhere, ann)), NotFound);

        stage.user(ann).create_account(At::Path(acme, &dev), &NewAccount::new("a", PermissionSet::EMPTY)).unwrap();
        let before = stage.records("");
        assert_eq!(refused(deleter.revoke_tokens_created_by(acme, ann)), Denied);
        assert_eq!(stage.records("token/").len(), before.keys().filter(|key| key.starts_with("token/")).count());
        stage.assert_works(&token, true);
        system.delete_account(At::Path(acme, &dev), system.accounts(At::Path(acme, &dev)).unwrap()[0].id).unwrap();
        assert_eq!(deleter.revoke_tokens_created_by(acme, ann).unwrap(), 1);
        stage.assert_works(&token, false);
    }
}
