//! Entries that are set and deleted one by one, perhaps only if nobody was faster.

use ioenv::ErrorKind::{Conflict, InvalidValue, NotFound};
use ioenv::Kind::{Secret, Variable};
use ioenv::vault::{At, EntryPrecondition, LevelScope};

use super::stage::{SECOND, Stage, entry, name, path, refused};

on_every_store! {
    fn setting_tells_kind_and_time_and_nothing_else(stage: &Stage) {
        stage.with_base("shop");
        let (system, at) = (stage.system(), path("shop/dev"));
        let set = |key: &str, value: &str| system.set_entry(At::Path(stage.acme, &at), &entry(key, value), Variable, &EntryPrecondition::new()).unwrap();
        system.set_entries(At::Path(stage.acme, &path("shop")), &[entry("ABOVE", "1").kind(Secret)]).unwrap();
        assert_eq!([set("ABOVE", "2").kind, set("NEW", "2").kind], [Secret, Variable]);
        let first = stage.now();
        stage.pass(SECOND);
        assert_eq!(set("NEW", "2").updated_at, first, "it is as it was");
        assert_eq!(set("NEW", "3").updated_at, stage.now());
        let kind = |kind| system.set_entry(At::Path(stage.acme, &at), &entry("NEW", "3").kind(kind), Secret, &EntryPrecondition::new()).unwrap().kind;
        assert_eq!([kind(Secret), kind(Variable)], [Secret, Variable]);
        // What somebody else has written is told alike.
        stage.write("shop/dev", "# ioenv: variable\nNEW=3\nOTHER=1\n");
        let written = stage.now();
        stage.pass(SECOND);
        assert_eq!((set("OTHER", "1").kind, set("OTHER", "1").updated_at), (Secret, written));
        assert_eq!(refused(system.set_entry(At::Path(stage.acme, &at), &entry("NEW", "a\0b"), Variable, &EntryPrecondition::new())), InvalidValue);
        assert_eq!(refused(system.set_entry(At::Path(stage.acme, &path("shop/none")), &entry("A", ""), Variable, &EntryPrecondition::new())), NotFound);
    }

    fn deleting_tells_whether_it_was_there(stage: &Stage) {
        stage.with_base("shop");
        stage.write("shop", "A=base\n");
        stage.write("shop/dev", "A=own\n");
        let (system, at) = (stage.system(), path("shop/dev"));
        assert!(system.delete_entry(At::Path(stage.acme, &at), &name("A"), &EntryPrecondition::new()).unwrap());
        let records = stage.logged(|| assert!(!system.delete_entry(At::Path(stage.acme, &at), &name("A"), &EntryPrecondition::new()).unwrap()));
        assert_eq!((stage.resolved("shop/dev").as_str(), records.len()), ("A=base", 0));
    }

    fn whoever_has_not_seen_the_last_change_is_refused(stage: &Stage) {
        stage.with_base("shop");
        let (system, at) = (stage.system(), path("shop/dev"));
        let set = |value: &str, revisions: EntryPrecondition| {
            system.set_entry(At::Path(stage.acme, &at), &entry("A", value), Variable, &revisions).map(drop)
        };
        let seen = stage.revision("shop/dev");
        set("1", EntryPrecondition::new().revisions([seen])).unwrap();
        let records = stage.logged(|| {
            assert_eq!(refused(set("2", EntryPrecondition::new().revisions([seen]))), Conflict);
            assert_eq!(refused(set("2", EntryPrecondition::new().revisions([]))), Conflict);
            assert_eq!(refused(system.delete_entry(At::Path(stage.acme, &at), &name("A"), &EntryPrecondition::new().revisions([seen]))), Conflict);
        });
        assert_eq!((stage.resolved("shop/dev").as_str(), records.len()), ("A=1", 0));
        set("2", EntryPrecondition::new().revisions([seen, stage.revision("shop/dev")])).unwrap();
        // What is inherited counts, too.
        let seen = stage.revision("shop/dev");
        stage.write("shop", "B=1\n");
        assert_eq!(refused(set("3", EntryPrecondition::new().revisions([seen]))), Conflict);
        assert!(system.delete_entry(At::Path(stage.acme, &at), &name("A"), &EntryPrecondition::new().revisions([stage.revision("shop/dev")])).unwrap());
    }

    fn what_must_be_new_or_there_is_looked_at_on_the_level_itself(stage: &Stage) {
        stage.with_base("shop");
        stage.write("shop", "BASE=1\n");
        stage.write("shop/dev", "OWN=1\n");
        let (system, at) = (stage.system(), path("shop/dev"));
        let [new, there] = [false, true].map(|is_there| EntryPrecondition::new().is_there(is_there));
        let set = |key: &str, precondition: &EntryPrecondition| {
            system.set_entry(At::Path(stage.acme, &at), &entry(key, "2"), Variable, precondition).map(drop)
        };
        let delete = |key: &str, precondition: &EntryPrecondition| {
            system.delete_entry(At::Path(stage.acme, &at), &name(key), precondition)
        };
        let other = EntryPrecondition::new().other_revisions([stage.revision("shop/dev")]);
        let both = EntryPrecondition::new().revisions([stage.revision("shop/dev")]).is_there(false);
        let records = stage.logged(|| {
            assert_eq!(refused(set("OWN", &new)), Conflict);
            assert_eq!(refused(set("NONE", &there)), Conflict);
            assert_eq!(refused(set("BASE", &there)), Conflict, "it is inherited");
            assert_eq!(refused(set("OWN", &other)), Conflict);
            assert_eq!(refused(delete("OWN", &new)), Conflict);
            assert!(!delete("NONE", &there).unwrap(), "that is reported");
            assert_eq!(refused(delete("OWN", &other)), Conflict);
            assert_eq!(refused(set("OWN", &both)), Conflict);
        });
        assert_eq!((stage.resolved("shop/dev").as_str(), records.len()), ("BASE=1 OWN=1", 0));
        set("NONE", &new).unwrap();
        set("BASE", &new).unwrap();
        set("OWN", &there).unwrap();
        set("OWN", &other).unwrap();
        assert!(delete("NONE", &there).unwrap() && !delete("NONE", &new).unwrap());
        assert_eq!(stage.resolved("shop/dev"), "BASE=2 OWN=2");
    }

    fn an_export_has_the_revision_of_what_it_says(stage: &Stage) {
        stage.with_base("shop");
        stage.write("shop", "A=1\n");
        stage.write("shop/dev", "B=2\n");
        let export = stage.system().read_level(At::Path(stage.acme, &path("shop/dev")), LevelScope::Chain).unwrap();
        assert_eq!(export.revision, stage.revision("shop/dev"));
        assert!(!format!("{export:?}").contains("=2"));
        assert_eq!(export.resolve().to_document().to_export().expose_secret(), "A=1\nB=2\n");
    }
}
