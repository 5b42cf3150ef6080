//! Nobody makes, changes or takes over a credential that is usable for more, for longer or from more addresses than their own.

use std::net::IpAddr;

use ioenv::ErrorKind::Denied;
use ioenv::vault::{
    At, GrantRole, Grantee, IpRange, MemberUpdate, NewAccount, NewInvitation, NewMember, NewPersonalKey, NewRole,
    NewServiceAccount, NewServiceKey, NewTeam, NewToken, Permission, PermissionSet, PersonalKeyLevel, Refusal,
    RoleUpdate, ServiceAccountUpdate, Session, Token, TokenUpdate,
};

use super::stage::{DAY, MINUTE, Stage, after, path, refused};

const OWN: &str = "192.0.2.0/24";
const HERE: &str = "192.0.2.7";

fn ranges(texts: &[&str]) -> Vec<IpRange> {
    texts.iter().map(|text| text.parse().unwrap()).collect()
}

impl Stage {
    /// A personal key of an owner, which may be used from [`OWN`] only.
    fn narrow_key(&self) -> Token {
        let owner = self.member("ann@example.com", "workspace:owner".parse().unwrap());
        let new = NewPersonalKey::new("office", PersonalKeyLevel::FullAccess).allow_list(ranges(&[OWN]));
        self.user(owner).create_personal_key(self.acme, &new).unwrap().key
    }

    fn from(&self, token: &Token, address: &str) -> Session<'_> {
        self.vault.session(token.clone()).from_ip(address.parse::<IpAddr>().unwrap())
    }

    /// A token that may do everything, with that list and that end.
    fn token_of(&self, list: &[&str], expires: bool) -> Token {
        let key = {
            let name = format!("{list:?} {expires}");
            let new = NewServiceAccount::new(name, PermissionSet::ALL).allow_list(ranges(list));
            let account = self.system().create_service_account(self.acme, &new).unwrap().id;
            self.system().create_service_key(self.acme, account, &NewServiceKey::new("k")).unwrap().key
        };
        let mut new = NewToken::new("t", PermissionSet::ALL);
        if expires {
            new = new.expires_at(after(self.now(), MINUTE));
        }
        self.from(&key, HERE).issue_token(self.acme, &new).unwrap().token
    }
}

