//! Each change of a level can be looked at, and undone up to any of them.

use ioenv::ErrorKind::{ClientManaged, Denied, NotFound, VersionLocked};
use ioenv::dotenv_cloud::KeyProof;
use ioenv::vault::Permission::{
    AuditRead, SecretDecrypt, SecretDelete, SecretHistory, SecretRead, SecretRestore, SecretWrite,
};
use ioenv::vault::{
    At, Change, EntryScope, EntryUpdate, Grantee, HistoryPolicy, LevelScope, NewBlob, NewKey, NewProject,
    OrganizationUpdate, Paging, PermissionSet, Restore, Session, UserId, VersionAction,
};
use ioenv::{Aes256Gcm, Cipher as _, Document, Kind, LevelKey, SystemRandom};

use super::stage::{DAY, Stage, entry, name, names, path, refused};

fn changes(stage: &Stage) -> Vec<Change> {
    stage.system().changes(At::Path(stage.acme, &path("shop")), &Paging::new()).unwrap().items
}

/// `old=value>new=value`, with `-` for what is not there and nothing for a value that is not told.
fn spelled(change: &Change) -> String {
    let side = |name: &Option<ioenv::VarName>, value: &Option<ioenv::SecretString>| match (name, value) {
        (Some(name), Some(value)) => format!("{name}={}", value.expose_secret()),
        (Some(name), None) => name.to_string(),
        (None, None) => "-".to_owned(),
        (None, Some(_)) => panic!("a value without a name"),
    };
    let all: Vec<String> = change
        .entries
        .iter()
        .map(|one| format!("{}>{}", side(&one.old_name, &one.old_value), side(&one.new_name, &one.new_value)))
        .collect();
    all.join(" ")
}

fn spelled_all(stage: &Stage) -> Vec<String> {
    changes(stage).iter().map(spelled).collect()
}

fn roll_back(stage: &Stage, change: u64) -> Option<u64> {
    stage.system().roll_back(At::Path(stage.acme, &path("shop")), change).unwrap()
}

/// All that is stored beside the audit log.
fn stored(stage: &Stage) -> Vec<(String, serde_json::Value)> {
    stage.records("").into_iter().filter(|(key, _)| !key.starts_with("audit")).collect()
}

