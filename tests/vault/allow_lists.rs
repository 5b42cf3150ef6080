//! From where keys may be used.

use std::net::IpAddr;

use ioenv::ErrorKind::{Denied, Limit};
use ioenv::vault::{
    At, IpRange, NewAccount, NewPersonalKey, NewServiceAccount, NewServiceKey, NewToken, Permission, PersonalKeyLevel,
    Refusal, ServiceAccountUpdate, Token,
};

use super::stage::{DAY, Stage, after, path, refused};

fn ranges(texts: &[&str]) -> Vec<IpRange> {
    texts.iter().map(|text| text.parse().unwrap()).collect()
}

/// A key of a user and a key of a service account, both with that list.
fn keys(stage: &Stage, user: ioenv::vault::UserId, list: &[&str]) -> [Token; 2] {
    let personal = NewPersonalKey::new("p", PersonalKeyLevel::FullAccess).allow_list(ranges(list));
    let service = NewServiceAccount::new("s", Permission::ProjectRead.into()).allow_list(ranges(list));
    let account = stage.system().create_service_account(stage.acme, &service).unwrap();
    assert_eq!(account.allow_list, ranges(list));
    let service = stage.system().create_service_key(stage.acme, account.id, &NewServiceKey::new("k")).unwrap();
    let personal = stage.user(user).create_personal_key(stage.acme, &personal).unwrap();
    assert_eq!(personal.info.allow_list, ranges(list));
    [personal.key, service.key]
}

