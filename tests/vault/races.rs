//! Two at once: what one of them takes away, the other cannot rest upon.

use std::sync::{Arc, Barrier};
use std::thread;

use ioenv::store::{Sqlite, Store};
use ioenv::vault::{
    At, Grantee, MemberRole, MemberUpdate, NewBlob, NewInvitation, NewRole, NewToken, OrganizationRole,
    Permission as P, PermissionSet, Session,
};
use ioenv::{Aes256Gcm, Cipher as _, Error, ErrorKind, LevelKey, SystemRandom};

use super::stage::{Stage, path};

const ROUNDS: usize = 6;
const MEMBER: MemberRole = MemberRole::Organization(OrganizationRole::Member);
const OWNER: MemberRole = MemberRole::Organization(OrganizationRole::Owner);

/// Makes of each scenario a module with one test for each store that lets several in at once.
macro_rules! on_stores_of_many {
    ($(fn $name:ident($stage:ident: &Stage) $body:block)+) => {
        $(mod $name {
            use super::*;

            fn scenario($stage: &Stage) $body

            #[test]
            fn sqlite() {
                let directory = tempfile::tempdir().unwrap();
                let store: Arc<dyn Store> = Arc::new(Sqlite::create(directory.path().join("vault.db")).unwrap());
                scenario(&Stage::over(store, Some(directory)));
            }

            #[cfg(all(feature = "postgres", unix))]
            #[test]
            fn postgres() {
                let store = ioenv::store::Postgres::connect(&super::super::postgres::fresh()).unwrap();
                scenario(&Stage::over(Arc::new(store), None));
            }
        })+
    };
}

type Deed<'a> = &'a (dyn Fn(&Session<'_>) -> Result<(), Error> + Sync);

/// Has these done at the same time, by trusted programs, and tells what became of each.
fn at_once(stage: &Stage, deeds: &[Deed<'_>]) -> Vec<Result<(), ErrorKind>> {
    let barrier = Barrier::new(deeds.len());
    thread::scope(|scope| {
        let mut threads = Vec::new();
        for deed in deeds {
            threads.push(scope.spawn(|| {
                let session = stage.system();
                barrier.wait();
                deed(&session).map_err(|error| error.kind())
            }));
        }
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    })
}

fn to(role: MemberRole) -> MemberUpdate {
    MemberUpdate::new().role(role)
}

on_stores_of_many! {
    fn an_invitation_is_accepted_by_one(stage: &Stage) {
        for round in 0..ROUNDS {
            let new = NewInvitation::new(format!("{round}@x"), MEMBER);
            let code = stage.system().invite_member(stage.acme, &new).unwrap().code;
            let accept = |session: &Session<'_>| session.accept_invitation(&code, "Ann").map(drop);
            let done = at_once(stage, &[&accept, &accept, &accept]);
            assert_eq!(done.iter().filter(|done| done.is_ok()).count(), 1, "{done:?}");
            assert!(done.iter().all(|done| matches!(done, Ok(()) | Err(ErrorKind::NotFound))), "{done:?}");
        }
        assert_eq!(stage.records("user/").len(), ROUNDS);
        assert!(stage.records("invitation").is_empty());
    }

    fn a_blob_that_is_stored_at_two_levels_at_once_gets_to_one(stage: &Stage) {
        stage.shop();
        let key = stage.system().key(At::Path(stage.acme, &path("shop"))).unwrap().text.unwrap();
        let key = LevelKey::parse(key.expose_secret()).unwrap();
        for _ in 0..ROUNDS {
            let blob = Aes256Gcm.seal(&key, b"A=1\n", &SystemRandom).unwrap();
            let to = |at: &'static str| {
                let (blob, acme) = (NewBlob::new(blob.clone()), stage.acme);
                move |session: &Session<'_>| session.set_blob(At::Path(acme, &path(at)), &blob)
            };
            let (dev, prod) = (to("shop/dev"), to("shop/api/prod"));
            let done = at_once(stage, &[&dev, &prod]);
            assert_eq!(done.iter().filter(|done| done.is_ok()).count(), 1, "{done:?}");
            assert!(done.contains(&Err(ErrorKind::InvalidValue)), "{done:?}");
        }
    }

    fn of_owners_who_are_demoted_at_once_one_remains(stage: &Stage) {
        let pair = ["ann@x", "bob@x"].map(|email| stage.member(email, OWNER));
        for _ in 0..ROUNDS {
            let deeds = pair.map(|user| move |session: &Session<'_>| {
                session.update_member(stage.acme, user, &to(MEMBER)).map(drop)
            });
            let mut done = at_once(stage, &[&deeds[0], &deeds[1]]);
            done.sort_by_key(Result::is_err);
            assert_eq!(done, [Ok(()), Err(ErrorKind::Conflict)]);
            for user in pair {
                stage.system().update_member(stage.acme, user, &to(OWNER)).unwrap();
            }
        }
    }

    fn nobody_has_a_role_that_is_gone(stage: &Stage) {
        let ann = stage.member("ann@x", MEMBER);
        for round in 0..ROUNDS {
            let new = NewRole::new(format!("role {round}"), PermissionSet::from(P::MemberRead));
            let role = stage.system().create_role(stage.acme, &new).unwrap().id;
            let give = |session: &Session<'_>| {
                session.update_member(stage.acme, ann, &to(MemberRole::Custom(role))).map(drop)
            };
            let delete = |session: &Session<'_>| session.delete_role(stage.acme, role);
            let done = at_once(stage, &[&give, &delete]);
            assert_eq!(done.iter().filter(|done| done.is_ok()).count(), 1, "{done:?}");
            stage.user(ann).member(stage.acme, ann).unwrap();
            stage.system().update_member(stage.acme, ann, &to(MEMBER)).unwrap();
        }
    }

    fn nothing_is_left_of_a_team_that_is_gone(stage: &Stage) {
        stage.shop();
        let ann = stage.member("ann@x", MEMBER);
        for round in 0..ROUNDS {
            let team = stage.team(&format!("team {round}"), &[]);
            let join = |session: &Session<'_>| session.add_team_member(stage.acme, team, ann);
            let grant = |session: &Session<'_>| {
                session.grant(At::Path(stage.acme, &path("shop")), Grantee::Team(team), "viewer".parse()?).map(drop)
            };
            let delete = |session: &Session<'_>| session.delete_team(stage.acme, team);
            let done = at_once(stage, &[&join, &grant, &delete]);
            assert_eq!(done[2], Ok(()));
            assert!(stage.records("team-member/").is_empty() && stage.records("grant").is_empty(), "{done:?}");
            assert!(stage.system().member(stage.acme, ann).unwrap().teams.is_empty());
        }
    }

    fn no_token_outlives_its_project(stage: &Stage) {
        for _ in 0..ROUNDS {
            stage.shop();
            let new = NewToken::new("worker", P::SecretRead.into()).scope(path("shop/dev"));
            let issue = |session: &Session<'_>| session.issue_token(stage.acme, &new).map(drop);
            let delete = |session: &Session<'_>| session.delete_project(At::Path(stage.acme, &path("shop")));
            let done = at_once(stage, &[&issue, &delete]);
            assert_eq!(done[1], Ok(()));
            assert!(matches!(done[0], Ok(()) | Err(ErrorKind::NotFound)), "{done:?}");
            let tokens = stage.system().tokens(stage.acme).unwrap();
            assert!(tokens.iter().all(|token| token.revoked_at.is_some()), "{tokens:?}");
        }
    }
}