on_every_store! {
    fn a_comment_alone_is_a_change(stage: &Stage) {
        stage.shop();
        let system = stage.system();
        system.set_entries(At::Path(stage.acme, &path("shop")), &[entry("A", "1")]).unwrap();
        system.set_entries(At::Path(stage.acme, &path("shop")), &[entry("A", "1").comment("why")]).unwrap();
        system.set_entries(At::Path(stage.acme, &path("shop")), &[entry("A", "1").kind(Kind::Variable)]).unwrap();
        assert_eq!(spelled_all(stage), ["A=1>A=1", "A=1>A=1", "->A=1"]);
    }

    fn one_change_is_read_by_its_id(stage: &Stage) {
        stage.shop();
        let (system, at) = (stage.system(), path("shop"));
        let worker = stage.session(PermissionSet::ALL, None);
        worker.set_entries(At::Path(stage.acme, &at), &[entry("A", "1"), entry("B", "2")]).unwrap();
        stage.pass(DAY);
        let rename = EntryUpdate::new(name("A")).new_name(name("C"));
        system.update_entries(At::Path(stage.acme, &at), &[rename]).unwrap();
        system.delete_level(At::Path(stage.acme, &at)).unwrap();
        stage.write("shop", "Z=9\n");
        let all = changes(stage);
        assert_eq!(all.iter().map(spelled).collect::<Vec<_>>(), ["->Z=9", "C=1>- B=2>-", "A=1>C=1", "->A=1 ->B=2"]);
        for change in &all {
            let one = system.change(At::Path(stage.acme, &at), change.id).unwrap();
            assert_eq!((one.id, one.at, &one.by, spelled(&one)), (change.id, change.at, &change.by, spelled(change)));
        }
        assert_eq!((all[3].by.name.as_deref(), all[2].by.name.as_deref()), (Some("worker"), Some("test")));
        assert_eq!(all[2].at.since(all[3].at).as_secs(), 24 * 60 * 60);
        for unknown in [0, 1, all[0].id + 1, all[0].id + (1 << 32), u64::MAX] {
            assert_eq!(refused(system.change(At::Path(stage.acme, &at), unknown)), NotFound, "{unknown}");
        }
        assert_eq!(refused(system.change(At::Path(stage.acme, &path("shop/dev")), all[0].id)), NotFound, "of another level");
        // One by one, the pages are the same.
        let (mut paging, mut paged) = (Paging::new().limit(1), Vec::new());
        loop {
            let page = system.changes(At::Path(stage.acme, &at), &paging).unwrap();
            paged.extend(page.items.iter().map(|change| change.id));
            let Some(next) = page.next else { break };
            paging = paging.after(next);
        }
        assert_eq!(paged, all.iter().map(|change| change.id).collect::<Vec<_>>());
    }

    fn values_are_for_those_who_may_read_them(stage: &Stage) {
        stage.shop();
        stage.write("shop", "A=planted-1\n");
        stage.write("shop", "A=planted-2\n");
        for (permissions, is_told) in [
            (PermissionSet::of(&[SecretHistory]), false),
            (PermissionSet::of(&[SecretHistory, SecretRead]), false),
            (PermissionSet::of(&[SecretHistory, SecretDecrypt]), false),
            (PermissionSet::of(&[SecretHistory, SecretRead, SecretDecrypt]), true),
        ] {
            let session = stage.session(permissions, Some("shop"));
            let listed = session.changes(At::Path(stage.acme, &path("shop")), &Paging::new()).unwrap().items;
            let one = session.change(At::Path(stage.acme, &path("shop")), listed[0].id).unwrap();
            let expected = if is_told { "A=planted-1>A=planted-2" } else { "A>A" };
            assert_eq!((spelled(&listed[0]).as_str(), spelled(&one).as_str()), (expected, expected), "{permissions}");
            assert!(!format!("{listed:?} {one:?}").contains("planted"));
        }
        let without = stage.session(PermissionSet::of(&[SecretRead, SecretDecrypt]), Some("shop"));
        assert_eq!(refused(without.changes(At::Path(stage.acme, &path("shop")), &Paging::new())), Denied);
        assert!(!stage.dump("audit/").contains("planted"));
    }

    fn back_to_any_change_and_forth(stage: &Stage) {
        stage.shop();
        let states = ["A=1\n", "# c\n# ioenv: variable\nB=2\nA=1\n", "", "Z=9\n"];
        for state in states {
            stage.write("shop", state);
        }
        stage.system().delete_level(At::Path(stage.acme, &path("shop"))).unwrap();
        let made: Vec<u64> = changes(stage).iter().rev().map(|change| change.id).collect();
        assert_eq!(made.len(), 5, "the deletion is the last one");
        for (change, state) in made.iter().zip(states) {
            let before = changes(stage).len();
            let id = roll_back(stage, *change).expect("another state");
            assert_eq!(stage.text("shop").as_deref(), Some(state));
            let all = changes(stage);
            assert_eq!((all.len(), all[0].id), (before + 1, id), "it is a change of its own");
        }
        roll_back(stage, made[4]).unwrap();
        assert!(stage.system().read_level(At::Path(stage.acme, &path("shop")), LevelScope::Own).unwrap().into_document().unwrap().is_empty());
        // And back to one of those that were changes by a roll-back.
        let there = changes(stage)[1].id;
        roll_back(stage, there).unwrap();
        assert_eq!(stage.text("shop").as_deref(), Some("Z=9\n"));
        let versions = stage.system().versions(At::Path(stage.acme, &path("shop")), &Paging::new()).unwrap().items;
        assert_eq!(versions[0].action, VersionAction::Restore);
        let logged = stage.logged(|| assert!(roll_back(stage, made[0]).is_some()));
        assert_eq!(logged.len(), 1);
        assert_eq!(logged[0].details.operation(), Some("rollback"));
        assert_eq!(serde_json::to_value(&logged[0].details).unwrap()["change"], made[0]);
    }

    fn entries_that_come_back_are_the_ones_they_were(stage: &Stage) {
        stage.shop();
        let (system, at) = (stage.system(), path("shop"));
        system.set_entries(At::Path(stage.acme, &at), &[entry("A", "1"), entry("B", "2")]).unwrap();
        let created = system.entry_metadata(At::Path(stage.acme, &at)).unwrap()[0].created_at;
        let first = changes(stage)[0].id;
        stage.pass(DAY);
        let rename = EntryUpdate::new(name("A")).new_name(name("C"));
        system.update_entries(At::Path(stage.acme, &at), &[rename]).unwrap();
        roll_back(stage, first).unwrap();
        assert_eq!(spelled_all(stage)[0], "C=1>A=1");
        let metadata = system.entry_metadata(At::Path(stage.acme, &at)).unwrap();
        assert_eq!((metadata[0].name.as_str(), metadata[0].version, metadata[0].created_at), ("A", 3, created));
    }

    fn back_to_what_is_there_is_nothing(stage: &Stage) {
        stage.shop();
        for text in ["A=1\n", "A=2\n", "A=1\n"] {
            stage.write("shop", text);
        }
        let all = changes(stage);
        let before = stage.records("");
        for change in [&all[0], &all[2]] {
            assert_eq!(roll_back(stage, change.id), None);
        }
        assert_eq!(stage.records(""), before, "no content, no version, no record");
        let emptied = {
            stage.system().delete_level(At::Path(stage.acme, &path("shop"))).unwrap();
            changes(stage)[0].id
        };
        let before = stage.records("");
        assert_eq!(roll_back(stage, emptied), None);
        assert_eq!(stage.records(""), before);
    }

    fn what_removes_entries_takes_the_right_to_delete(stage: &Stage) {
        stage.shop();
        stage.write("shop", "A=1\n");
        stage.write("shop", "A=2\n");
        stage.write("shop", "A=2\nB=1\n");
        let ids: Vec<u64> = changes(stage).iter().map(|change| change.id).collect();
        let editor = stage.session(SecretRestore.into(), Some("shop"));
        let before = stored_without_tokens(stage);
        assert_eq!(refused(editor.roll_back(At::Path(stage.acme, &path("shop")), ids[2])), Denied);
        assert_eq!(stored_without_tokens(stage), before);
        let admin = stage.session(PermissionSet::of(&[SecretRestore, SecretDelete]), Some("shop"));
        assert!(admin.roll_back(At::Path(stage.acme, &path("shop")), ids[2]).unwrap().is_some());
        // What removes nothing does not take it, and neither does what was there before.
        assert!(editor.roll_back(At::Path(stage.acme, &path("shop")), ids[0]).unwrap().is_some());
        assert_eq!(stage.text("shop").as_deref(), Some("A=2\nB=1\n"));
        editor.restore_version(stage.acme, ids[2], &Restore::new()).unwrap();
        assert_eq!(stage.text("shop").as_deref(), Some("A=1\n"));
    }

    fn too_old_is_locked(stage: &Stage) {
        stage.shop();
        for text in ["A=1\n", "A=2\n"] {
            stage.write("shop", text);
        }
        let ids: Vec<u64> = changes(stage).iter().map(|change| change.id).collect();
        let update = OrganizationUpdate::new().version_retention_days(30);
        stage.system().update_organization(stage.acme, &update).unwrap();
        stage.pass(30 * DAY + 1);
        for id in &ids {
            assert_eq!(refused(stage.system().change(At::Path(stage.acme, &path("shop")), *id)), VersionLocked);
        }
        assert_eq!(refused(stage.system().roll_back(At::Path(stage.acme, &path("shop")), ids[1])), VersionLocked);
        assert_eq!(roll_back(stage, ids[0]), None, "that is what it holds");
    }

    fn under_former_keys_and_sealed_by_others(stage: &Stage) {
        stage.shop();
        let (system, at) = (stage.system(), path("shop"));
        stage.write("shop", "A=1\n");
        let first = changes(stage)[0].id;
        system.rotate_key(At::Path(stage.acme, &path("shop")), HistoryPolicy::Keep).unwrap();
        assert_eq!(spelled_all(stage), ["->A=1"], "the same under another key is no change");
        assert_eq!(roll_back(stage, first), None, "nor another state");
        let key = LevelKey::generate(&SystemRandom).unwrap();
        let blob = Aes256Gcm.seal(&key, b"not for the vault", &SystemRandom).unwrap();
        system.set_blob(At::Path(stage.acme, &at), &NewBlob::new(blob.clone())).unwrap();
        let theirs = changes(stage)[0].id;
        roll_back(stage, first).unwrap();
        assert_eq!(stage.text("shop").as_deref(), Some("A=1\n"));
        roll_back(stage, theirs).unwrap();
        assert_eq!(system.blobs(At::Path(stage.acme, &at)).unwrap().levels[0].content, Some(blob));

        let mut client = NewProject::new("client");
        let proof = KeyProof::of(&key).to_text();
        client = client.key(NewKey::Client { derivation: None, proof, hint: None });
        system.create_project(stage.acme, &client).unwrap();
        assert_eq!(refused(system.change(At::Path(stage.acme, &path("client")), first)), ClientManaged);
        assert_eq!(refused(system.roll_back(At::Path(stage.acme, &path("client")), first)), ClientManaged);
    }

    fn what_changes_nothing_is_no_change(stage: &Stage) {
        stage.shop();
        let (system, at) = (stage.system(), path("shop"));
        stage.write("shop", "# about\nA=1\nB=2\n");
        let before = stored(stage);
        system.set_entries(At::Path(stage.acme, &at), &[entry("B", "2"), entry("A", "1")]).unwrap();
        system.set_entries(At::Path(stage.acme, &at), &[entry("A", "1").comment("about").kind(Kind::Secret)]).unwrap();
        assert_eq!(system.create_entries(At::Path(stage.acme, &at), &[entry("A", "9")]).unwrap().existing, names(["A"]));
        let same = EntryUpdate::new(name("A")).value("1").kind(Kind::Secret).comment("about");
        let gone = EntryUpdate::new(name("GONE")).value("1");
        system.update_entries(At::Path(stage.acme, &at), &[same, gone]).unwrap();
        system.delete_entries(At::Path(stage.acme, &at), &names(["GONE"])).unwrap();
        stage.write("shop", "# about\nA=1\nB=2\n");
        // What an import does: it reads a document, and sets it.
        let text = stage.text("shop").unwrap();
        system.set_document(At::Path(stage.acme, &at), &Document::parse(&text).unwrap()).unwrap();
        assert_eq!(stored_levels(stored(stage)), stored_levels(before));
        system.entries(At::Path(stage.acme, &at), EntryScope::Resolved).unwrap();

        // Another order is another text, which is kept, but no change of any entry.
        let reordered = stage.revision("shop");
        stage.write("shop", "B=2\n# about\nA=1\n");
        assert_eq!(stage.text("shop").as_deref(), Some("B=2\n# about\nA=1\n"));
        assert_eq!(changes(stage).len(), 1);
        assert!(stage.revision("shop") > reordered);
        let unordered = stage.system().versions(At::Path(stage.acme, &at), &Paging::new()).unwrap().items[0].id;
        assert_eq!(changes(stage)[0].id, unordered);

        // Nothing is there to be deleted.
        system.delete_all_entries(At::Path(stage.acme, &path("shop/dev"))).unwrap();
        system.delete_level(At::Path(stage.acme, &path("shop/dev"))).unwrap();
        assert!(system.changes(At::Path(stage.acme, &path("shop/dev")), &Paging::new()).unwrap().items.is_empty());
    }

    fn users_see_and_roll_back_as_their_roles_say(stage: &Stage) {
        stage.shop();
        let at = path("shop/dev");
        for text in ["A=planted\n", "A=planted\nB=2\n"] {
            stage.write("shop/dev", text);
        }
        let both = stage.system().changes(At::Path(stage.acme, &at), &Paging::new()).unwrap().items;
        let auditor = stage.member("auditor@x", "auditor".parse().unwrap());
        let member = |email: &str, role: &str| {
            let user = stage.member(email, "member".parse().unwrap());
            stage.grant("shop/dev", Grantee::User(user), role);
            user
        };
        let (viewer, editor, admin) = (member("v@x", "viewer"), member("e@x", "editor"), member("a@x", "admin"));

        let seen = stage.user(auditor).changes(At::Path(stage.acme, &at), &Paging::new()).unwrap().items;
        assert_eq!(seen.iter().map(|change| change.id).collect::<Vec<_>>(), [both[0].id, both[1].id]);
        assert!(seen.iter().all(|change| change.entries.iter().all(|entry| entry.new_value.is_none())));
        assert_eq!(seen[1].entries[0].new_name, Some(name("A")));
        let one = stage.user(auditor).change(At::Path(stage.acme, &at), both[1].id).unwrap();
        assert!(one.entries[0].new_value.is_none());
        let one = stage.user(viewer).change(At::Path(stage.acme, &at), both[1].id).unwrap();
        assert_eq!(one.entries[0].new_value.as_ref().unwrap().expose_secret(), "planted");

        // Back to where B was not there is to remove it.
        let back = |user: UserId| stage.user(user).roll_back(At::Path(stage.acme, &at), both[1].id);
        assert_eq!(refused(back(viewer)), Denied);
        assert_eq!(refused(back(editor)), Denied);
        assert_eq!(stage.text("shop/dev").as_deref(), Some("A=planted\nB=2\n"));
        back(admin).unwrap().unwrap();
        let forth = stage.user(editor).roll_back(At::Path(stage.acme, &at), both[0].id).unwrap();
        assert!(forth.is_some(), "which removes nothing");
        assert_eq!(stage.text("shop/dev").as_deref(), Some("A=planted\nB=2\n"));
        assert_eq!(stage.user(editor).roll_back(At::Path(stage.acme, &at), both[0].id).unwrap(), None);
    }

    fn who_cannot_read_a_secret_does_not_make_it_a_variable(stage: &Stage) {
        // What a variable was is in the audit log.
        stage.shop();
        let at = path("shop/dev");
        stage.write("shop/dev", "A=planted\nB=planted\n");
        let to_variable = |key: &str, value: Option<&str>| {
            value.into_iter().fold(EntryUpdate::new(name(key)).kind(Kind::Variable), EntryUpdate::value)
        };
        let writer = stage.session(PermissionSet::of(&[SecretWrite, SecretDelete, AuditRead]), None);
        let update = |session: &Session<'_>, update| session.update_entries(At::Path(stage.acme, &at), &[update]).map(drop);
        assert_eq!(refused(update(&writer, to_variable("A", None))), Denied);
        assert_eq!(refused(update(&writer, to_variable("A", Some("planted")))), Denied);
        let renamed = to_variable("A", None).new_name(name("C"));
        assert_eq!(refused(update(&writer, renamed)), Denied);
        // What it writes itself it knows, but not what others set after it.
        assert_eq!(refused(update(&writer, to_variable("A", Some("other")))), Denied);
        writer.delete_entries(At::Path(stage.acme, &at), &names(["A", "B"])).unwrap();
        let log = format!("{:?}", writer.audit(stage.acme, &ioenv::vault::AuditFilter::new(), &Paging::new()).unwrap());
        assert!(!log.contains("planted"), "{log}");
        stage.write("shop/dev", "A=planted\n");
        let reader = stage.session(PermissionSet::of(&[SecretWrite, SecretRead, SecretDecrypt]), None);
        update(&reader, to_variable("A", None)).unwrap();
    }

    fn no_way_back_goes_around_the_right_to_delete(stage: &Stage) {
        stage.shop();
        let at = path("shop/dev");
        for text in ["A=1\n", "A=1\nB=2\n", "A=1\nB=2\nC=3\n"] {
            stage.write("shop/dev", text);
        }
        let versions = || stage.system().versions(At::Path(stage.acme, &at), &Paging::new()).unwrap().items;
        let user = |email: &str, role: &str| {
            let user = stage.member(email, "member".parse().unwrap());
            stage.grant("shop/dev", Grantee::User(user), role);
            user
        };
        let (editor, admin) = (user("e@x", "editor"), user("a@x", "admin"));
        let first = versions()[1].id;
        let restore = |user: UserId, id: u64| stage.user(user).restore_version(stage.acme, id, &Restore::new());
        assert_eq!(refused(restore(editor, first)), Denied);
        assert_eq!(stage.text("shop/dev").as_deref(), Some("A=1\nB=2\nC=3\n"));
        restore(admin, first).unwrap();
        assert_eq!(stage.text("shop/dev").as_deref(), Some("A=1\n"));
        restore(editor, versions()[0].id).unwrap();
        assert_eq!(stage.text("shop/dev").as_deref(), Some("A=1\nB=2\nC=3\n"), "which removes nothing");
        // A blob takes the place of all there is.
        let blob = Aes256Gcm.seal(&LevelKey::generate(&SystemRandom).unwrap(), b"X=1\n", &SystemRandom).unwrap();
        let set = |user: UserId| stage.user(user).set_blob(At::Path(stage.acme, &at), &NewBlob::new(blob.clone()));
        assert_eq!(refused(set(editor)), Denied);
        set(admin).unwrap();
        // What is in a blob of others is not known here, so it may be removed.
        assert_eq!(refused(restore(editor, first)), Denied);
        stage.system().delete_level(At::Path(stage.acme, &at)).unwrap();
        restore(editor, first).unwrap();
        // A token has the permissions that its service gives it.
        stage.write("shop/dev", "A=1\nB=2\n");
        let token = stage.session(SecretRestore.into(), None);
        token.restore_version(stage.acme, first, &Restore::new()).unwrap();
        assert_eq!(stage.text("shop/dev").as_deref(), Some("A=1\n"));
    }
}

/// Without what is noted of reads.
fn stored_levels(stored: Vec<(String, serde_json::Value)>) -> Vec<(String, serde_json::Value)> {
    let of_levels = ["content/", "version/", "counter/", "floor/"];
    stored.into_iter().filter(|(key, _)| of_levels.iter().any(|prefix| key.starts_with(prefix))).collect()
}

fn stored_without_tokens(stage: &Stage) -> Vec<(String, serde_json::Value)> {
    stored(stage).into_iter().filter(|(key, _)| !key.starts_with("token")).collect()
}
