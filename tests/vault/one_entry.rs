//! Entries that are set and deleted one by one, perhaps only if nobody was faster.

use ioenv::ErrorKind::{Conflict, InvalidValue, NotFound};
use ioenv::Kind::{Secret, Variable};
use ioenv::vault::{At, LevelScope};

use super::stage::{SECOND, Stage, entry, name, path, refused};

on_every_store! {
    fn setting_tells_kind_and_time_and_nothing_else(stage: &Stage) {
        stage.with_base("shop");
        let (system, at) = (stage.system(), path("shop/dev"));
        let set = |key: &str, value: &str| system.set_entry(At::Path(stage.acme, &at), &entry(key, value), Variable, None).unwrap();
        system.set_entries(At::Path(stage.acme, &path("shop")), &[entry("ABOVE", "1").kind(Secret)]).unwrap();
        assert_eq!([set("ABOVE", "2").kind, set("NEW", "2").kind], [Secret, Variable]);
        let first = stage.now();
        stage.pass(SECOND);
        assert_eq!(set("NEW", "2").updated_at, first, "it is as it was");
        assert_eq!(set("NEW", "3").updated_at, stage.now());
        let kind = |kind| system.set_entry(At::Path(stage.acme, &at), &entry("NEW", "3").kind(kind), Secret, None).unwrap().kind;
        assert_eq!([kind(Secret), kind(Variable)], [Secret, Variable]);
        // What somebody else has written is told alike.
        stage.write("shop/dev", "# ioenv: variable\nNEW=3\nOTHER=1\n");
        let written = stage.now();
        stage.pass(SECOND);
        assert_eq!((set("OTHER", "1").kind, set("OTHER", "1").updated_at), (Secret, written));
        assert_eq!(refused(system.set_entry(At::Path(stage.acme, &at), &entry("NEW", "a\0b"), Variable, None)), InvalidValue);
        assert_eq!(refused(system.set_entry(At::Path(stage.acme, &path("shop/none")), &entry("A", ""), Variable, None)), NotFound);
    }

    fn deleting_tells_whether_it_was_there(stage: &Stage) {
        stage.with_base("shop");
        stage.write("shop", "A=base\n");
        stage.write("shop/dev", "A=own\n");
        let (system, at) = (stage.system(), path("shop/dev"));
        assert!(system.delete_entry(At::Path(stage.acme, &at), &name("A"), None).unwrap());
        let records = stage.logged(|| assert!(!system.delete_entry(At::Path(stage.acme, &at), &name("A"), None).unwrap()));
        assert_eq!((stage.resolved("shop/dev").as_str(), records.len()), ("A=base", 0));
    }

    fn whoever_has_not_seen_the_last_change_is_refused(stage: &Stage) {
        stage.with_base("shop");
        let (system, at) = (stage.system(), path("shop/dev"));
        let set = |value: &str, revisions: Option<&[u64]>| {
            system.set_entry(At::Path(stage.acme, &at), &entry("A", value), Variable, revisions).map(drop)
        };
        let seen = stage.revision("shop/dev");
        set("1", Some(&[seen])).unwrap();
        let records = stage.logged(|| {
            assert_eq!(refused(set("2", Some(&[seen]))), Conflict);
            assert_eq!(refused(set("2", Some(&[]))), Conflict);
            assert_eq!(refused(system.delete_entry(At::Path(stage.acme, &at), &name("A"), Some(&[seen]))), Conflict);
        });
        assert_eq!((stage.resolved("shop/dev").as_str(), records.len()), ("A=1", 0));
        set("2", Some(&[seen, stage.revision("shop/dev")])).unwrap();
        // What is inherited counts, too.
        let seen = stage.revision("shop/dev");
        stage.write("shop", "B=1\n");
        assert_eq!(refused(set("3", Some(&[seen]))), Conflict);
        assert!(system.delete_entry(At::Path(stage.acme, &at), &name("A"), Some(&[stage.revision("shop/dev")])).unwrap());
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
