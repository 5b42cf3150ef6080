//! A blob belongs to the level that it was stored at first. Wherever else it turns up, it is refused: it would be opened
//! there for somebody who may not read where it comes from.

use std::fmt::Debug;

use ioenv::dotenv_cloud::KeyProof;
use ioenv::store::StoreExt as _;
use ioenv::vault::{
    At, ClientRotation, Confirmation, HistoryPolicy, LevelId, NewBlob, NewEnvironment, NewKey, Paging, Permission as P,
    PermissionSet, PurgeScope, Refusal, Restore, Session, Version,
};
use ioenv::{
    Aes256Gcm, Cipher as _, Error, ErrorKind, KeyRing, LevelKey, Random as _, SealedBlob, SecretString, SystemRandom,
};

use super::stage::{Stage, path, refused, slug};

const PROD: &str = "shop/api/prod";
const PLANTED: &str = "TOKEN=planted-7c1d\n";
const WRITING: PermissionSet = PermissionSet::of(&[P::SecretRead, P::SecretWrite, P::SecretDecrypt]);

fn a_key() -> LevelKey {
    LevelKey::generate(&SystemRandom).unwrap()
}

fn seal(key: &LevelKey, text: &str) -> SealedBlob {
    Aes256Gcm.seal(key, text.as_bytes(), &SystemRandom).unwrap()
}

fn proof(key: &LevelKey) -> SecretString {
    KeyProof::of(key).to_text()
}

fn of_client(key: &LevelKey) -> NewKey {
    NewKey::Client { derivation: None, proof: proof(key), hint: None }
}

/// The blob that a level holds.
fn blob(session: &Session<'_>, stage: &Stage, at: &str) -> SealedBlob {
    let blobs = session.blobs(At::Path(stage.acme, &path(at))).unwrap();
    blobs.levels.last().unwrap().content.clone().unwrap()
}

fn versions(stage: &Stage, at: &str) -> Vec<Version> {
    stage.system().versions(At::Path(stage.acme, &path(at)), &Paging::new()).unwrap().items
}

fn former_blob(session: &Session<'_>, stage: &Stage, at: &str) -> SealedBlob {
    session.version(stage.acme, versions(stage, at)[0].id).unwrap().content
}

fn set(session: &Session<'_>, stage: &Stage, at: &str, blob: &SealedBlob) -> Result<(), Error> {
    session.set_blob(At::Path(stage.acme, &path(at)), &NewBlob::new(blob.clone()))
}

#[track_caller]
fn assert_replay<T: Debug>(result: Result<T, Error>) {
    let error = result.unwrap_err();
    assert_eq!((error.kind(), error.refusal()), (ErrorKind::InvalidValue, Some(Refusal::ReusedIv)), "{error}");
    assert!(error.to_string().contains("seal the content again"), "{error}");
}

/// The same initialization vector before other bytes.
fn forged(blob: &SealedBlob) -> SealedBlob {
    let mut bytes = blob.as_bytes().to_vec();
    *bytes.last_mut().unwrap() ^= 1;
    SealedBlob::from_bytes(bytes).unwrap()
}

/// The bytes behind another initialization vector.
fn with_other_iv(blob: &SealedBlob) -> SealedBlob {
    let mut bytes = blob.as_bytes().to_vec();
    SystemRandom.fill(&mut bytes[..SealedBlob::IV_BYTES]).unwrap();
    SealedBlob::from_bytes(bytes).unwrap()
}

fn environment(stage: &Stage, parent: &str, name: &str) {
    stage.system().create_environment(At::Path(stage.acme, &path(parent)), &NewEnvironment::new(name)).unwrap();
}