on_every_store! {
    fn a_key_is_used_from_where_it_may_be(stage: &Stage) {
        let user = stage.member("ann@example.test", "workspace:owner".parse().unwrap());
        let cases: [(&[&str], &[&str], &[&str]); 8] = [
            (&[], &["192.0.2.1", "2001:db8::1", ""], &[]),
            (&["192.0.2.0/24"], &["192.0.2.0", "192.0.2.255", "::ffff:192.0.2.7"], &["192.0.3.0", "2001:db8::1", "::1", ""]),
            (&["192.0.2.7"], &["192.0.2.7", "::ffff:192.0.2.7"], &["192.0.2.8", "::192.0.2.7", ""]),
            (&["::ffff:192.0.2.0/120"], &["192.0.2.7", "::ffff:192.0.2.7"], &["192.0.3.7", ""]),
            (&["2001:db8::/32"], &["2001:db8::1", "2001:db8:ffff::1"], &["2001:db9::1", "192.0.2.1", ""]),
            (&["0.0.0.0/0"], &["192.0.2.1", "::ffff:192.0.2.1"], &["2001:db8::1", ""]),
            (&["0.0.0.0/0", "::/0"], &["192.0.2.1", "2001:db8::1", "::ffff:192.0.2.1"], &[""]),
            (&["203.0.113.0/30", "192.0.2.9/32"], &["203.0.113.3", "192.0.2.9"], &["203.0.113.4", "192.0.2.10", ""]),
        ];
        for (list, inside, outside) in cases {
            for key in keys(stage, user, list) {
                // Nothing stands for an address that is not known.
                let call = |from: &str| {
                    let session = stage.vault.session(key.clone());
                    let session = match from {
                        "" => session,
                        from => session.from_ip(from.parse::<IpAddr>().unwrap()),
                    };
                    session.projects(stage.acme).map(drop)
                };
                for from in inside {
                    assert!(call(from).is_ok(), "{list:?} from {from:?}");
                }
                for from in outside {
                    let before = stage.records("");
                    let error = call(from).unwrap_err();
                    assert_eq!((error.kind(), error.refusal()), (Denied, Some(Refusal::Address)), "{list:?} from {from:?}");
                    assert!(!error.to_string().contains(key.expose_secret()), "{error}");
                    assert_eq!(stage.records(""), before, "what was refused leaves nothing");
                }
            }
        }
    }

    fn a_list_is_changed_at_once(stage: &Stage) {
        let new = NewServiceAccount::new("s", Permission::ProjectRead.into()).allow_list(ranges(&["192.0.2.0/24"]));
        let account = stage.system().create_service_account(stage.acme, &new).unwrap().id;
        let end = after(stage.now(), DAY);
        let key = NewServiceKey::new("k").expires_at(end);
        let key = stage.system().create_service_key(stage.acme, account, &key).unwrap().key;
        let session = stage.vault.session(key).from_ip("198.51.100.1".parse().unwrap());
        assert_eq!(refused(session.whoami()), Denied);
        let set = |texts: &[&str]| {
            let update = ServiceAccountUpdate::new().allow_list(ranges(texts));
            stage.system().update_service_account(stage.acme, account, &update).unwrap();
        };
        set(&["198.51.100.0/24"]);
        session.whoami().unwrap();
        set(&["192.0.2.0/24"]);
        assert_eq!(session.whoami().unwrap_err().refusal(), Some(Refusal::Address));
        set(&[]);
        session.whoami().unwrap();
        // Whoever shows what has expired is told that first.
        set(&["192.0.2.0/24"]);
        stage.pass(DAY);
        assert_eq!(session.whoami().unwrap_err().refusal(), Some(Refusal::Expired { since: end }));
    }

    fn a_list_has_at_most_a_hundred_ranges(stage: &Stage) {
        let user = stage.member("ann@example.test", "workspace:owner".parse().unwrap());
        let many: Vec<IpRange> = (0..101).map(|at| format!("10.0.{at}.0/24").parse().unwrap()).collect();
        let personal = NewPersonalKey::new("p", PersonalKeyLevel::FullAccess).allow_list(many.clone());
        let service = NewServiceAccount::new("s", Permission::ProjectRead.into()).allow_list(many.clone());
        let before = stage.records("");
        assert_eq!(refused(stage.user(user).create_personal_key(stage.acme, &personal)), Limit);
        assert_eq!(refused(stage.system().create_service_account(stage.acme, &service)), Limit);
        assert_eq!(stage.records(""), before);
        let (personal, service) = (personal.allow_list(many[1..].to_vec()), service.allow_list(many[1..].to_vec()));
        stage.user(user).create_personal_key(stage.acme, &personal).unwrap();
        let account = stage.system().create_service_account(stage.acme, &service).unwrap().id;
        let update = ServiceAccountUpdate::new().allow_list(many);
        assert_eq!(refused(stage.system().update_service_account(stage.acme, account, &update)), Limit);
    }

    fn what_is_issued_with_a_key_is_used_from_where_that_is(stage: &Stage) {
        stage.shop();
        let user = stage.member("ann@example.test", "workspace:owner".parse().unwrap());
        let [personal, _] = keys(stage, user, &["192.0.2.0/24"]);
        let session = stage.vault.session(personal).from_ip("192.0.2.7".parse().unwrap());
        let issued = session.issue_token(stage.acme, &NewToken::new("t", Permission::ProjectRead.into())).unwrap();
        assert_eq!(issued.info.allow_list, ranges(&["192.0.2.0/24"]));
        let account = NewAccount::new("a", Permission::SecretRead.into());
        let account = session.create_account(At::Path(stage.acme, &path("shop/dev")), &account).unwrap().key;
        for token in [issued.token, account] {
            let from = |ip: &str| stage.vault.session(token.clone()).from_ip(ip.parse().unwrap()).whoami().map(drop);
            from("192.0.2.8").unwrap();
            assert_eq!(refused(from("192.0.3.8")), Denied);
            assert_eq!(refused(stage.vault.session(token.clone()).whoami()), Denied);
        }
        let rotated = session.rotate_token(stage.acme, issued.info.id).unwrap().token;
        assert_eq!(refused(stage.vault.session(rotated).whoami()), Denied);
        let own = stage.issue(Permission::ProjectRead.into(), None);
        assert!(own.info.allow_list.is_empty());
    }
}
