//! Every write keeps what was there, and any of it can come back.

use ioenv::ErrorKind::{InvalidValue, NotFound, Unconfirmed, VersionLocked, VersionProtected};
use ioenv::vault::{
    At, ChangedEntry, Confirmation, EntryUpdate, LevelScope, NewBlob, NewOrganization, NewProject, OrganizationUpdate,
    Paging, PermissionSet, ProjectUpdate, PurgeScope, Refusal, Restore, Version, VersionAction,
};
use ioenv::{Aes256Gcm, Cipher as _, LevelKey, SystemRandom};

use super::stage::{DAY, SECOND, Stage, entry, name, names, path, refused};

fn versions(stage: &Stage, at: &str) -> Vec<Version> {
    stage.system().versions(At::Path(stage.acme, &path(at)), &Paging::new().limit(200)).unwrap().items
}

fn restore(stage: &Stage, id: u64) {
    stage.system().restore_version(stage.acme, id, &Restore::new()).unwrap();
}

fn spelled(entries: &[ChangedEntry]) -> String {
    let side = |name: &Option<ioenv::VarName>, value: &Option<ioenv::SecretString>| {
        name.as_ref()
            .zip(value.as_ref())
            .map_or_else(|| "-".to_owned(), |(name, value)| format!("{name}={}", value.expose_secret()))
    };
    let all: Vec<String> = entries
        .iter()
        .map(|one| format!("{}>{}", side(&one.old_name, &one.old_value), side(&one.new_name, &one.new_value)))
        .collect();
    all.join(" ")
}

fn changes(stage: &Stage, at: &str) -> Vec<String> {
    let changes = stage.system().changes(At::Path(stage.acme, &path(at)), &Paging::new()).unwrap().items;
    changes.iter().map(|change| spelled(&change.entries)).collect()
}

fn retain(stage: &Stage, days: u32) {
    let update = OrganizationUpdate::new().version_retention_days(days);
    stage.system().update_organization(stage.acme, &update).unwrap();
}