on_every_store! {
    fn what_one_may_read_sealed_is_not_opened_elsewhere(stage: &Stage) {
        stage.shop();
        environment(stage, "shop/api", "test");
        stage.write(PROD, PLANTED);
        let prod = blob(&stage.session(P::SecretRead.into(), Some(PROD)), stage, PROD);
        for at in ["shop/dev", "shop/api/test", "shop/api", "shop"] {
            let session = stage.session(WRITING, Some(at));
            assert_replay(set(&session, stage, at, &prod));
            assert_replay(set(&session, stage, at, &forged(&prod)));
            // Another vector makes it another blob, which no key opens.
            set(&session, stage, at, &with_other_iv(&prod)).unwrap();
            let opened = session.opened_blobs(At::Path(stage.acme, &path(at))).unwrap().levels;
            assert!(opened.iter().all(|level| level.text.is_none()), "{at}");
        }
        // Where it belongs it is accepted, and nothing else with its vector.
        let session = stage.session(WRITING, Some(PROD));
        set(&session, stage, PROD, &prod).unwrap();
        assert_replay(set(&session, stage, PROD, &forged(&prod)));
        assert_eq!(stage.text(PROD).as_deref(), Some(PLANTED));
    }

    fn what_one_may_read_in_the_history_is_not_opened_elsewhere(stage: &Stage) {
        stage.shop();
        stage.write(PROD, PLANTED);
        stage.write(PROD, "TOKEN=now\n");
        let former = former_blob(&stage.session(P::SecretHistory.into(), Some(PROD)), stage, PROD);
        let session = stage.session(WRITING, Some("shop/dev"));
        assert_replay(set(&session, stage, "shop/dev", &former));
        // Also when nothing of it is left.
        let prod = path(PROD);
        stage.system().purge_versions(At::Path(stage.acme, &prod), PurgeScope::Project, Confirmation::Given).unwrap();
        assert_replay(set(&session, stage, "shop/dev", &former));
        let now = blob(&stage.system(), stage, PROD);
        stage.system().purge_level(At::Path(stage.acme, &prod), Confirmation::Given).unwrap();
        for replayed in [&former, &now] {
            assert_replay(set(&session, stage, "shop/dev", replayed));
        }
        // The level that had it gets it again.
        set(&stage.system(), stage, PROD, &former).unwrap();
        assert_eq!(stage.text(PROD).as_deref(), Some(PLANTED));
    }

    fn a_single_version_that_was_removed_is_not_opened_elsewhere(stage: &Stage) {
        stage.shop();
        stage.write(PROD, PLANTED);
        stage.write(PROD, "TOKEN=now\n");
        let former = former_blob(&stage.system(), stage, PROD);
        stage.system().delete_version(stage.acme, versions(stage, PROD)[0].id, Confirmation::Given).unwrap();
        assert_replay(set(&stage.session(WRITING, Some("shop/dev")), stage, "shop/dev", &former));
    }

    fn what_was_overwritten_without_a_version_is_not_opened_elsewhere(stage: &Stage) {
        stage.shop();
        stage.write(PROD, PLANTED);
        let former = blob(&stage.system(), stage, PROD);
        let key = stage.system().key(At::Path(stage.acme, &path("shop"))).unwrap().text.unwrap();
        let key = LevelKey::parse(key.expose_secret()).unwrap();
        let unkept = NewBlob::new(seal(&key, "TOKEN=now\n")).backup(false);
        stage.system().set_blob(At::Path(stage.acme, &path(PROD)), &unkept).unwrap();
        assert!(versions(stage, PROD).is_empty());
        assert_replay(set(&stage.session(WRITING, Some("shop/dev")), stage, "shop/dev", &former));
    }

    fn the_blob_of_a_deleted_level_is_not_opened_elsewhere(stage: &Stage) {
        stage.shop();
        environment(stage, "shop", "gone");
        stage.write("shop/gone", PLANTED);
        stage.write(PROD, PLANTED);
        let (gone, prod) = (blob(&stage.system(), stage, "shop/gone"), blob(&stage.system(), stage, PROD));
        let session = stage.session(WRITING, Some("shop/dev"));
        let system = stage.system();
        system.delete_level(At::Path(stage.acme, &path(PROD))).unwrap();
        assert_replay(set(&session, stage, "shop/dev", &prod));
        system.delete_environment(At::Path(stage.acme, &path("shop/gone")), Confirmation::Given).unwrap();
        assert_replay(set(&session, stage, "shop/dev", &gone));
        stage.purge_deleted();
        assert_replay(set(&session, stage, "shop/dev", &gone));
        // One that is called the same is another level.
        environment(stage, "shop", "gone");
        assert_replay(set(&system, stage, "shop/gone", &gone));
        // And with its target.
        system.delete_target(At::Path(stage.acme, &path("shop/api"))).unwrap();
        stage.purge_deleted();
        assert_replay(set(&session, stage, "shop/dev", &prod));
    }

    fn neither_a_rotation_nor_a_change_of_custody_forgets_a_blob(stage: &Stage) {
        stage.shop();
        stage.write(PROD, PLANTED);
        let (system, at) = (stage.system(), path("shop"));
        let shop = At::Path(stage.acme, &at);
        let first = blob(&system, stage, PROD);
        // To the people and back, with the same key.
        let key = system.move_key_to_client(shop, Confirmation::Given).unwrap();
        let data = LevelKey::parse(key.expose_secret()).unwrap();
        let replayed = NewBlob::new(first.clone()).key_proof(proof(&data));
        assert_replay(system.set_blob(At::Path(stage.acme, &path("shop/dev")), &replayed));
        system.set_blob(At::Path(stage.acme, &path(PROD)), &replayed).unwrap();
        system.store_key_on_server(shop, &key).unwrap();
        let session = stage.session(WRITING, Some("shop/dev"));
        assert_replay(set(&session, stage, "shop/dev", &first));
        assert_eq!(stage.text(PROD).as_deref(), Some(PLANTED));

        let second = former_blob(&system, stage, PROD);
        system.rotate_key(shop, HistoryPolicy::Reencrypt).unwrap();
        while !system.continue_rotation(shop, 1).unwrap().is_done {}
        // Of the key before it is told that it is not in use any more.
        assert_eq!(refused(set(&session, stage, "shop/dev", &first)), ErrorKind::KeyVersionConflict);
        system.rotate_key(shop, HistoryPolicy::Reencrypt).unwrap();
        while !system.continue_rotation(shop, 1).unwrap().is_done {}
        for replayed in [first, second, blob(&system, stage, PROD), former_blob(&system, stage, PROD)] {
            assert_replay(set(&session, stage, "shop/dev", &replayed));
        }
        system.rotate_project_dek(shop).unwrap();
        while !system.continue_rotation(shop, 1).unwrap().is_done {}
        assert_replay(set(&session, stage, "shop/dev", &blob(&system, stage, PROD)));
    }

    fn a_key_that_comes_back_is_the_same_key(stage: &Stage) {
        let [key, other] = [(); 2].map(|()| a_key());
        stage.shop_with(|project| project.key(of_client(&key)));
        let (system, at) = (stage.system(), path("shop"));
        let shop = At::Path(stage.acme, &at);
        let prod: LevelId = system.environment(At::Path(stage.acme, &path(PROD))).unwrap().id.into();
        let first = seal(&key, PLANTED);
        let new = NewBlob::new(first.clone()).key_proof(proof(&key));
        system.set_blob(At::Path(stage.acme, &path(PROD)), &new).unwrap();
        for key in [&other, &key] {
            system.rotate_client_key(shop, &ClientRotation::new(of_client(key), vec![(prod, seal(key, PLANTED))])).unwrap();
        }
        assert_replay(system.set_blob(At::Path(stage.acme, &path("shop/dev")), &new));
        system.store_key_on_server(shop, &key.to_text()).unwrap();
        assert_replay(set(&stage.session(WRITING, Some("shop/dev")), stage, "shop/dev", &first));
        set(&system, stage, PROD, &first).unwrap();
        assert_eq!(stage.text(PROD).as_deref(), Some(PLANTED));
    }

    fn blobs_of_client_custody_are_bound_to_their_level(stage: &Stage) {
        let key = a_key();
        stage.shop_with(|project| project.key(of_client(&key)));
        let set = |at: &str, blob: &SealedBlob| {
            let new = NewBlob::new(blob.clone()).key_proof(proof(&key));
            stage.system().set_blob(At::Path(stage.acme, &path(at)), &new)
        };
        let (prod, dev) = (seal(&key, PLANTED), seal(&key, "TOKEN=dev\n"));
        set(PROD, &prod).unwrap();
        set("shop/dev", &dev).unwrap();
        for at in ["shop", "shop/api", "shop/dev"] {
            assert_replay(set(at, &prod));
            assert_replay(set(at, &forged(&prod)));
        }
        assert_replay(set(PROD, &forged(&prod)));
        set(PROD, &prod).unwrap();
        // What it held comes back, by its id and as a blob.
        set(PROD, &seal(&key, "TOKEN=next\n")).unwrap();
        stage.system().restore_version(stage.acme, versions(stage, PROD)[0].id, &Restore::new()).unwrap();
        assert_eq!(blob(&stage.system(), stage, PROD), prod);
        // Content that a caller sends with a restore is a blob as any other.
        let id = versions(stage, PROD)[0].id;
        let along = |blob: &SealedBlob| Restore::new().content(blob.clone()).key_proof(proof(&key));
        assert_replay(stage.system().restore_version(stage.acme, id, &along(&dev)));
        stage.system().restore_version(stage.acme, id, &along(&prod)).unwrap();
    }

    fn one_transaction_takes_a_vector_once(stage: &Stage) {
        let [key, next] = [(); 2].map(|()| a_key());
        stage.shop_with(|project| project.key(of_client(&key)));
        let system = stage.system();
        let at = path("shop");
        let shop = At::Path(stage.acme, &at);
        let [prod, dev] =
            [PROD, "shop/dev"].map(|at| LevelId::from(system.environment(At::Path(stage.acme, &path(at))).unwrap().id));
        for (at, text) in [(PROD, PLANTED), ("shop/dev", "TOKEN=dev\n")] {
            let new = NewBlob::new(seal(&key, text)).key_proof(proof(&key));
            system.set_blob(At::Path(stage.acme, &path(at)), &new).unwrap();
        }
        let rotate = |blobs: Vec<(LevelId, SealedBlob)>| {
            let rotation = ClientRotation::new(of_client(&next), blobs).policy(HistoryPolicy::Reencrypt);
            system.rotate_client_key(shop, &rotation)
        };
        let (one, two) = (seal(&next, PLANTED), seal(&next, "TOKEN=dev\n"));
        assert_replay(rotate(vec![(prod, one.clone()), (dev, one.clone())]));
        assert_replay(rotate(vec![(prod, one.clone()), (dev, forged(&one))]));
        // What is there under the key before is that of another level, too.
        assert_replay(rotate(vec![(prod, one.clone()), (dev, blob(&system, stage, PROD))]));
        assert_eq!(system.key(shop).unwrap().version, 1, "nothing was stored");
        rotate(vec![(prod, one.clone()), (dev, two)]).unwrap();

        let [of_prod, of_dev] = [PROD, "shop/dev"].map(|at| versions(stage, at)[0].id);
        let reencrypt = |versions: &[(u64, SealedBlob)]| system.reencrypt_versions(shop, versions, &proof(&next));
        let moved = seal(&next, PLANTED);
        assert_replay(reencrypt(&[(of_prod, moved.clone()), (of_dev, moved.clone())]));
        assert_replay(reencrypt(&[(of_dev, one.clone())]));
        // A version may be what the level holds now.
        assert_eq!(reencrypt(&[(of_prod, one), (of_dev, seal(&next, "TOKEN=dev\n"))]).unwrap().remaining, 0);
    }

    fn what_belongs_to_a_level_comes_back_by_every_way(stage: &Stage) {
        stage.shop();
        let (system, at) = (stage.system(), path("shop"));
        let shop = At::Path(stage.acme, &at);
        let states = ["A=1\n", "A=2\n", "A=3\n"];
        for state in states {
            stage.write(PROD, state);
        }
        let all = versions(stage, PROD);
        for (version, state) in all.iter().zip(["A=2\n", "A=1\n"]) {
            for _ in 0..2 {
                system.restore_version(stage.acme, version.id, &Restore::new()).unwrap();
                assert_eq!(stage.text(PROD).as_deref(), Some(state));
            }
            system.roll_back(At::Path(stage.acme, &path(PROD)), version.id).unwrap();
        }
        system.delete_level(At::Path(stage.acme, &path(PROD))).unwrap();
        system.restore_version(stage.acme, versions(stage, PROD)[0].id, &Restore::new()).unwrap();
        system.delete_environment(At::Path(stage.acme, &path(PROD)), Confirmation::Given).unwrap();
        let gone = system.deleted(stage.acme).unwrap()[0].id;
        system.restore_environment(stage.acme, ioenv::vault::Id::from(gone).into()).unwrap();
        for _ in 0..2 {
            system.rotate_key(shop, HistoryPolicy::Reencrypt).unwrap();
            while !system.continue_rotation(shop, 2).unwrap().is_done {}
            let key = system.move_key_to_client(shop, Confirmation::Given).unwrap();
            system.store_key_on_server(shop, &key).unwrap();
        }
        let oldest = versions(stage, PROD).pop().unwrap().id;
        system.restore_version(stage.acme, oldest, &Restore::new()).unwrap();
        assert_eq!(stage.text(PROD).as_deref(), Some("A=1\n"));
        let update = ioenv::vault::EnvironmentUpdate::new().slug(slug("live"));
        system.update_environment(At::Path(stage.acme, &path(PROD)), &update).unwrap();
        // A level that is called otherwise is the same level.
        set(&system, stage, "shop/api/live", &blob(&system, stage, "shop/api/live")).unwrap();
        assert!(stage.vault.check().unwrap().damaged.is_empty());
    }

    fn a_copied_blob_is_sealed_again_where_it_is_refused(stage: &Stage) {
        let key = a_key();
        stage.shop_with(|project| project.key(of_client(&key)));
        let copied = seal(&key, PLANTED);
        let ring = KeyRing::from(&key);
        let copy = |at: &str| {
            stage.system().write_level(At::Path(stage.acme, &path(at)), &ring, |level| {
                if level.opens(&copied) {
                    return Ok::<_, Error>(copied.clone());
                }
                level.seal(&ioenv::Document::parse(PLANTED)?)
            })
        };
        copy(PROD).unwrap();
        copy("shop/dev").unwrap();
        copy(PROD).unwrap();
        assert_eq!(blob(&stage.system(), stage, PROD), copied);
        let resealed = blob(&stage.system(), stage, "shop/dev");
        assert!(resealed != copied && Aes256Gcm.open(&key, &resealed).is_ok());
        // Who insists is told so, once.
        let insisting =
            stage.system().write_level(At::Path(stage.acme, &path("shop/dev")), &ring, |_| Ok::<_, Error>(copied.clone()));
        assert_replay(insisting);
    }

    fn the_index_goes_with_the_keys_and_not_before(stage: &Stage) {
        stage.shop();
        stage.write(PROD, PLANTED);
        stage.write(PROD, "A=1\n");
        assert_eq!(stage.records("iv/").len(), 2);
        assert!(!stage.dump("iv/").contains("TOKEN"), "names are in no index");
        stage.system().purge_level(At::Path(stage.acme, &path(PROD)), Confirmation::Given).unwrap();
        stage.system().delete_environment(At::Path(stage.acme, &path(PROD)), Confirmation::Given).unwrap();
        assert_eq!(stage.records("iv/").len(), 2);
        stage.write("shop/dev", "A=1\n");
        stage.system().delete_project(At::Path(stage.acme, &path("shop"))).unwrap();
        assert_eq!(stage.records("iv/").len(), 3);
        stage.purge_deleted();
        assert!(stage.records("iv/").is_empty() && stage.records("key/").is_empty());
        // A project that holds nothing is gone at once.
        stage.shop();
        stage.write(PROD, "A=1\n");
        stage.system().purge_level(At::Path(stage.acme, &path(PROD)), Confirmation::Given).unwrap();
        stage.system().delete_project(At::Path(stage.acme, &path("shop"))).unwrap();
        assert!(stage.records("iv/").is_empty() && stage.records("key/").is_empty());
    }

    fn a_content_that_the_index_does_not_know_is_reported(stage: &Stage) {
        stage.shop();
        stage.write(PROD, "A=1\n");
        stage.write("shop/dev", "A=1\n");
        let (key, _) = stage.records("iv/").pop_first().unwrap();
        stage.store.write(|tx| tx.delete(&key).map(drop)).unwrap();
        let damaged = stage.vault.check().unwrap().damaged;
        assert_eq!(damaged.len(), 1, "{damaged:?}");
    }

    fn seals_are_counted_under_each_key(stage: &Stage) {
        stage.shop();
        let (system, at) = (stage.system(), path("shop"));
        let shop = At::Path(stage.acme, &at);
        assert_eq!((system.key(shop).unwrap().seals, system.key(shop).unwrap().is_rotation_advised()), (0, false));
        for number in 0..3 {
            stage.write(PROD, &format!("A={number}\n"));
        }
        stage.write("shop/dev", "A=1\n");
        // The same blob once more is no other seal; nor is what takes a number without sealing anything.
        system.restore_version(stage.acme, versions(stage, PROD)[0].id, &Restore::new()).unwrap();
        system.delete_level(At::Path(stage.acme, &path("shop/dev"))).unwrap();
        assert_eq!(system.key(shop).unwrap().seals, 4);
        system.rotate_key(shop, HistoryPolicy::Reencrypt).unwrap();
        assert_eq!(system.key(shop).unwrap().seals, 1);
        while !system.continue_rotation(shop, 10).unwrap().is_done {}
        let seals: Vec<u64> = system.keys(shop).unwrap().iter().map(|key| key.seals).collect();
        assert_eq!(seals, [6, 4], "one content and five versions");
    }

    fn a_rotation_is_advised_where_keys_are_read(stage: &Stage) {
        stage.shop();
        stage.write(PROD, "A=1\n");
        let (system, at) = (stage.system(), path("shop"));
        let shop = At::Path(stage.acme, &at);
        assert!(stage.vault.statistics().unwrap().rotation_advised.is_empty());
        let (key, mut counter) = stage.records("counter/").pop_first().unwrap();
        counter["seals"] = (1 << 30).into();
        stage.store.write(|tx| tx.put(&key, &counter.to_string(), ioenv::store::Precondition::Present)).unwrap();
        assert!(system.key(shop).unwrap().is_rotation_advised() && system.keys(shop).unwrap()[0].is_rotation_advised());
        assert_eq!(stage.vault.statistics().unwrap().rotation_advised, [(stage.acme, path("shop"))]);
        system.rotate_key(shop, HistoryPolicy::Keep).unwrap();
        let keys = system.keys(shop).unwrap();
        assert_eq!(keys[1].seals, 1 << 30);
        assert!(keys.iter().all(|key| !key.is_rotation_advised()), "only of the key in use");
        assert!(stage.vault.statistics().unwrap().rotation_advised.is_empty());
    }
}
