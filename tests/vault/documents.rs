//! Levels as documents, as blobs and entry by entry, which are views of the same.

use ioenv::ErrorKind::{
    ClientManaged, Conflict, DecryptionFailed, InvalidName, InvalidValue, KeyProofMismatch, KeyProofRequired, Limit,
};
use ioenv::Kind::{Secret, Variable};
use ioenv::dotenv_cloud::KeyProof;
use ioenv::vault::{At, Custody, EntryScope, EntryUpdate, LevelScope, MAX_BLOB_BYTES, NewBlob, NewKey, Paging, Search};
use ioenv::{Aes256Gcm, Cipher as _, Document, LevelKey, SealedBlob, SystemRandom};

use super::stage::{MINUTE, SECOND, Stage, entry, name, names, path, refused};

fn seal(key: &LevelKey, text: &str) -> SealedBlob {
    Aes256Gcm.seal(key, text.as_bytes(), &SystemRandom).unwrap()
}

/// A project of which only its people have the key.
fn client_managed(stage: &Stage) -> LevelKey {
    let key = LevelKey::generate(&SystemRandom).unwrap();
    let proof = KeyProof::of(&key).to_text();
    stage.shop_with(|project| project.key(NewKey::Client { derivation: None, proof, hint: None }));
    key
}

fn own_names(stage: &Stage, at: &str) -> String {
    let entries = stage.system().entries(At::Path(stage.acme, &path(at)), EntryScope::Own).unwrap().entries;
    entries.iter().map(|one| one.metadata.name.as_str()).collect::<Vec<_>>().join(" ")
}

fn rename(from: &str, to: &str) -> EntryUpdate {
    EntryUpdate::new(name(from)).new_name(name(to))
}