on_every_store! {
    fn what_is_used_from_everywhere_is_not_taken_over_with_a_key_that_is_not(stage: &Stage) {
        let narrow = stage.narrow_key();
        let session = stage.from(&narrow, HERE);
        let open = stage.issue(Permission::ProjectRead.into(), None);
        let before = stage.records("token/");
        let update = |update: TokenUpdate| session.update_token(stage.acme, open.info.id, &update);
        assert_eq!(refused(session.rotate_token(stage.acme, open.info.id)), Denied);
        assert_eq!(refused(update(TokenUpdate::new().permissions(Permission::SecretRead.into()))), Denied);
        assert_eq!(refused(update(TokenUpdate::new().expires_at(after(stage.now(), DAY)))), Denied);
        assert_eq!(refused(update(TokenUpdate::new().clear_expires_at())), Denied);
        let error = update(TokenUpdate::new().name("mine")).unwrap_err();
        assert!(error.kind() == Denied && error.to_string().contains("allow-list"), "{error}");
        assert_eq!(stage.records("token/").keys().collect::<Vec<_>>(), before.keys().collect::<Vec<_>>());
        stage.vault.session(open.token).own_token().unwrap();
        // Less is not more.
        session.revoke_token(stage.acme, open.info.id).unwrap();
    }

    fn a_token_is_rotated_by_those_who_reach_as_far(stage: &Stage) {
        let cases: [(&[&str], &[&str], bool); 7] = [
            (&[OWN], &[OWN], true),
            (&["192.0.2.0/25"], &[OWN], true),
            (&["192.0.0.0/16"], &[OWN], false),
            (&["192.0.2.0/25", "2001:db8::/32"], &[OWN], false),
            (&["::ffff:192.0.2.0/121"], &[OWN, "2001:db8::/32"], true),
            (&[], &["0.0.0.0/0", "::/0"], false),
            (&[OWN], &[], true),
        ];
        for (target, own, is_allowed) in cases {
            let target = stage.token_of(target, false);
            let id = stage.from(&target, HERE).own_token().unwrap().id;
            let own = stage.token_of(own, false);
            let session = stage.from(&own, HERE);
            let rotated = session.rotate_token(stage.acme, id);
            assert_eq!(rotated.is_ok(), is_allowed, "{rotated:?}");
            let renamed = session.update_token(stage.acme, id, &TokenUpdate::new().name("other"));
            assert_eq!(renamed.is_ok(), is_allowed, "{renamed:?}");
            if let Ok(rotated) = rotated {
                // It keeps its own list, which may be narrower.
                let error = stage.from(&rotated.token, "203.0.113.1").own_token().unwrap_err();
                assert_eq!(error.refusal(), Some(Refusal::Address));
            }
        }
        // One's own key keeps its list.
        let own = stage.token_of(&[OWN], true);
        let info = stage.from(&own, HERE).own_token().unwrap();
        let rotated = stage.from(&own, HERE).rotate_token(stage.acme, info.id).unwrap();
        assert_eq!((rotated.info.allow_list, rotated.info.expires_at), (info.allow_list, info.expires_at));
    }

    fn a_service_account_reaches_no_farther_than_its_maker(stage: &Stage) {
        let narrow = stage.narrow_key();
        let session = stage.from(&narrow, HERE);
        let new = |list: &[&str]| NewServiceAccount::new("s", Permission::ProjectRead.into()).allow_list(ranges(list));
        for list in [&["0.0.0.0/0"][..], &["192.0.0.0/16"], &["192.0.2.0/25", "192.0.3.1"], &["::/0"], &["192.0.2.0/23"]] {
            assert_eq!(refused(session.create_service_account(stage.acme, &new(list))), Denied, "{list:?}");
        }
        let inside = session.create_service_account(stage.acme, &new(&["192.0.2.128/25", "::ffff:192.0.2.1"])).unwrap();
        let inherited = session.create_service_account(stage.acme, &new(&[])).unwrap();
        assert_eq!(inherited.allow_list, ranges(&[OWN]));
        let key = session.create_service_key(stage.acme, inherited.id, &NewServiceKey::new("k")).unwrap().key;
        stage.from(&key, HERE).whoami().unwrap();
        assert_eq!(refused(stage.from(&key, "203.0.113.1").whoami()), Denied);

        let change = |update: &ServiceAccountUpdate| session.update_service_account(stage.acme, inside.id, update);
        for list in [&[][..], &["0.0.0.0/0"], &["192.0.3.0/24"]] {
            assert_eq!(refused(change(&ServiceAccountUpdate::new().allow_list(ranges(list)))), Denied, "{list:?}");
        }
        change(&ServiceAccountUpdate::new().allow_list(ranges(&[OWN]))).unwrap();

        // An account that somebody else let reach farther.
        for list in [&[][..], &["192.0.0.0/16"]] {
            let open = stage.system().create_service_account(stage.acme, &new(list)).unwrap();
            let before = stage.records("service-");
            assert_eq!(refused(session.create_service_key(stage.acme, open.id, &NewServiceKey::new("k"))), Denied);
            for update in [
                ServiceAccountUpdate::new().name("mine"),
                ServiceAccountUpdate::new().permissions(Permission::SecretRead.into()),
                ServiceAccountUpdate::new().allow_list(ranges(&[OWN])),
            ] {
                assert_eq!(refused(session.update_service_account(stage.acme, open.id, &update)), Denied, "{update:?}");
            }
            assert_eq!(stage.records("service-"), before);
            session.delete_service_account(stage.acme, open.id).unwrap();
        }
    }

    fn nothing_lives_longer_than_the_key_it_is_made_with(stage: &Stage) {
        stage.shop();
        let end = after(stage.now(), MINUTE);
        let later = after(stage.now(), DAY);
        let dev = path("shop/dev");
        let ending = stage.token_of(&[], true);
        let session = stage.vault.session(ending);
        let permissions = PermissionSet::from(Permission::ProjectRead);
        let token = |end| NewToken::new("t", permissions).expires_at(end);
        let account = |end| NewAccount::new("a", PermissionSet::EMPTY).expires_at(end);
        assert_eq!(refused(session.issue_token(stage.acme, &NewToken::new("t", permissions))), Denied);
        assert_eq!(refused(session.issue_token(stage.acme, &token(later))), Denied);
        let issued = session.issue_token(stage.acme, &token(end)).unwrap();
        assert_eq!(refused(session.create_account(At::Path(stage.acme, &dev), &NewAccount::new("a", PermissionSet::EMPTY))), Denied);
        assert_eq!(refused(session.create_account(At::Path(stage.acme, &dev), &account(later))), Denied);
        session.create_account(At::Path(stage.acme, &dev), &account(end)).unwrap();
        for update in [
            TokenUpdate::new().expires_at(later),
            TokenUpdate::new().clear_expires_at(),
            TokenUpdate::new().name("n").expires_at(later),
        ] {
            assert_eq!(refused(session.update_token(stage.acme, issued.info.id, &update)), Denied, "{update:?}");
        }
        for lasting in [stage.issue(permissions, None).info.id, {
            let longer = NewToken::new("longer", permissions).expires_at(later);
            stage.system().issue_token(stage.acme, &longer).unwrap().info.id
        }] {
            assert_eq!(refused(session.rotate_token(stage.acme, lasting)), Denied);
            let shorter = TokenUpdate::new().expires_at(end);
            assert_eq!(refused(session.update_token(stage.acme, lasting, &shorter)), Denied);
        }
        let service = NewServiceAccount::new("s", permissions);
        assert_eq!(refused(session.create_service_account(stage.acme, &service)), Denied);
        let service = stage.system().create_service_account(stage.acme, &service).unwrap().id;
        assert_eq!(refused(session.update_service_account(stage.acme, service, &ServiceAccountUpdate::new().name("n"))), Denied);
        let key = |end| NewServiceKey::new("k").expires_at(end);
        assert_eq!(refused(session.create_service_key(stage.acme, service, &NewServiceKey::new("k"))), Denied);
        assert_eq!(refused(session.create_service_key(stage.acme, service, &key(later))), Denied);
        session.create_service_key(stage.acme, service, &key(end)).unwrap();
    }

    fn nobody_becomes_a_member_by_a_key_with_bounds(stage: &Stage) {
        let role = "workspace:member".parse().unwrap();
        for (list, ends) in [(&[OWN][..], false), (&[], true), (&[OWN], true)] {
            let token = stage.token_of(list, ends);
            let session = stage.from(&token, HERE);
            let before = (stage.records("user/"), stage.records("invitation/"));
            let error = session.invite_member(stage.acme, &NewInvitation::new("eve@example.com", role)).unwrap_err();
            assert!(error.kind() == Denied && error.to_string().contains("log in"), "{error}");
            assert_eq!(refused(session.add_member(stage.acme, &NewMember::new("eve@example.com", "Eve", role))), Denied);
            assert_eq!((stage.records("user/"), stage.records("invitation/")), before);
        }
        let token = stage.issue(PermissionSet::ALL, None).token;
        stage.vault.session(token).add_member(stage.acme, &NewMember::new("bob@example.com", "Bob", role)).unwrap();
    }

    fn no_members_rights_grow_by_a_key_with_bounds(stage: &Stage) {
        stage.shop();
        let system = stage.system();
        let eve = stage.member("eve@example.com", "workspace:member".parse().unwrap());
        let team = system.create_team(stage.acme, &NewTeam::new("strong")).unwrap().id;
        let weak = system.create_role(stage.acme, &NewRole::new("weak", Permission::ProjectRead.into())).unwrap().id;
        let at = path("shop");
        let at = At::Path(stage.acme, &at);
        for (list, ends) in [(&[OWN][..], false), (&[], true)] {
            let token = stage.token_of(list, ends);
            let session = stage.from(&token, HERE);
            let before = stage.dump("");
            assert_eq!(refused(session.grant(at, Grantee::User(eve), GrantRole::Full)), Denied);
            let admin = MemberUpdate::new().role("workspace:admin".parse().unwrap());
            assert_eq!(refused(session.update_member(stage.acme, eve, &admin)), Denied);
            assert_eq!(refused(session.add_team_member(stage.acme, team, eve)), Denied);
            let more = RoleUpdate::new().permissions(Permission::SecretRead.into());
            assert_eq!(refused(session.update_role(stage.acme, weak, &more)), Denied);
            assert_eq!(stage.dump(""), before);
        }
        let token = stage.issue(PermissionSet::ALL, None).token;
        stage.vault.session(token).add_team_member(stage.acme, team, eve).unwrap();
    }

    fn a_user_in_person_and_a_trusted_program_have_no_bounds(stage: &Stage) {
        let owner = stage.member("ann@example.com", "workspace:owner".parse().unwrap());
        let role = "workspace:member".parse().unwrap();
        for (session, email) in [(stage.user(owner), "a@example.com"), (stage.system(), "b@example.com")] {
            let session = session.from_ip(HERE.parse().unwrap());
            let open = session.issue_token(stage.acme, &NewToken::new("t", Permission::ProjectRead.into())).unwrap();
            assert!(open.info.allow_list.is_empty() && open.info.expires_at.is_none());
            session.rotate_token(stage.acme, open.info.id).unwrap();
            let account = NewServiceAccount::new("s", Permission::ProjectRead.into());
            let account = session.create_service_account(stage.acme, &account).unwrap();
            assert!(account.allow_list.is_empty());
            session.create_service_key(stage.acme, account.id, &NewServiceKey::new("k")).unwrap();
            session.invite_member(stage.acme, &NewInvitation::new(email, role)).unwrap();
        }
    }
}
