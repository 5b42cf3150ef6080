//! What is a secret stays one: only who may read and decrypt makes a variable of it, whose value is stored and recorded
//! in plaintext.

use std::fmt::Debug;

use ioenv::ErrorKind::Denied;
use ioenv::Kind::{Secret, Variable};
use ioenv::vault::{
    At, ClientRotation, Confirmation, EntryPrecondition, EntryUpdate, HistoryPolicy, LevelId, NewBlob, NewKey, Paging,
    Permission as P, PermissionSet, ProjectUpdate, Refusal, Restore, Session, Version,
};
use ioenv::{Aes256Gcm, Cipher as _, Document, Error, LevelKey, SealedBlob, SystemRandom};

use super::stage::{SECOND, Stage, entry, name, names, path, refused};

const DEV: &str = "shop/dev";
const PLANTED: &str = "planted-5e2b";
/// All but seeing values.
const BLIND: PermissionSet = PermissionSet::ALL.difference(PermissionSet::of(&[P::SecretRead, P::SecretDecrypt]));

fn versions(stage: &Stage, at: &str) -> Vec<Version> {
    stage.system().versions(At::Path(stage.acme, &path(at)), &Paging::new().limit(200)).unwrap().items
}

/// Writes these to a level that was empty, one after another, and returns the id of the version that holds the first one.
fn history(stage: &Stage, texts: &[&str]) -> u64 {
    for text in texts {
        stage.pass(SECOND);
        stage.write(DEV, text);
    }
    versions(stage, DEV).pop().unwrap().id
}

fn restore(session: &Session<'_>, stage: &Stage, id: u64) {
    session.restore_version(stage.acme, id, &Restore::new()).unwrap();
}

/// The kinds of the entries of `dev`: `A` of a secret, `a` of a variable.
fn kinds(stage: &Stage) -> String {
    let metadata = stage.system().entry_metadata(At::Path(stage.acme, &path(DEV))).unwrap();
    let spelled = metadata.iter().map(|entry| match entry.kind {
        Secret => entry.name.to_string(),
        Variable => entry.name.to_string().to_lowercase(),
    });
    spelled.collect::<Vec<_>>().join(" ")
}

/// Changes what there is as anybody does who may see it: that records the values of variables.
fn change_all(stage: &Stage) {
    let text = stage.text(DEV).unwrap().replace(PLANTED, "another");
    stage.write(DEV, &text);
}

fn level_key(stage: &Stage) -> LevelKey {
    let key = stage.system().key(At::Path(stage.acme, &path("shop"))).unwrap().text.unwrap();
    LevelKey::parse(key.expose_secret()).unwrap()
}

fn seal(key: &LevelKey, text: &str) -> SealedBlob {
    Aes256Gcm.seal(key, text.as_bytes(), &SystemRandom).unwrap()
}

#[track_caller]
fn assert_denied<T: Debug>(result: Result<T, Error>) {
    let error = result.unwrap_err();
    assert_eq!(error.kind(), Denied);
    let missing = PermissionSet::of(&[P::SecretRead, P::SecretDecrypt]);
    assert_eq!(error.refusal(), Some(Refusal::Permissions(missing)), "{error}");
}

