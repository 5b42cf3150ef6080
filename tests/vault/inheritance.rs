//! What a level inherits, and the counter that tells when that changed.

use std::collections::HashMap;
use std::sync::Arc;

use ioenv::ErrorKind::{Limit, NotFound};
use ioenv::Kind::{Secret, Variable};
use ioenv::vault::{
    Actor, At, Confirmation, EntryScope, LevelScope, NewEntry, Paging, PurgeScope, Restore, VaultOptions,
};
use ioenv::{Document, Kind};
use proptest::prelude::*;

use super::counting::Counting;
use super::stage::{Stage, entry, name, names, path, refused};

type Side = Option<(&'static str, Kind)>;

on_every_store! {
    /// Others wait to write meanwhile, so what is above is opened once and not for each entry.
    fn many_entries_take_their_kinds_from_above(stage: &Stage) {
        stage.shop();
        let (system, at) = (stage.system(), path("shop/dev"));
        let text: Vec<String> = (0..2000).map(|n| format!("# ioenv: variable\nN{n}=1\n")).collect();
        stage.write("shop", &text.concat());
        let new: Vec<_> = (0..2000).map(|n| entry(&format!("N{n}"), "2")).collect();
        let store = Arc::new(Counting::all(Arc::clone(&stage.store)));
        let vault = VaultOptions::new(&stage.root).clock(stage.clock.clone()).open(Arc::clone(&store)).unwrap();
        let session = vault.session(Actor::system("test"));
        let set = |new: &[NewEntry]| drop(session.set_entries(At::Path(stage.acme, &at), new).unwrap());
        let create = |new: &[NewEntry]| drop(session.create_entries(At::Path(stage.acme, &at), new).unwrap());
        // The first of each also finds keys that are cached from then on.
        let costs = [(0..1, 1000..1001), (1..2, 1001..1002), (2..1000, 1002..2000)]
            .map(|(to_set, to_create)| [store.reads(|| set(&new[to_set])), store.reads(|| create(&new[to_create]))]);
        assert_eq!(costs[2], costs[1], "{costs:?}: 998 entries as one");
        let entries = system.entries(At::Path(stage.acme, &at), EntryScope::Own).unwrap().entries;
        assert!(entries.len() == 2000 && entries.iter().all(|entry| entry.metadata.kind == Variable));
    }

    fn a_level_whose_names_change_all_the_time_can_be_written(stage: &Stage) {
        stage.shop();
        let (system, at) = (stage.system(), path("shop/dev"));
        let document = |prefix: &str, count: usize| {
            let text: Vec<String> = (0..count).map(|n| format!("{prefix}{n}=1\n")).collect();
            Document::parse(&text.concat()).unwrap()
        };
        let mut revision = 0;
        for prefix in ["A", "B", "C", "D"] {
            system.set_document(At::Path(stage.acme, &path("shop")), &document(prefix, 2_000)).unwrap();
            let now = system.entries(At::Path(stage.acme, &at), EntryScope::Resolved).unwrap().revision;
            assert!(now > revision, "{prefix}");
            revision = now;
        }
        let longest = stage.records("content").values().map(|record| record.to_string().len()).max();
        assert!(longest < Some(190_000), "{longest:?}");
        let error = system.set_document(At::Path(stage.acme, &at), &document("A", 60_000)).unwrap_err();
        assert_eq!(error.kind(), Limit);
        assert!(error.to_string().contains("spread them over more levels"), "{error}");
    }

    fn the_truth_table(stage: &Stage) {
        stage.with_base("shop");
        let (base, own): (Side, Side) = (Some(("base", Variable)), Some(("own", Variable)));
        let rows: [(Side, Side, Side, bool); 8] = [
            (None, None, None, false),
            (base, None, base, true),
            (None, own, own, false),
            (base, own, own, false),
            (base, Some(("", Variable)), Some(("", Variable)), false),
            (Some(("base", Secret)), own, own, false),
            (base, Some(("own", Secret)), Some(("own", Secret)), false),
            (Some(("base", Secret)), None, Some(("base", Secret)), true),
        ];
        let system = stage.system();
        for (base, own, expected, is_inherited) in rows {
            for (at, side) in [("shop/_base", base), ("shop/dev", own)] {
                system.delete_entries(At::Path(stage.acme, &path(at)), &names(["K"])).unwrap();
                if let Some((value, kind)) = side {
                    system.set_entries(At::Path(stage.acme, &path(at)), &[entry("K", value).kind(kind)]).unwrap();
                }
            }
            let entries = system.entries(At::Path(stage.acme, &path("shop/dev")), EntryScope::Resolved).unwrap().entries;
            let got = entries.first().map(|one| (one.value.expose_secret().to_owned(), one.metadata.kind));
            assert_eq!(got, expected.map(|(value, kind)| (value.to_owned(), kind)), "{base:?} {own:?}");
            assert_eq!(entries.first().is_some_and(|one| one.inherited_from == Some(path("shop"))), is_inherited);
            // The other view says the same.
            let resolved = system.read_level(At::Path(stage.acme, &path("shop/dev")), LevelScope::Chain).unwrap().resolve();
            let got = resolved.get("K").map(|one| (one.value().expose_secret().to_owned(), one.kind()));
            assert_eq!(got, expected.map(|(value, kind)| (value.to_owned(), kind)));
            if let Some(one) = resolved.get("K") {
                let all_public = [base, own].into_iter().flatten().all(|(_, kind)| kind == Variable);
                assert_eq!(one.is_public(), all_public, "{base:?} {own:?}");
            }
            // `_base` is as it was, and inherits nothing.
            let at_base = system.entries(At::Path(stage.acme, &path("shop/_base")), EntryScope::Resolved).unwrap().entries;
            assert_eq!(at_base.first().map(|one| one.value.expose_secret()), base.map(|(value, _)| value));
        }
    }

    fn three_levels(stage: &Stage) {
        stage.shop();
        stage.write("shop", "A=p\nB=p\nC=p\n");
        stage.write("shop/api", "B=t\nC=t\nD=t\n");
        stage.write("shop/api/prod", "C=\nE=e\n");
        stage.write("shop/dev", "A=d\n");
        assert_eq!(stage.resolved("shop/api/prod"), "A=p B=t C= D=t E=e");
        assert_eq!(stage.resolved("shop/api"), "A=p B=t C=t D=t");
        assert_eq!(stage.resolved("shop"), "A=p B=p C=p");
        assert_eq!(stage.resolved("shop/dev"), "A=d B=p C=p");
        let entries = stage.system().entries(At::Path(stage.acme, &path("shop/api/prod")), EntryScope::Resolved).unwrap().entries;
        let from: Vec<String> = entries
            .iter()
            .map(|one| format!("{} {}", one.metadata.name, one.inherited_from.as_ref().map_or("own", |path| path.as_str())))
            .collect();
        assert_eq!(from, ["A shop", "B shop/api", "C own", "D shop/api", "E own"]);
        // An empty middle hides nothing.
        stage.system().delete_level(At::Path(stage.acme, &path("shop/api"))).unwrap();
        assert_eq!(stage.resolved("shop/api/prod"), "A=p B=p C= E=e");
    }

    fn deleting_uncovers(stage: &Stage) {
        stage.with_base("shop");
        stage.write("shop/_base", "A=base\nB=base\n");
        stage.write("shop/dev", "A=own\n");
        let system = stage.system();
        let deleted = system.delete_entries(At::Path(stage.acme, &path("shop/dev")), &names(["A", "B", "A"])).unwrap();
        assert_eq!((deleted.deleted, deleted.not_found), (names(["A"]), names(["B"])));
        assert_eq!(stage.resolved("shop/dev"), "A=base B=base");
        let again = system.delete_entries(At::Path(stage.acme, &path("shop/dev")), &names(["A"])).unwrap();
        assert_eq!((again.deleted, again.not_found), (names([]), names(["A"])));
        assert_eq!(stage.text("shop/_base").as_deref(), Some("A=base\nB=base\n"));
        // An override with the inherited value is one.
        system.set_entries(At::Path(stage.acme, &path("shop/dev")), &[entry("A", "base")]).unwrap();
        system.set_entries(At::Path(stage.acme, &path("shop/_base")), &[entry("A", "other")]).unwrap();
        assert_eq!(stage.resolved("shop/dev"), "A=base B=base");
        assert_eq!(refused(system.read_level(At::Path(stage.acme, &path("shop/none")), LevelScope::Chain)), NotFound);
    }

    fn kinds_are_inherited(stage: &Stage) {
        stage.shop();
        let system = stage.system();
        system.set_entries(At::Path(stage.acme, &path("shop")), &[entry("A", "1").kind(Variable)]).unwrap();
        system.set_entries(At::Path(stage.acme, &path("shop/api")), &[entry("B", "1").kind(Variable), entry("A", "2")]).unwrap();
        system.create_entries(At::Path(stage.acme, &path("shop/api/prod")), &[entry("A", "3"), entry("B", "3"), entry("C", "3")]).unwrap();
        let kinds: Vec<Kind> =
            system.entry_metadata(At::Path(stage.acme, &path("shop/api/prod"))).unwrap().iter().map(|one| one.kind).collect();
        assert_eq!(kinds, [Variable, Variable, Secret]);
        // What is there keeps its kind, whatever is above.
        system.set_entries(At::Path(stage.acme, &path("shop/api/prod")), &[entry("A", "4").kind(Secret)]).unwrap();
        system.set_entries(At::Path(stage.acme, &path("shop/api/prod")), &[entry("A", "5")]).unwrap();
        assert_eq!(system.entry_metadata(At::Path(stage.acme, &path("shop/api/prod"))).unwrap()[0].kind, Secret);
    }

    fn a_change_of_the_base_is_seen_where_it_is_inherited(stage: &Stage) {
        stage.with_base("shop");
        stage.write("shop/_base", "A=1\nB=1\n");
        stage.write("shop/dev", "A=own\n");
        let revisions = || ["shop/dev", "shop/prod"].map(|at| stage.revision(at));
        let before = revisions();
        stage.system().set_entries(At::Path(stage.acme, &path("shop/_base")), &[entry("A", "2")]).unwrap();
        let changed = revisions();
        assert_eq!(changed[0], before[0], "it overrides A");
        assert!(changed[1] > before[1]);
        stage.system().set_entries(At::Path(stage.acme, &path("shop/_base")), &[entry("A", "2")]).unwrap();
        assert_eq!(revisions(), changed, "nothing changed");
        stage.system().delete_entries(At::Path(stage.acme, &path("shop/_base")), &names(["B"])).unwrap();
        let deleted = revisions();
        assert!(deleted[0] > changed[0] && deleted[1] > changed[1]);
        stage.write("shop/staging", "X=1\n");
        assert_eq!(revisions(), deleted, "that is beside them");
    }

    fn a_revision_does_not_come_back_with_another_state(stage: &Stage) {
        stage.shop();
        stage.write("shop", "A=1\n");
        stage.write("shop/api", "X=1\n");
        stage.system().set_entries(At::Path(stage.acme, &path("shop")), &[entry("A", "2")]).unwrap();
        let with_both = stage.revision("shop/api/prod");
        stage.system().delete_level(At::Path(stage.acme, &path("shop/api"))).unwrap();
        assert!(stage.revision("shop/api/prod") > with_both);
    }
}

#[derive(Clone, Debug)]
enum Edit {
    Set(usize, &'static str, u8),
    Delete(usize, &'static str),
    Document(usize, u8),
    DeleteLevel(usize),
    Purge(usize),
    Restore(usize),
    PurgeVersions,
}

const LEVELS: [&str; 4] = ["shop", "shop/api", "shop/api/prod", "shop/dev"];

fn edits() -> impl Strategy<Value = Vec<Edit>> {
    let level = 0..LEVELS.len();
    let key = prop_oneof![Just("A"), Just("B"), Just("C")];
    let edit = prop_oneof![
        6 => (level.clone(), key.clone(), 0..3_u8).prop_map(|(at, key, value)| Edit::Set(at, key, value)),
        3 => (level.clone(), key).prop_map(|(at, key)| Edit::Delete(at, key)),
        2 => (level.clone(), 0..8_u8).prop_map(|(at, bits)| Edit::Document(at, bits)),
        1 => level.clone().prop_map(Edit::DeleteLevel),
        1 => level.clone().prop_map(Edit::Purge),
        2 => level.prop_map(Edit::Restore),
        1 => Just(Edit::PurgeVersions),
    ];
    proptest::collection::vec(edit, 1..25)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_revision_stands_for_two_states(edits in edits()) {
        let stage = Stage::memory();
        stage.shop();
        let system = stage.system();
        let mut seen: HashMap<(&str, u64), String> = HashMap::new();
        for edit in &edits {
            match *edit {
                Edit::Set(at, key, value) => {
                    system.set_entries(At::Path(stage.acme, &path(LEVELS[at])), &[entry(key, &value.to_string())]).map(drop)
                }
                Edit::Delete(at, key) => {
                    system.delete_entries(At::Path(stage.acme, &path(LEVELS[at])), &[name(key)]).map(drop)
                }
                Edit::Document(at, bits) => {
                    let keys = ["A", "B", "C"].iter().enumerate().filter(|(bit, _)| bits & (1 << bit) != 0);
                    let lines: Vec<String> = keys.map(|(_, key)| format!("{key}={bits}\n")).collect();
                    let text = lines.concat();
                    system.set_document(At::Path(stage.acme, &path(LEVELS[at])), &Document::parse(&text).unwrap())
                }
                Edit::DeleteLevel(at) => system.delete_level(At::Path(stage.acme, &path(LEVELS[at]))),
                Edit::Purge(at) => system.purge_level(At::Path(stage.acme, &path(LEVELS[at])), Confirmation::Given),
                Edit::Restore(at) => {
                    let versions = system.versions(At::Path(stage.acme, &path(LEVELS[at])), &Paging::new()).unwrap().items;
                    let oldest = versions.last().map(|version| version.id);
                    oldest.map_or(Ok(()), |id| system.restore_version(stage.acme, id, &Restore::new()).map(drop))
                }
                Edit::PurgeVersions => {
                    system.purge_versions(At::Path(stage.acme, &path("shop")), PurgeScope::Project, Confirmation::Given).map(drop)
                }
            }
            .unwrap();
            for at in LEVELS {
                let state = stage.resolved(at);
                let known = seen.entry((at, stage.revision(at))).or_insert_with(|| state.clone());
                prop_assert_eq!(&*known, &state, "{} after {:?}", at, edit);
            }
        }
    }
}