on_every_store! {
    fn each_write_keeps_what_was_there(stage: &Stage) {
        stage.shop();
        stage.write("shop", "A=1\n");
        assert!(versions(stage, "shop").is_empty(), "nothing was displaced");
        for number in 2..=7 {
            stage.pass(SECOND);
            stage.write("shop", &format!("A={number}\n"));
        }
        stage.write("shop/dev", "B=1\n");
        let all = versions(stage, "shop");
        assert_eq!(all.len(), 6);
        assert!(all.windows(2).all(|pair| pair[0].id > pair[1].id && pair[0].created_at > pair[1].created_at));
        assert!(all.iter().all(|version| version.action == VersionAction::Update && version.id >> 32 == 1));
        assert_eq!(all[5].id, (1 << 32) + 1);
        assert_eq!(all[0].path, path("shop"));
        assert_eq!(all[0].created_by.name.as_deref(), Some("test"));

        let mut paging = Paging::new().limit(4);
        let mut paged = Vec::new();
        loop {
            let page = stage.system().versions(At::Path(stage.acme, &path("shop")), &paging).unwrap();
            paged.extend(page.items.iter().map(|version| version.id));
            let Some(next) = page.next else { break };
            assert_eq!(page.items.len(), 4);
            paging = paging.after(next);
        }
        assert_eq!(paged, all.iter().map(|version| version.id).collect::<Vec<_>>());
        let nowhere = Paging::new().limit(2).after("x");
        assert_eq!(refused(stage.system().versions(At::Path(stage.acme, &path("shop")), &nowhere)), InvalidValue);

        let content = stage.system().version(stage.acme, all[0].id).unwrap();
        assert!(content.key.is_active && content.key.version == content.version.key_version);
        assert_eq!(content.content.to_string().len(), usize::try_from(content.version.bytes).unwrap());
        for unknown in [0, 1, all[0].id + 1, (2 << 32) + 1, u64::MAX] {
            assert_eq!(refused(stage.system().version(stage.acme, unknown)), NotFound, "{unknown}");
        }
    }

    fn ids_are_unique_in_the_organization(stage: &Stage) {
        stage.shop();
        stage.system().create_project(stage.acme, &NewProject::new("second")).unwrap();
        for at in ["shop", "second"] {
            stage.write(at, "A=1\n");
            stage.write(at, "A=2\n");
        }
        assert_eq!(versions(stage, "shop")[0].id, (1 << 32) + 1);
        assert_eq!(versions(stage, "second")[0].id, (2 << 32) + 1);
        // A number is not given away again.
        stage.system().delete_project(At::Path(stage.acme, &path("second"))).unwrap();
        stage.system().create_project(stage.acme, &NewProject::new("second")).unwrap();
        stage.write("second", "A=1\n");
        stage.write("second", "A=2\n");
        assert_eq!(versions(stage, "second")[0].id, (3 << 32) + 1);
        // Another organization has its own, and sees none of these.
        let other = stage.system().create_organization(&NewOrganization::new("Other")).unwrap().id;
        assert_eq!(refused(stage.system().version(other, (1 << 32) + 1)), NotFound);
    }

    fn back_to_any_state_and_forth(stage: &Stage) {
        stage.shop();
        let states = ["A=1\n", "# c\n# ioenv: variable\nB=2\nA=1\n", "", "Z=9\n"];
        for state in states {
            stage.write("shop", state);
        }
        let all = versions(stage, "shop");
        let kept = all.len();
        for (version, state) in all.iter().rev().zip(states) {
            restore(stage, version.id);
            assert_eq!(stage.text("shop").as_deref(), Some(state));
        }
        let now = versions(stage, "shop");
        assert_eq!(now.len(), kept + 3, "nothing was lost");
        assert_eq!(now[0].action, VersionAction::Restore);
        // The state before all of that is among them.
        restore(stage, now[2].id);
        assert_eq!(stage.text("shop").as_deref(), Some("Z=9\n"));
    }

    fn a_deleted_level_comes_back(stage: &Stage) {
        stage.shop();
        stage.write("shop", "A=1\n");
        stage.write("shop", "A=2\n");
        let system = stage.system();
        system.delete_level(At::Path(stage.acme, &path("shop"))).unwrap();
        assert_eq!(stage.text("shop"), None);
        let all = versions(stage, "shop");
        assert_eq!(all.iter().map(|version| version.action).collect::<Vec<_>>(), [VersionAction::Delete, VersionAction::Update]);
        system.delete_level(At::Path(stage.acme, &path("shop"))).unwrap();
        assert_eq!(versions(stage, "shop").len(), 2, "there was nothing to keep");
        assert_eq!(refused(system.delete_version(stage.acme, all[0].id, Confirmation::Missing)), VersionProtected);
        system.delete_version(stage.acme, all[1].id, Confirmation::Missing).unwrap();
        assert_eq!(refused(system.delete_version(stage.acme, all[0].id, Confirmation::Missing)), VersionProtected);
        restore(stage, all[0].id);
        assert_eq!(stage.text("shop").as_deref(), Some("A=2\n"));
        // Now it is not all there is.
        system.delete_version(stage.acme, all[0].id, Confirmation::Missing).unwrap();
        assert_eq!(refused(system.version(stage.acme, all[0].id)), NotFound);
        system.delete_level(At::Path(stage.acme, &path("shop"))).unwrap();
        let id = versions(stage, "shop")[0].id;
        system.delete_version(stage.acme, id, Confirmation::Given).unwrap();
        assert!(versions(stage, "shop").is_empty());
    }

    fn purging(stage: &Stage) {
        stage.shop();
        let system = stage.system();
        for at in ["shop", "shop/dev", "shop/api/prod"] {
            for value in 1..=3 {
                stage.write(at, &format!("A={value}\n"));
            }
        }
        let purge = |at: &str, scope, confirmation| system.purge_versions(At::Path(stage.acme, &path(at)), scope, confirmation);
        assert_eq!(refused(purge("shop", PurgeScope::Level, Confirmation::Missing)), Unconfirmed);
        assert_eq!(purge("shop/dev", PurgeScope::Level, Confirmation::Given).unwrap(), 2);
        assert_eq!((versions(stage, "shop/dev").len(), versions(stage, "shop").len()), (0, 2));
        let bound = stage.session(PermissionSet::ALL, Some("shop/api"));
        assert_eq!(refused(bound.purge_versions(At::Path(stage.acme, &path("shop/api/prod")), PurgeScope::Project, Confirmation::Given)), NotFound);
        assert_eq!(purge("shop/api/prod", PurgeScope::Project, Confirmation::Given).unwrap(), 4);
        assert_eq!(stage.text("shop/api/prod").as_deref(), Some("A=3\n"));
        assert_eq!(refused(system.purge_level(At::Path(stage.acme, &path("shop")), Confirmation::Missing)), Unconfirmed);
        stage.write("shop", "A=4\n");
        system.purge_level(At::Path(stage.acme, &path("shop")), Confirmation::Given).unwrap();
        assert_eq!((stage.text("shop"), versions(stage, "shop").len()), (None, 0));
        assert!(stage.records("version").is_empty());
    }

    fn too_old_is_locked_to_the_millisecond(stage: &Stage) {
        stage.shop();
        stage.write("shop", "A=1\n");
        stage.write("shop", "A=2\n");
        retain(stage, 30);
        let (id, displaced_at) = (versions(stage, "shop")[0].id, versions(stage, "shop")[0].created_at);
        let system = stage.system();
        stage.pass(30 * DAY);
        assert!(!versions(stage, "shop")[0].is_locked);
        system.version(stage.acme, id).unwrap();
        assert_eq!(changes(stage, "shop"), ["A=1>A=2", "->A=1"]);
        stage.pass(1);
        assert!(versions(stage, "shop")[0].is_locked);
        assert_eq!(refused(system.version(stage.acme, id)), VersionLocked);
        let locked = system.restore_version(stage.acme, id, &Restore::new()).unwrap_err();
        assert_eq!((locked.kind(), locked.refusal()), (VersionLocked, Some(Refusal::VersionLocked { days: 30, replaced_at: displaced_at })));
        assert!(changes(stage, "shop").is_empty(), "they would show what is locked");
        stage.write("shop", "A=3\n");
        assert_eq!(changes(stage, "shop"), ["A=2>A=3"]);
        retain(stage, 0);
        system.version(stage.acme, id).unwrap();
        retain(stage, 30);
        system.delete_version(stage.acme, id, Confirmation::Missing).unwrap();
    }

    fn changes_are_differences(stage: &Stage) {
        stage.shop();
        let system = stage.system();
        let at = path("shop");
        let rename = |from: &str, to: &str| {
            EntryUpdate::new(name(from)).new_name(name(to))
        };
        system.create_entries(At::Path(stage.acme, &at), &[entry("A", "1"), entry("B", "2")]).unwrap();
        system.update_entries(At::Path(stage.acme, &at), &[rename("A", "C")]).unwrap();
        system.update_entries(At::Path(stage.acme, &at), &[rename("B", "C"), rename("C", "B")]).unwrap();
        let both = rename("B", "D").value("4");
        system.update_entries(At::Path(stage.acme, &at), &[both]).unwrap();
        system.delete_entries(At::Path(stage.acme, &at), &names(["D"])).unwrap();
        let expected =
            ["D=4>-", "B=1>D=4", "C=1>B=1 B=2>C=2", "A=1>C=1", "->A=1 ->B=2"];
        assert_eq!(changes(stage, "shop"), expected);
        let mut paging = Paging::new().limit(2);
        let mut paged = Vec::new();
        loop {
            let page = system.changes(At::Path(stage.acme, &at), &paging).unwrap();
            paged.extend(page.items.iter().map(|change| spelled(&change.entries)));
            let Some(next) = page.next else { break };
            paging = paging.after(next);
        }
        assert_eq!(paged, expected);
        let oldest = versions(stage, "shop").last().unwrap().id;
        restore(stage, oldest);
        assert_eq!(changes(stage, "shop")[0], "->A=1 C=2>B=2");
    }

    fn versioning_can_be_off(stage: &Stage) {
        stage.shop();
        let mut update = ProjectUpdate::new().versioning(false);
        stage.write("shop", "A=1\n");
        stage.write("shop", "A=2\n");
        stage.system().update_project(At::Path(stage.acme, &path("shop")), &update).unwrap();
        stage.write("shop", "A=3\n");
        assert_eq!(versions(stage, "shop").len(), 1);
        update = update.versioning(true);
        stage.system().update_project(At::Path(stage.acme, &path("shop")), &update).unwrap();
        stage.write("shop", "A=4\n");
        assert_eq!(versions(stage, "shop").len(), 2);
    }

    fn no_version_where_none_is_wanted(stage: &Stage) {
        stage.shop();
        let key = LevelKey::generate(&SystemRandom).unwrap();
        let sealed = |text: &str| Aes256Gcm.seal(&key, text.as_bytes(), &SystemRandom).unwrap();
        let blob = |text: &str| NewBlob::new(sealed(text));
        let system = stage.system();
        system.set_blob(At::Path(stage.acme, &path("shop")), &blob("1")).unwrap();
        let second = sealed("2");
        system.set_blob(At::Path(stage.acme, &path("shop")), &NewBlob::new(second.clone()).backup(false)).unwrap();
        assert!(versions(stage, "shop").is_empty());
        system.set_blob(At::Path(stage.acme, &path("shop")), &blob("3")).unwrap();
        let kept = versions(stage, "shop");
        assert_eq!(kept.len(), 1);
        assert_eq!(system.version(stage.acme, kept[0].id).unwrap().content, second);
    }

    fn writers_do_not_lose_what_others_wrote(stage: &Stage) {
        stage.shop();
        std::thread::scope(|scope| {
            for writer in 0..4 {
                scope.spawn(move || {
                    for number in 0..5 {
                        let new = entry(&format!("K{writer}_{number}"), "1");
                        stage.system().set_entries(At::Path(stage.acme, &path("shop")), &[new]).unwrap();
                    }
                });
            }
        });
        assert_eq!(stage.system().read_level(At::Path(stage.acme, &path("shop")), LevelScope::Chain).unwrap().resolve().len(), 20);
        let all = versions(stage, "shop");
        assert!(all.windows(2).all(|pair| pair[0].id == pair[1].id + 1), "each write has a number of its own");
        assert_eq!(all.len(), 19);
        let log = stage.log();
        assert_eq!(log.iter().filter(|record| record.resource.key.is_some()).count(), 20);
    }
}