on_every_store! {
    fn a_restore_makes_no_secret_a_variable(stage: &Stage) {
        for texts in [
            // It is a secret now,
            ["# ioenv: variable\nA=planted-5e2b\n", "A=planted-5e2b\n", "A=planted-5e2b\n"],
            // or was one: it is gone, or a variable again.
            ["# ioenv: variable\nA=planted-5e2b\n", "A=planted-5e2b\n", "B=1\n"],
            ["# ioenv: variable\nA=planted-5e2b\n", "A=planted-5e2b\n", "# ioenv: variable\nA=public\n"],
        ] {
            for is_roll_back in [false, true] {
                stage.shop();
                let id = history(stage, &texts);
                let blind = stage.session(BLIND, None);
                let work = || {
                    if is_roll_back {
                        blind.roll_back(At::Path(stage.acme, &path(DEV)), id).unwrap();
                    } else {
                        restore(&blind, stage, id);
                    }
                    assert_eq!(kinds(stage), "A");
                    assert_eq!(stage.text(DEV).unwrap(), format!("A={PLANTED}\n"));
                    change_all(stage);
                };
                let logged = stage.logged(work);
                assert!(!serde_json::to_string(&logged).unwrap().contains(PLANTED), "{logged:?}");
                assert!(!stage.dump("").contains(PLANTED), "{texts:?}");
                stage.system().delete_project(At::Path(stage.acme, &path("shop"))).unwrap();
                stage.purge_deleted();
            }
        }
    }

    fn what_was_never_a_secret_comes_back_as_it_was(stage: &Stage) {
        stage.shop();
        let text = "# ioenv: variable\nA=1\n# why\n# ioenv: variable\nB=1\nC=1\n";
        let id = history(stage, &[text, "# ioenv: variable\nA=2\n# ioenv: variable\nC=1\n", "# ioenv: variable\nA=3\n", ""]);
        let blind = stage.session(BLIND, None);
        let held = stage.system().version(stage.acme, id).unwrap().content;
        restore(&blind, stage, id);
        assert_eq!(stage.text(DEV).as_deref(), Some(text));
        let blobs = stage.system().blobs(At::Path(stage.acme, &path(DEV))).unwrap().levels;
        assert_eq!(blobs.last().unwrap().content.as_ref(), Some(&held), "nothing had to be sealed");
        assert_eq!(blind.roll_back(At::Path(stage.acme, &path(DEV)), id).unwrap(), None, "that is what it holds");
    }

    fn who_may_read_and_decrypt_brings_back_what_was(stage: &Stage) {
        stage.shop();
        let id = history(stage, &["# ioenv: variable\nA=1\n", "A=1\n", "B=1\n"]);
        let restoring = PermissionSet::of(&[P::SecretRestore, P::SecretDelete]);
        for (permissions, expected) in [
            (restoring, "A"),
            (restoring.union(P::SecretRead.into()), "A"),
            (restoring.union(P::SecretDecrypt.into()), "A"),
            (restoring.union(PermissionSet::of(&[P::SecretRead, P::SecretDecrypt])), "a"),
        ] {
            restore(&stage.session(permissions, Some(DEV)), stage, id);
            assert_eq!(kinds(stage), expected, "{permissions}");
            stage.write(DEV, "B=1\n");
        }
    }

    fn an_entry_is_followed_through_its_names(stage: &Stage) {
        stage.shop();
        let system = stage.system();
        let at = path(DEV);
        stage.write(DEV, "# ioenv: variable\nA=planted-5e2b\n");
        let update = EntryUpdate::new(name("A")).new_name(name("B")).kind(Secret);
        system.update_entries(At::Path(stage.acme, &at), &[update]).unwrap();
        let id = versions(stage, DEV)[0].id;
        restore(&stage.session(BLIND, None), stage, id);
        assert_eq!(kinds(stage), "A");
        // Also when the name that it had as a secret is gone.
        system.delete_entries(At::Path(stage.acme, &at), &names(["A"])).unwrap();
        restore(&stage.session(BLIND, None), stage, id);
        assert_eq!(kinds(stage), "A");
        change_all(stage);
        assert!(!stage.dump("").contains(PLANTED));
    }

    fn no_gap_in_the_history_makes_a_variable_of_it(stage: &Stage) {
        let texts = ["# ioenv: variable\nA=planted-5e2b\n", "A=planted-5e2b\n", "B=1\n", "C=1\n"];
        // The versions in between were removed.
        stage.shop();
        let id = history(stage, &texts);
        for version in versions(stage, DEV).iter().filter(|version| version.id != id) {
            stage.system().delete_version(stage.acme, version.id, Confirmation::Given).unwrap();
        }
        restore(&stage.session(BLIND, None), stage, id);
        assert_eq!(kinds(stage), "A");
        // They were never kept.
        stage.write(DEV, texts[0]);
        stage.pass(SECOND);
        stage.write(DEV, "B=1\n");
        let id = versions(stage, DEV)[0].id;
        stage.system().update_project(At::Path(stage.acme, &path("shop")), &ProjectUpdate::new().versioning(false)).unwrap();
        for text in texts {
            stage.write(DEV, text);
        }
        restore(&stage.session(BLIND, None), stage, id);
        assert_eq!(kinds(stage), "A");
        change_all(stage);
        assert!(!stage.dump("").contains(PLANTED));
    }

    fn a_deleted_level_does_not_forget_its_secrets(stage: &Stage) {
        stage.shop();
        let (system, at) = (stage.system(), path(DEV));
        let id = history(stage, &["# ioenv: variable\nA=planted-5e2b\n", "A=planted-5e2b\n"]);
        system.delete_level(At::Path(stage.acme, &at)).unwrap();
        restore(&stage.session(BLIND, None), stage, id);
        assert_eq!(kinds(stage), "A");
        // And what is no document in between hides nothing.
        let junk = NewBlob::new(seal(&level_key(stage), "no document"));
        system.delete_level(At::Path(stage.acme, &at)).unwrap();
        system.set_blob(At::Path(stage.acme, &at), &junk).unwrap();
        restore(&stage.session(BLIND, None), stage, id);
        assert_eq!(kinds(stage), "A");
        assert!(!stage.dump("").contains(PLANTED));
    }

    fn a_version_of_a_former_key_is_no_exception(stage: &Stage) {
        stage.shop();
        let system = stage.system();
        let at = path("shop");
        let shop = At::Path(stage.acme, &at);
        let id = history(stage, &["# ioenv: variable\nA=planted-5e2b\n", "A=planted-5e2b\n"]);
        system.rotate_key(shop, HistoryPolicy::Keep).unwrap();
        restore(&stage.session(BLIND, None), stage, id);
        assert_eq!(kinds(stage), "A");
        // What its people held meanwhile may have been a secret under any key.
        stage.write(DEV, "# ioenv: variable\nP=planted-5e2b\n");
        stage.write(DEV, "B=1\n");
        let id = versions(stage, DEV)[0].id;
        let first = system.move_key_to_client(shop, Confirmation::Given).unwrap();
        let [mine, next] = [(); 2].map(|()| LevelKey::generate(&SystemRandom).unwrap());
        let dev = LevelId::from(system.environment(At::Path(stage.acme, &path(DEV))).unwrap().id);
        let of_client = |key: &LevelKey| {
            let proof = ioenv::dotenv_cloud::KeyProof::of(key).to_text();
            NewKey::Client { derivation: None, proof, hint: None }
        };
        for (key, text) in [(&mine, "P=planted-5e2b\n"), (&next, "B=1\n")] {
            let rotation = ClientRotation::new(of_client(key), vec![(dev, seal(key, text))]);
            system.rotate_client_key(shop, &rotation).unwrap();
        }
        let back = LevelKey::parse(first.expose_secret()).unwrap();
        system.rotate_client_key(shop, &ClientRotation::new(of_client(&back), vec![(dev, seal(&back, "B=1\n"))])).unwrap();
        let held = system.version(stage.acme, id).unwrap().content;
        let proof = ioenv::dotenv_cloud::KeyProof::of(&back).to_text();
        system.reencrypt_versions(shop, &[(id, held)], &proof).unwrap();
        system.store_key_on_server(shop, &first).unwrap();
        restore(&stage.session(BLIND, None), stage, id);
        assert_eq!(kinds(stage), "P");
    }

    fn no_way_to_write_makes_a_variable_of_a_secret_unseen(stage: &Stage) {
        stage.shop();
        let at = path(DEV);
        let at = At::Path(stage.acme, &at);
        stage.write(DEV, &format!("A={PLANTED}\n# ioenv: variable\nV=1\n"));
        let key = level_key(stage);
        let before = stage.text(DEV);
        let blind = stage.session(BLIND, None);
        // With its value, as far as that can be known, and with another one.
        for text in [format!("# ioenv: variable\nA={PLANTED}\n"), "# ioenv: variable\nA=mine\n".to_owned()] {
            assert_denied(blind.set_document(at, &Document::parse(&text).unwrap()));
            assert_denied(blind.set_blob(at, &NewBlob::new(seal(&key, &text))));
        }
        for value in [PLANTED, "mine"] {
            let variable = entry("A", value).kind(Variable);
            assert_denied(blind.set_entries(at, std::slice::from_ref(&variable)));
            assert_denied(blind.set_entry(at, &variable, Secret, &EntryPrecondition::new()));
            assert_denied(blind.update_entries(at, &[EntryUpdate::new(name("A")).kind(Variable).value(value)]));
        }
        assert_denied(blind.update_entries(at, &[EntryUpdate::new(name("A")).kind(Variable)]));
        let renamed = EntryUpdate::new(name("A")).kind(Variable).new_name(name("B"));
        assert_denied(blind.update_entries(at, &[renamed]));
        // Nor is its name given to a variable at the same time.
        let swap = [("A", "V"), ("V", "A")].map(|(from, to)| EntryUpdate::new(name(from)).new_name(name(to)));
        assert_denied(blind.update_entries(at, &swap));
        assert_eq!(stage.text(DEV), before);
        assert!(!stage.dump("").contains(PLANTED));

        // Nor is it deleted and made again as one.
        blind.delete_entries(at, &[name("A")]).unwrap();
        assert_denied(blind.set_entries(at, &[entry("A", "mine").kind(Variable)]));
        assert_denied(blind.create_entries(at, &[entry("A", "mine").kind(Variable)]));
        assert_denied(blind.set_blob(at, &NewBlob::new(seal(&key, "# ioenv: variable\nA=mine\n"))));
        blind.set_entries(at, &[entry("A", PLANTED).kind(Secret)]).unwrap();

        // What leaves kinds alone, and what makes a secret, goes as before.
        blind.set_entries(at, &[entry("A", "new"), entry("V", "2"), entry("N", "1").kind(Variable)]).unwrap();
        blind.update_entries(at, &[EntryUpdate::new(name("V")).kind(Secret)]).unwrap();
        blind.update_entries(at, &[EntryUpdate::new(name("A")).new_name(name("B"))]).unwrap();
        assert_eq!(kinds(stage), "V B n");
        let seeing = stage.session(BLIND.union(PermissionSet::of(&[P::SecretRead, P::SecretDecrypt])), None);
        seeing.update_entries(at, &[EntryUpdate::new(name("B")).kind(Variable)]).unwrap();
        assert_eq!(kinds(stage), "V b n");
    }

    fn what_is_overwritten_without_a_version_takes_the_right_to_purge(stage: &Stage) {
        stage.shop();
        let at = path(DEV);
        let at = At::Path(stage.acme, &at);
        let key = level_key(stage);
        let unkept = |text: &str| NewBlob::new(seal(&key, text)).backup(false);
        let writer = stage.session(P::SecretWrite.into(), None);
        let purger = stage.session(PermissionSet::of(&[P::SecretWrite, P::SecretPurge]), None);
        let flags = |work: &dyn Fn()| -> Vec<bool> {
            let flag = |record: &ioenv::vault::AuditRecord| serde_json::to_value(&record.details).unwrap()["noBackup"] == true;
            stage.logged(work).iter().map(flag).collect()
        };
        // Nothing is displaced.
        assert_eq!(flags(&|| writer.set_blob(at, &unkept("A=1\n")).unwrap()), [false]);
        let error = writer.set_blob(at, &unkept("A=2\n")).unwrap_err();
        assert_eq!((error.kind(), error.refusal()), (Denied, Some(Refusal::Permissions(P::SecretPurge.into()))));
        assert_eq!(refused(writer.set_blob(at, &NewBlob::new(seal(&LevelKey::generate(&SystemRandom).unwrap(), "noise")).backup(false))), Denied);
        assert_eq!((stage.text(DEV).as_deref(), versions(stage, DEV).len()), (Some("A=1\n"), 0));
        assert_eq!(flags(&|| writer.set_blob(at, &NewBlob::new(seal(&key, "A=2\n"))).unwrap()), [false]);
        assert_eq!(flags(&|| purger.set_blob(at, &unkept("A=3\n")).unwrap()), [true]);
        assert_eq!((stage.text(DEV).as_deref(), versions(stage, DEV).len()), (Some("A=3\n"), 1));
        // A level that was deleted holds nothing that could be displaced.
        stage.system().delete_level(at).unwrap();
        assert_eq!(flags(&|| writer.set_blob(at, &unkept("A=4\n")).unwrap()), [false]);

        // To stop keeping versions takes the same right; what a project has decided is its own affair.
        let shop = path("shop");
        let versioning = |session: &Session<'_>, on| {
            session.update_project(At::Path(stage.acme, &shop), &ProjectUpdate::new().versioning(on))
        };
        let updater = stage.session(P::ProjectUpdate.into(), None);
        assert_eq!(refused(versioning(&updater, false)), Denied);
        versioning(&updater, true).unwrap();
        versioning(&stage.session(PermissionSet::of(&[P::ProjectUpdate, P::SecretPurge]), None), false).unwrap();
        versioning(&updater, false).unwrap();
        writer.set_blob(at, &unkept("A=5\n")).unwrap();
    }

    fn client_custody_keeps_what_is_overwritten_too(stage: &Stage) {
        let key = LevelKey::generate(&SystemRandom).unwrap();
        let proof = ioenv::dotenv_cloud::KeyProof::of(&key).to_text();
        let new_key = NewKey::Client { derivation: None, proof: proof.clone(), hint: None };
        stage.shop_with(|project| project.key(new_key));
        let at = path(DEV);
        let at = At::Path(stage.acme, &at);
        let unkept = || NewBlob::new(seal(&key, "A=1\n")).key_proof(proof.clone()).backup(false);
        let writer = stage.session(P::SecretWrite.into(), Some(DEV));
        writer.set_blob(at, &unkept()).unwrap();
        assert_eq!(refused(writer.set_blob(at, &unkept())), Denied);
        stage.session(PermissionSet::of(&[P::SecretWrite, P::SecretPurge]), Some(DEV)).set_blob(at, &unkept()).unwrap();
    }
}
