//! Tokens: what they are, what they reach, and that nobody gives away what is not theirs.

use ioenv::ErrorKind::{Conflict, Denied, InvalidName, InvalidValue, NotFound, Unauthenticated};
use ioenv::vault::Permission::{
    ApiTokenCreate, ApiTokenDelete, ApiTokenRead, ApiTokenUpdate, EnvironmentRead, KeyRetrieve, ProjectRead,
    SecretDecrypt, SecretRead, SecretWrite, TargetRead,
};
use ioenv::vault::{
    At, EntryScope, Id, LevelId, LevelScope, NewToken, PermissionSet, Sha256Hasher, Token, TokenFormat,
    TokenHasher as _, TokenUpdate,
};

use super::stage::{DAY, MINUTE, Stage, after, entry, path, refused};

const READ: PermissionSet = PermissionSet::of(&[SecretRead, SecretDecrypt]);
const MANAGE: PermissionSet =
    READ.union(PermissionSet::of(&[ApiTokenCreate, ApiTokenRead, ApiTokenUpdate, ApiTokenDelete]));

on_every_store! {
    fn a_token_of_every_format_is_told_once(stage: &Stage) {
        stage.shop();
        stage.write("shop", "A=1\n");
        let formats = [
            (TokenFormat::Ioenv, "ioenv_".to_owned(), 38),
            (TokenFormat::DotenvCloud { organization: stage.acme }, format!("dotenv_{}_", stage.acme), 82),
            (TokenFormat::StashbaseEnvironment, "sb_env_".to_owned(), 39),
            (TokenFormat::StashbasePersonal, "sb_personal_".to_owned(), 44),
            (TokenFormat::StashbaseService, "sb_service_".to_owned(), 43),
        ];
        let system = stage.system();
        for (format, prefix, length) in formats {
            let new = NewToken::new("t", READ).format(format);
            let issued = system.issue_token(stage.acme, &new).unwrap();
            let text = issued.token.expose_secret().to_owned();
            assert!(text.starts_with(&prefix) && text.len() == length, "{format:?}");
            assert!(!format!("{issued:?}").contains(&text[prefix.len()..]));
            assert_eq!(issued.info.hint.trim_end_matches('…'), &text[..prefix.len() + 4]);
            let session = stage.vault.session(Token::parse(&text).unwrap());
            assert_eq!(session.read_level(At::Path(stage.acme, &path("shop")), LevelScope::Chain).unwrap().resolve().len(), 1);
            let known = system.token(stage.acme, issued.info.id).unwrap();
            assert_eq!((known.format, known.permissions, known.name.as_str()), (format, READ, "t"));
            let listed = format!("{:?}", system.tokens(stage.acme).unwrap());
            let stored = stage.dump("");
            assert!(stored.contains(&issued.info.hint));
            for place in [&listed, &stored] {
                assert!(!place.contains(&text) && !place.contains(&text[prefix.len()..]), "{format:?}");
            }
        }
        let other = system.create_organization(&ioenv::vault::NewOrganization::new("Other")).unwrap().id;
        let new = NewToken::new("t", READ).format(TokenFormat::DotenvCloud { organization: other });
        assert_eq!(refused(system.issue_token(stage.acme, &new)), InvalidValue);
    }

    fn the_hash_is_that_of_the_whole_token(stage: &Stage) {
        let issued = stage.issue(READ, None);
        let hash = Sha256Hasher.hash(&issued.token).to_string();
        assert!(stage.records("token/").contains_key(&format!("token/{hash}")));
        let other = Token::parse("ioenv_0123456789abcdefghijABCDEFGHIJKL").unwrap();
        assert_eq!(refused(stage.vault.session(other).own_token()), Unauthenticated);
    }

    fn a_token_ends_at_its_end(stage: &Stage) {
        let end = after(stage.now(), DAY);
        let system = stage.system();
        let issued = system.issue_token(stage.acme, &NewToken::new("t", READ).expires_at(end)).unwrap();
        let session = stage.vault.session(issued.token);
        stage.pass(DAY - 1);
        assert_eq!(session.own_token().unwrap().expires_at, Some(end));
        stage.pass(1);
        assert_eq!(refused(session.own_token()), Unauthenticated);
        stage.pass(-1);
        assert!(session.own_token().is_ok());
        for past in [stage.now(), end] {
            stage.pass(1);
            assert_eq!(refused(system.issue_token(stage.acme, &NewToken::new("t", READ).expires_at(past))), InvalidValue);
        }
        let update = TokenUpdate::new().clear_expires_at();
        system.update_token(stage.acme, issued.info.id, &update).unwrap();
        assert!(session.own_token().is_ok());
        assert_eq!(refused(system.issue_token(stage.acme, &NewToken::new("t", PermissionSet::EMPTY))), InvalidValue);
        assert_eq!(refused(system.issue_token(stage.acme, &NewToken::new(" ", READ))), InvalidName);
    }

    fn revoked_is_revoked_and_rotated_is_another(stage: &Stage) {
        let system = stage.system();
        let first = stage.issue(READ, None);
        let old = stage.vault.session(first.token);
        let rotated = system.rotate_token(stage.acme, first.info.id).unwrap();
        assert_eq!((rotated.info.id, rotated.info.permissions), (first.info.id, READ));
        assert_eq!(refused(old.own_token()), Unauthenticated);
        let new = stage.vault.session(rotated.token);
        assert_eq!(new.own_token().unwrap().id, first.info.id);
        assert_eq!(stage.records("token/").len(), 1, "nothing is left of the old one");
        system.revoke_token(stage.acme, first.info.id).unwrap();
        assert_eq!(refused(new.own_token()), Unauthenticated);
        let revoked_at = system.token(stage.acme, first.info.id).unwrap().revoked_at;
        assert_eq!(revoked_at, Some(stage.now()));
        stage.pass(MINUTE);
        system.revoke_token(stage.acme, first.info.id).unwrap();
        assert_eq!(system.token(stage.acme, first.info.id).unwrap().revoked_at, revoked_at);
        assert_eq!(refused(system.rotate_token(stage.acme, first.info.id)), Conflict);
        assert_eq!(refused(system.update_token(stage.acme, first.info.id, &TokenUpdate::new())), Conflict);
        assert_eq!(refused(system.token(stage.acme, Id::from(stage.acme).into())), NotFound);
    }

    fn use_is_noted_once_a_minute(stage: &Stage) {
        let issued = stage.issue(MANAGE, None);
        let session = stage.vault.session(issued.token);
        let last = || stage.system().token(stage.acme, issued.info.id).unwrap().last_used_at;
        assert_eq!(last(), None);
        let first = stage.now();
        session.own_token().unwrap();
        assert_eq!(last(), Some(first));
        stage.pass(MINUTE - 1);
        session.tokens(stage.acme).unwrap();
        assert_eq!(last(), Some(first));
        stage.pass(1);
        session.tokens(stage.acme).unwrap();
        assert_eq!(last(), Some(stage.now()));
        let before = last();
        stage.pass(MINUTE);
        assert_eq!(refused(session.set_entries(At::Path(stage.acme, &path("none")), &[entry("A", "1")])), Denied);
        assert_eq!(last(), before, "what was refused leaves nothing");
    }

    fn a_token_reaches_what_it_is_bound_to(stage: &Stage) {
        stage.shop();
        for at in ["shop", "shop/api", "shop/api/prod", "shop/dev"] {
            stage.write(at, &format!("{}=1\n", at.replace('/', "_").to_uppercase()));
        }
        stage.system().create_project(stage.acme, &ioenv::vault::NewProject::new("other")).unwrap();
        let levels = ["shop", "shop/api", "shop/api/prod", "shop/dev", "other"];
        let reach = [("shop", [true, true, true, true, false]), ("shop/api", [false, true, true, false, false]),
            ("shop/api/prod", [false, false, true, false, false]), ("shop/dev", [false, false, false, true, false])];
        for (scope, reached) in reach {
            let session = stage.session(PermissionSet::ALL, Some(scope));
            for (level, is_reached) in levels.into_iter().zip(reached) {
                let at = path(level);
                if is_reached {
                    assert!(session.set_entries(At::Path(stage.acme, &at), &[entry("X", "1")]).is_ok(), "{scope} {level}");
                    let count = session.read_level(At::Path(stage.acme, &at), LevelScope::Chain).unwrap().resolve().origins();
                    assert_eq!(count, level.matches('/').count() + 1, "the levels above count, too");
                    assert_eq!(session.blobs(At::Path(stage.acme, &at)).unwrap().levels.len(), count);
                } else {
                    assert_eq!(refused(session.set_entries(At::Path(stage.acme, &at), &[entry("X", "1")])), NotFound, "{scope} {level}");
                    assert_eq!(refused(session.read_level(At::Path(stage.acme, &at), LevelScope::Chain)), NotFound);
                    assert_eq!(refused(session.blobs(At::Path(stage.acme, &at))), NotFound);
                    assert_eq!(refused(session.entries(At::Path(stage.acme, &at), EntryScope::Own)), NotFound);
                }
            }
            assert_eq!(session.projects(stage.acme).unwrap().len(), 1);
            assert!(session.project(At::Path(stage.acme, &path("shop"))).is_ok());
            assert_eq!(refused(session.project(At::Path(stage.acme, &path("other")))), NotFound);
        }
        let bound = stage.session(PermissionSet::ALL, Some("shop/api/prod"));
        assert_eq!(bound.targets(At::Path(stage.acme, &path("shop"))).unwrap().len(), 1);
        assert!(bound.environments(At::Path(stage.acme, &path("shop"))).unwrap().is_empty());
        assert_eq!(bound.environments(At::Path(stage.acme, &path("shop/api"))).unwrap().len(), 1);
        let beside = stage.session(PermissionSet::ALL, Some("shop/dev"));
        assert!(beside.targets(At::Path(stage.acme, &path("shop"))).unwrap().is_empty());
        assert_eq!(refused(beside.target(At::Path(stage.acme, &path("shop/api")))), NotFound);
        // What is not there and what is out of reach are told in the same words.
        let prod = stage.system().environment(At::Path(stage.acme, &path("shop/api/prod"))).unwrap().id;
        let texts = [LevelId::from(prod), Id::from(stage.acme).into()].map(|id| beside.blobs(At::Id(id)).unwrap_err().to_string());
        assert_eq!(texts[0], texts[1]);
        let other = stage.system().create_organization(&ioenv::vault::NewOrganization::new("Other")).unwrap().id;
        let stranger = stage.system().issue_token(other, &NewToken::new("s", PermissionSet::ALL)).unwrap().token;
        assert_eq!(refused(stage.vault.session(stranger).blobs(At::Id(prod.into()))), NotFound);
    }

    fn a_token_is_told_what_it_may_do_above_its_place(stage: &Stage) {
        stage.shop();
        let session = stage.session(PermissionSet::ALL, Some("shop/api/prod"));
        let rights = |at: &str| session.own_rights(At::Path(stage.acme, &path(at))).unwrap();
        assert_eq!(rights("shop/api/prod"), PermissionSet::ALL);
        for above in ["shop", "shop/api"] {
            // The key is that of the project, and opens what the token reads.
            let known = PermissionSet::of(&[ProjectRead, TargetRead, EnvironmentRead, KeyRetrieve]);
            assert_eq!(rights(above), known, "{above}");
        }
        assert_eq!(refused(session.own_rights(At::Path(stage.acme, &path("shop/dev")))), NotFound);
        assert!(session.key(At::Path(stage.acme, &path("shop"))).is_ok());
    }

    fn no_token_is_bound_to_what_all_inherit(stage: &Stage) {
        stage.with_base("base");
        // It would be that of the whole project, under a name that says less.
        let new = NewToken::new("worker", READ).scope(path("base/_base"));
        assert_eq!(refused(stage.system().issue_token(stage.acme, &new)), InvalidName);
        assert_eq!(refused(stage.session(MANAGE, Some("base")).issue_token(stage.acme, &new)), InvalidName);
        assert_eq!(refused(stage.session(MANAGE, Some("base/dev")).issue_token(stage.acme, &new)), NotFound);
    }

    fn nobody_gives_what_they_do_not_hold(stage: &Stage) {
        stage.shop();
        let end = after(stage.now(), DAY);
        let manager = NewToken::new("m", MANAGE).scope(path("shop/api")).expires_at(end);
        let manager = stage.system().issue_token(stage.acme, &manager).unwrap();
        let own = manager.info.id;
        let session = stage.vault.session(manager.token);
        let good = || NewToken::new("t", READ).scope(path("shop/api/prod")).expires_at(end);
        let issue = |new: NewToken| session.issue_token(stage.acme, &new);
        let wider = NewToken::new("t", READ.union(SecretWrite.into())).scope(path("shop/api/prod")).expires_at(end);
        assert_eq!(refused(issue(wider)), Denied);
        assert_eq!(refused(issue(NewToken::new("t", READ).expires_at(end))), Denied);
        for outside in ["shop", "shop/dev", "none"] {
            assert_eq!(refused(issue(good().scope(path(outside)))), NotFound, "{outside}");
        }
        assert_eq!(refused(issue(good().expires_at(after(end, 1)))), Denied);
        assert_eq!(refused(issue(NewToken::new("t", READ).scope(path("shop/api/prod")))), Denied);
        let issued = issue(good()).unwrap().info;

        // It cannot touch a stronger one, nor make itself or another one stronger.
        let strong = [PermissionSet::ALL, MANAGE].map(|held| stage.issue(held, Some("shop/api/prod")).info.id);
        let rename = TokenUpdate::new().name("mine");
        for id in strong {
            assert_eq!(refused(session.rotate_token(stage.acme, id)), Denied);
            assert_eq!(refused(session.update_token(stage.acme, id, &rename)), Denied);
            let weaken = TokenUpdate::new().permissions(READ).expires_at(end);
            assert_eq!(refused(session.update_token(stage.acme, id, &weaken)), Denied);
        }
        for id in [own, issued.id] {
            let strengthen = TokenUpdate::new().permissions(PermissionSet::ALL);
            assert_eq!(refused(session.update_token(stage.acme, id, &strengthen)), Denied);
            let prolong = TokenUpdate::new().clear_expires_at();
            assert_eq!(refused(session.update_token(stage.acme, id, &prolong)), Denied);
            session.update_token(stage.acme, id, &rename).unwrap();
        }
        // Tokens of other places are not to be seen.
        let above = stage.issue(READ, Some("shop")).info.id;
        let beside = stage.issue(READ, Some("shop/dev")).info.id;
        let whole = stage.issue(READ, None).info.id;
        for id in [above, beside, whole] {
            assert_eq!(refused(session.token(stage.acme, id)), NotFound);
            assert_eq!(refused(session.revoke_token(stage.acme, id)), NotFound);
            assert_eq!(refused(session.rotate_token(stage.acme, id)), NotFound);
        }
        assert_eq!(session.tokens(stage.acme).unwrap().len(), 4);
    }
}

trait Origins {
    fn origins(&self) -> usize;
}

impl Origins for ioenv::Resolved {
    /// From how many levels there is something, by the names that only one level has.
    fn origins(&self) -> usize {
        self.iter().filter(|one| one.name().as_str() != "X").count()
    }
}