on_every_store! {
    fn a_document_is_kept_as_it_is(stage: &Stage) {
        stage.shop();
        assert_eq!(stage.text("shop/dev"), None);
        let text = "# the file\n\n# of B\n# ioenv: variable\nB=2 # aside\nA='it is $5'\n\n# the end\n";
        stage.write("shop/dev", text);
        assert_eq!(stage.text("shop/dev").as_deref(), Some(text));
        // The order and the quotes are part of it.
        for other in ["A=1\nB=2\n", "B=2\nA=1\n", "# note\n\nB=2\nA=1\n", "B=2\nA='$1'\n", "B=2\nA=\"$1\"\n"] {
            stage.write("shop/dev", other);
            assert_eq!(stage.text("shop/dev").as_deref(), Some(other));
        }
        let blobs = stage.system().blobs(At::Path(stage.acme, &path("shop/api/prod"))).unwrap();
        assert_eq!(blobs.custody, Custody::Server);
        let paths: Vec<&str> = blobs.levels.iter().map(|level| level.path.as_str()).collect();
        assert_eq!(paths, ["shop", "shop/api", "shop/api/prod"]);
        assert!(blobs.levels.iter().all(|level| level.content.is_none() && level.written_at.is_none()));
    }

    fn a_level_is_read_alone_or_with_those_above_it(stage: &Stage) {
        stage.shop();
        let system = stage.system();
        let read = |at: &str, scope| system.read_level(At::Path(stage.acme, &path(at)), scope).unwrap();
        let revisions = || [LevelScope::Own, LevelScope::Chain].map(|scope| read("shop/dev", scope).revision);
        assert_eq!((revisions(), read("shop", LevelScope::Chain).layers().len()), ([0, 0], 0));

        stage.write("shop", "A=above\n");
        let own = read("shop/dev", LevelScope::Own);
        assert!(own.document().is_none() && own.layers().is_empty() && own.into_document().is_none());
        let chain = read("shop/dev", LevelScope::Chain);
        assert!(chain.document().is_none() && chain.clone().into_document().is_none());
        assert_eq!(chain.layers().iter().map(|layer| layer.path().to_string()).collect::<Vec<_>>(), ["shop"]);
        let [own, chain] = revisions();
        assert!(own == 0 && chain > 0, "only one of them has seen the level above");

        stage.write("shop/dev", "A=below\n");
        let [own_then, chain_then] = revisions();
        assert!(own_then > own && chain_then > chain);
        let own = read("shop/dev", LevelScope::Own);
        assert_eq!((own.layers().len(), own.document().unwrap().len()), (1, 1));
        let chain = read("shop/dev", LevelScope::Chain);
        assert_eq!(chain.revision, stage.revision("shop/dev"));
        assert!(!format!("{own:?} {chain:?}").contains("below"));
        let value = |document: &Document| document.get("A").unwrap().value().expose_secret().to_owned();
        assert_eq!(value(chain.document().unwrap()), "below");
        assert_eq!(chain.clone().into_layers().iter().map(|layer| value(layer.document())).collect::<Vec<_>>(), ["above", "below"]);
        assert_eq!(chain.clone().into_document().as_ref().map(value).as_deref(), Some("below"));
        assert_eq!(chain.resolve().get("A").unwrap().value().expose_secret(), "below");

        stage.write("shop", "A=other\n");
        assert_eq!(revisions(), [own_then, chain_then], "what is overridden changes nothing");
        stage.write("shop", "A=other\nB=1\n");
        let [own_now, chain_now] = revisions();
        assert!(own_now == own_then && chain_now > chain_then);
        system.delete_level(At::Path(stage.acme, &path("shop/dev"))).unwrap();
        let [own_now, chain_then] = revisions();
        assert!(own_now > own_then && chain_then > chain_now);
    }

    fn an_empty_level_is_read_whoever_has_the_key(stage: &Stage) {
        client_managed(stage);
        for scope in [LevelScope::Own, LevelScope::Chain] {
            let content = stage.system().read_level(At::Path(stage.acme, &path("shop/dev")), scope).unwrap();
            assert!(content.layers().is_empty());
        }
    }

    fn blobs_are_opened_whatever_is_in_them(stage: &Stage) {
        stage.shop();
        let system = stage.system();
        stage.write("shop", "A=1 # why\n");
        let key = LevelKey::parse(system.key(At::Path(stage.acme, &path("shop"))).unwrap().text.unwrap().expose_secret()).unwrap();
        let other = LevelKey::generate(&SystemRandom).unwrap();
        let texts = || {
            let levels = system.opened_blobs(At::Path(stage.acme, &path("shop/api/prod"))).unwrap().levels;
            let text = |level: &ioenv::vault::Blob| level.text.as_ref().map(|text| text.expose_secret().to_owned());
            assert_eq!(levels.len(), 3);
            levels.iter().map(|level| (level.content.is_some(), text(level))).collect::<Vec<_>>()
        };
        let first = (true, Some("A=1 # why\n".to_owned()));
        assert_eq!(texts(), [first.clone(), (false, None), (false, None)]);
        let not_text = Aes256Gcm.seal(&key, &[0xff], &SystemRandom).unwrap();
        for (blob, text) in [(seal(&key, "{\"A\": 1}"), Some("{\"A\": 1}")), (seal(&other, "A=1\n"), None), (not_text, None)] {
            system.set_blob(At::Path(stage.acme, &path("shop/api")), &NewBlob::new(blob)).unwrap();
            assert_eq!(texts(), [first.clone(), (true, text.map(str::to_owned)), (false, None)]);
        }
        assert!(system.blobs(At::Path(stage.acme, &path("shop"))).unwrap().levels[0].text.is_none(), "where that was not asked for");
    }

    fn both_views_agree(stage: &Stage) {
        stage.shop();
        let (system, at) = (stage.system(), path("shop/dev"));
        stage.write("shop/dev", "B=1\nA=\n");
        system.set_entries(At::Path(stage.acme, &at), &[entry("C", "3").comment("of C").kind(Variable), entry("A", "2")]).unwrap();
        assert_eq!(stage.text("shop/dev").as_deref(), Some("B=1\nA=2\n# of C\n# ioenv: variable\nC=3\n"));
        assert_eq!(own_names(stage, "shop/dev"), "B A C");
        let named = system.entries(At::Path(stage.acme, &at), EntryScope::Named(&names(["C", "NONE", "B"]))).unwrap().entries;
        assert_eq!(named.iter().map(|one| one.value.expose_secret()).collect::<Vec<_>>(), ["1", "3"]);
        // Sealed by somebody who has the key, it says the same at another level.
        let blob = system.blobs(At::Path(stage.acme, &at)).unwrap().levels.pop().unwrap().content.unwrap();
        let key = system.key(At::Path(stage.acme, &path("shop"))).unwrap().text.unwrap();
        let key = LevelKey::parse(key.expose_secret()).unwrap();
        let moved = seal(&key, stage.text("shop/dev").unwrap().as_str());
        system.set_blob(At::Path(stage.acme, &path("shop/api")), &NewBlob::new(moved)).unwrap();
        assert_eq!(stage.text("shop/api"), stage.text("shop/dev"));
        assert_eq!(own_names(stage, "shop/api"), "B A C");
        let kinds: Vec<_> = system.entry_metadata(At::Path(stage.acme, &path("shop/api"))).unwrap().iter().map(|one| one.kind).collect();
        assert_eq!(kinds, [Secret, Secret, Variable]);
        // Sealed again, it is another blob.
        system.delete_level(At::Path(stage.acme, &at)).unwrap();
        stage.write("shop/dev", stage.text("shop/api").unwrap().as_str());
        let again = system.blobs(At::Path(stage.acme, &at)).unwrap().levels.pop().unwrap().content.unwrap();
        assert_ne!(again, blob);
    }

    fn secrets_are_sealed_and_variables_can_be_queried(stage: &Stage) {
        stage.shop();
        stage.write("shop", "# ioenv: variable\nPORT=public-8080\nKEY=planted\n");
        let stored = stage.dump("level");
        assert!(stored.contains("public-8080") && !stage.dump("").contains("planted"));
    }

    fn entries_come_change_and_go(stage: &Stage) {
        stage.shop();
        let (system, at) = (stage.system(), path("shop/dev"));
        let created = system.create_entries(At::Path(stage.acme, &at), &[entry("B", "1"), entry("A", "1")]).unwrap();
        assert_eq!((created.created, created.existing), (names(["B", "A"]), names([])));
        let created = system.create_entries(At::Path(stage.acme, &at), &[entry("A", "2"), entry("C", "2")]).unwrap();
        assert_eq!((created.created, created.existing), (names(["C"]), names(["A"])));
        let set = system.set_entries(At::Path(stage.acme, &at), &[entry("D", "3"), entry("A", "3")]).unwrap();
        assert_eq!((set.created, set.updated), (names(["D"]), names(["A"])));
        assert_eq!(stage.text("shop/dev").as_deref(), Some("B=1\nA=3\nC=2\nD=3\n"));

        let updated = system.update_entries(At::Path(stage.acme, &at), &[rename("A", "B"), rename("B", "A"), rename("X", "Y")]).unwrap();
        assert_eq!((updated.updated, updated.not_found), (names(["A", "B"]), names(["X"])));
        assert_eq!(stage.text("shop/dev").as_deref(), Some("A=1\nB=3\nC=2\nD=3\n"));
        system.update_entries(At::Path(stage.acme, &at), &[rename("C", "E"), rename("D", "C")]).unwrap();
        assert_eq!(stage.text("shop/dev").as_deref(), Some("A=1\nB=3\nE=2\nC=3\n"));

        assert_eq!(refused(system.update_entries(At::Path(stage.acme, &at), &[rename("A", "B")])), Conflict);
        assert_eq!(refused(system.update_entries(At::Path(stage.acme, &at), &[rename("A", "A")])), InvalidValue);
        assert_eq!(refused(system.update_entries(At::Path(stage.acme, &at), &[EntryUpdate::new(name("A"))])), InvalidValue);
        assert_eq!(refused(system.update_entries(At::Path(stage.acme, &at), &[rename("A", "Z"), rename("B", "Z")])), InvalidName);
        assert_eq!(refused(system.update_entries(At::Path(stage.acme, &at), &[])), InvalidValue);
        assert_eq!(refused(system.set_entries(At::Path(stage.acme, &at), &[])), InvalidValue);
        assert_eq!(refused(system.set_entries(At::Path(stage.acme, &at), &[entry("A", "1"), entry("A", "2")])), InvalidName);
        assert_eq!(refused(system.create_entries(At::Path(stage.acme, &at), &[entry("A", "1"), entry("A", "2")])), InvalidName);
        assert_eq!(refused(system.delete_entries(At::Path(stage.acme, &at), &[])), InvalidValue);
        assert_eq!(refused(system.set_entries(At::Path(stage.acme, &at), &[entry("A", "\0")])), InvalidValue);
        assert_eq!(stage.text("shop/dev").as_deref(), Some("A=1\nB=3\nE=2\nC=3\n"));
        assert_eq!(system.delete_all_entries(At::Path(stage.acme, &at)).unwrap(), 4);
        assert_eq!(system.delete_all_entries(At::Path(stage.acme, &at)).unwrap(), 0);
        assert_eq!(stage.text("shop/dev").as_deref(), Some(""));
    }

    fn what_is_known_of_an_entry(stage: &Stage) {
        stage.shop();
        let (system, at) = (stage.system(), path("shop/dev"));
        let begin = stage.now();
        let one = |key: &str| {
            let all = system.entry_metadata(At::Path(stage.acme, &at)).unwrap();
            all.into_iter().find(|one| one.name == name(key)).unwrap()
        };
        system.create_entries(At::Path(stage.acme, &at), &[entry("A", "1").comment("first"), entry("B", "")]).unwrap();
        let a = one("A");
        assert_eq!((a.version, a.created_at, a.updated_at, a.last_accessed_at), (1, begin, begin, None));
        assert_eq!((a.has_value, one("B").has_value, a.comment.as_deref()), (true, false, Some("first")));
        stage.pass(SECOND);
        system.set_entries(At::Path(stage.acme, &at), &[entry("A", "1")]).unwrap();
        assert_eq!(one("A"), a, "nothing changed");
        system.set_entries(At::Path(stage.acme, &at), &[entry("A", "2")]).unwrap();
        let changed = one("A");
        assert_eq!((changed.version, changed.created_at, changed.updated_at), (2, begin, stage.now()));
        assert_eq!(changed.comment.as_deref(), Some("first"), "it is kept");
        assert_eq!(one("B").version, 1);
        system.set_entries(At::Path(stage.acme, &at), &[entry("A", "2").comment("")]).unwrap();
        assert_eq!((one("A").version, one("A").comment), (3, None));
        system.update_entries(At::Path(stage.acme, &at), &[rename("A", "Z")]).unwrap();
        assert_eq!((one("Z").version, one("Z").created_at), (4, begin));
        system.set_entries(At::Path(stage.acme, &at), &[entry("Z", "2").kind(Variable)]).unwrap();
        assert_eq!((one("Z").version, one("Z").kind), (5, Variable));
        stage.write("shop/dev", "B=\nZ=9\n");
        assert_eq!((one("Z").version, one("B").version), (6, 1));

        // Served values are noted, to the minute.
        let (served, which) = (stage.now(), names(["Z"]));
        system.entries(At::Path(stage.acme, &at), EntryScope::Named(&which)).unwrap();
        assert_eq!((one("Z").last_accessed_at, one("B").last_accessed_at), (Some(served), None));
        stage.pass(MINUTE - 1);
        system.entries(At::Path(stage.acme, &at), EntryScope::Named(&which)).unwrap();
        assert_eq!(one("Z").last_accessed_at, Some(served));
        stage.pass(1);
        system.read_level(At::Path(stage.acme, &at), LevelScope::Chain).unwrap().resolve();
        assert_eq!([one("Z"), one("B")].map(|one| one.last_accessed_at), [Some(stage.now()); 2]);
        // Another entry of the name was never read.
        system.delete_entries(At::Path(stage.acme, &at), &which).unwrap();
        stage.pass(SECOND);
        system.create_entries(At::Path(stage.acme, &at), &[entry("Z", "new")]).unwrap();
        assert_eq!((one("Z").last_accessed_at, one("Z").version), (None, 1));
    }

    fn search(stage: &Stage) {
        stage.shop();
        stage.write("shop", "A=1\nB=2\n");
        stage.write("shop/api/prod", "A=2\n");
        stage.write("shop/dev", "C=2\n");
        let key = LevelKey::generate(&SystemRandom).unwrap();
        stage.system().set_blob(At::Path(stage.acme, &path("shop/api")), &NewBlob::new(seal(&key, "A=1\n"))).unwrap();
        let search = |session: &ioenv::vault::Session<'_>, what: &Search| -> Vec<String> {
            let found = session.search_entries(At::Path(stage.acme, &path("shop")), what).unwrap();
            found.iter().map(|one| format!("{} {}={}", one.path, one.name, one.value.expose_secret())).collect()
        };
        assert_eq!(search(&stage.system(), &Search::Name(name("A"))), ["shop A=1", "shop/api/prod A=2"]);
        assert_eq!(search(&stage.system(), &Search::Value("2".into())), ["shop B=2", "shop/api/prod A=2", "shop/dev C=2"]);
        assert!(search(&stage.system(), &Search::Value("".into())).is_empty());
        let bound = stage.session(ioenv::vault::PermissionSet::ALL, Some("shop/api/prod"));
        assert_eq!(search(&bound, &Search::Value("2".into())), ["shop/api/prod A=2"]);
    }

    fn a_blob_that_holds_no_document_is_kept(stage: &Stage) {
        stage.shop();
        let (system, at) = (stage.system(), path("shop"));
        let foreign = seal(&LevelKey::generate(&SystemRandom).unwrap(), "A=1\n");
        stage.write("shop", "Z=1\n");
        system.set_blob(At::Path(stage.acme, &at), &NewBlob::new(foreign.clone())).unwrap();
        let stored = system.blobs(At::Path(stage.acme, &at)).unwrap().levels.pop().unwrap();
        assert_eq!(stored.content, Some(foreign));
        assert_eq!(refused(system.read_level(At::Path(stage.acme, &at), LevelScope::Own)), DecryptionFailed);
        assert_eq!(refused(system.read_level(At::Path(stage.acme, &path("shop/dev")), LevelScope::Chain)), DecryptionFailed);
        assert_eq!(refused(system.set_entries(At::Path(stage.acme, &at), &[entry("A", "1")])), DecryptionFailed);
        // What stands below can be written, and it can itself be written anew.
        system.set_entries(At::Path(stage.acme, &path("shop/dev")), &[entry("A", "1")]).unwrap();
        assert_eq!(system.changes(At::Path(stage.acme, &at), &Paging::new()).unwrap().items.len(), 2);
        stage.write("shop", "");
        assert_eq!(stage.text("shop").as_deref(), Some(""));
        stage.write("shop", "B=2\n");
        assert_eq!(stage.resolved("shop/dev"), "A=1 B=2");
    }

    fn a_client_managed_project_is_not_opened(stage: &Stage) {
        let key = client_managed(stage);
        let (system, at) = (stage.system(), path("shop/dev"));
        let blob = seal(&key, "A=1\n");
        let proof = KeyProof::of(&key).to_text();
        let wrong = KeyProof::of(&LevelKey::generate(&SystemRandom).unwrap()).to_text();
        let before = stage.records("");
        let set = |new: &NewBlob| system.set_blob(At::Path(stage.acme, &at), new);
        assert_eq!(refused(set(&NewBlob::new(blob.clone()))), KeyProofRequired);
        assert_eq!(refused(set(&NewBlob::new(blob.clone()).key_proof(""))), KeyProofRequired);
        for bad in [wrong.expose_secret(), "x", &proof.expose_secret()[..43]] {
            assert_eq!(refused(set(&NewBlob::new(blob.clone()).key_proof(bad))), KeyProofMismatch);
        }
        assert_eq!(stage.records(""), before, "nothing was stored");
        set(&NewBlob::new(blob.clone()).key_proof(proof.clone())).unwrap();
        let blobs = system.blobs(At::Path(stage.acme, &at)).unwrap();
        assert_eq!((blobs.custody, blobs.levels[1].content.as_ref()), (Custody::Client, Some(&blob)));
        // What somebody else has written meanwhile is not lost.
        let next = NewBlob::new(seal(&key, "A=2\n")).key_proof(proof.clone());
        let before = stage.records("");
        assert_eq!(refused(set(&next.clone().replaces_nothing())), Conflict);
        assert_eq!(refused(set(&next.clone().replaces(seal(&key, "A=1\n")))), Conflict);
        assert_eq!(stage.records(""), before, "nothing was stored");
        set(&next.replaces(blob.clone())).unwrap();
        let before = stage.records("");
        assert_eq!(refused(system.set_document(At::Path(stage.acme, &at), &Document::parse("A=1\n").unwrap())), ClientManaged);
        assert_eq!(refused(system.read_level(At::Path(stage.acme, &at), LevelScope::Own)), ClientManaged);
        assert_eq!(refused(system.read_level(At::Path(stage.acme, &at), LevelScope::Chain)), ClientManaged);
        assert_eq!(refused(system.opened_blobs(At::Path(stage.acme, &at))), ClientManaged);
        assert_eq!(refused(system.changes(At::Path(stage.acme, &at), &Paging::new())), ClientManaged);
        for level in [&at, &path("shop")] {
            assert_eq!(refused(system.entries(At::Path(stage.acme, level), EntryScope::Own)), ClientManaged);
            assert_eq!(refused(system.entry_metadata(At::Path(stage.acme, level))), ClientManaged);
            assert_eq!(refused(system.set_entries(At::Path(stage.acme, level), &[entry("A", "1")])), ClientManaged);
            assert_eq!(refused(system.create_entries(At::Path(stage.acme, level), &[entry("A", "1")])), ClientManaged);
            assert_eq!(refused(system.update_entries(At::Path(stage.acme, level), &[rename("A", "B")])), ClientManaged);
            assert_eq!(refused(system.delete_entries(At::Path(stage.acme, level), &names(["A"]))), ClientManaged);
            assert_eq!(refused(system.delete_all_entries(At::Path(stage.acme, level))), ClientManaged);
        }
        assert_eq!(refused(system.search_entries(At::Path(stage.acme, &path("shop")), &Search::Name(name("A")))), ClientManaged);
        assert_eq!(stage.records(""), before);
    }

    fn limits(stage: &Stage) {
        let key = client_managed(stage);
        stage.with_base("own");
        let (system, at) = (stage.system(), path("own/dev"));
        system.set_entries(At::Path(stage.acme, &at), &[entry("A", &"x".repeat(64 * 1024))]).unwrap();
        let above = "x".repeat(64 * 1024 + 1);
        assert_eq!(refused(system.set_entries(At::Path(stage.acme, &at), &[entry("B", &above)])), Limit);
        assert_eq!(refused(system.create_entries(At::Path(stage.acme, &at), &[entry("B", &above)])), Limit);
        // One MiB of base64 holds 768 KiB, of which 28 bytes are not text.
        let proof = KeyProof::of(&key).to_text();
        let set = |blob: SealedBlob| system.set_blob(At::Path(stage.acme, &path("shop")), &NewBlob::new(blob).key_proof(proof.clone()));
        let blob = |length: usize| seal(&key, &"x".repeat(length));
        let most = blob(MAX_BLOB_BYTES / 4 * 3 - 28);
        assert_eq!(most.to_string().len(), MAX_BLOB_BYTES);
        set(most).unwrap();
        assert_eq!(refused(set(blob(MAX_BLOB_BYTES / 4 * 3 - 27))), Limit);
        let many: Vec<_> = (0..12).map(|number| entry(&format!("K{number}"), &"x".repeat(64 * 1024))).collect();
        assert_eq!(refused(system.set_entries(At::Path(stage.acme, &path("own/prod")), &many)), Limit);
        assert_eq!(stage.text("own/prod"), None);
        system.set_entries(At::Path(stage.acme, &path("own/prod")), &many[..11]).unwrap();
    }

    fn what_changes_nothing_leaves_nothing_but_a_record(stage: &Stage) {
        stage.shop();
        let (system, at) = (stage.system(), path("shop/dev"));
        stage.write("shop/dev", "A=1\n");
        let (revision, before) = (stage.revision("shop/dev"), stage.records("level"));
        let versions = stage.records("version");
        stage.pass(SECOND);
        system.set_entries(At::Path(stage.acme, &at), &[entry("A", "1")]).unwrap();
        stage.write("shop/dev", "A=1\n");
        assert_eq!((stage.revision("shop/dev"), stage.records("level"), stage.records("version")), (revision, before, versions));
    }
}
