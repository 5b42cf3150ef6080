//! A `$` that stands for itself does so in every way in which an entry is written, moved and read.

use ioenv::vault::{At, EntryScope, EntryUpdate, NewEntry, NewEnvironment, Paging, Restore};
use ioenv::{Dialect, Document, Expansion, Kind, Layer, merge};
use proptest::prelude::*;

use super::stage::{SECOND, Stage, entry, name, path};

/// A part of a value between double quotes: `$` as it is may begin a reference, `\$` is literal.
fn piece() -> impl Strategy<Value = &'static str> {
    let dollars = ["$", "\\$", "${N0}", "\\${N0}", "$$", "\\$$", "$\\${N1}"];
    let others = ["{", "}", "N0", "'", "\\\"", "\\\\", "#", " ", "\n", "\\r", "é"];
    prop_oneof![2 => prop::sample::select(dollars.to_vec()), 1 => prop::sample::select(others.to_vec())]
}

fn documents() -> impl Strategy<Value = Document> {
    let value = prop::collection::vec(piece(), 0..8).prop_map(|pieces| pieces.concat());
    prop::collection::vec(value, 1..6).prop_map(|values| {
        let line = |(number, value)| format!("N{number}=\"{value}\"\n");
        let text: String = (0..).zip(values).map(line).collect();
        Document::parse(&text).unwrap()
    })
}

/// The level says the same as the document, whatever else is said about the entries.
#[track_caller]
fn assert_same(stage: &Stage, at: &str, expected: &Document, how: &str) {
    let stored = Document::parse(&stage.text(at).unwrap()).unwrap();
    let names = |document: &Document| -> Vec<String> {
        document.entries().iter().map(|entry| entry.name().to_string()).collect()
    };
    assert_eq!(names(&stored), names(expected), "{how}");
    for (stored, expected) in stored.entries().iter().zip(expected.entries()) {
        assert!(stored.has_same_value(expected), "{how}: {}", stage.text(at).unwrap());
    }
    let expanded = |document: &Document| {
        let mut resolved = merge(vec![Layer::new(path(at), document.clone())]);
        Expansion::new(Dialect::Ioenv).apply(&mut resolved).ok()?;
        Some(resolved.iter().map(|one| one.value().expose_secret().to_owned()).collect::<Vec<_>>())
    };
    assert_eq!(expanded(&stored), expanded(expected), "{how}");
}

fn of(document: &Document) -> Vec<NewEntry> {
    document.entries().iter().map(NewEntry::from).collect()
}

/// Every way to write entries that does not give a value, or gives the one that is there.
fn keeps(stage: &Stage, document: &Document) {
    let system = stage.system();
    let dev = path("shop/dev");
    let at = At::Path(stage.acme, &dev);
    system.set_entries(at, &of(document)).unwrap();
    assert_same(stage, "shop/dev", document, "set");

    let plain = |entry: &ioenv::Entry| NewEntry::new(entry.name().clone(), entry.value().clone());
    let again: Vec<NewEntry> = document.entries().iter().map(plain).collect();
    system.set_entries(at, &again).unwrap();
    for one in &again {
        let unconditional = ioenv::vault::EntryPrecondition::new();
        system.set_entry(at, one, Kind::Variable, &unconditional).unwrap();
    }
    system.create_entries(at, &again).unwrap();
    assert_same(stage, "shop/dev", document, "the same values again");

    let update = |entry: &ioenv::Entry| EntryUpdate::new(entry.name().clone()).value(entry.value().clone());
    let updates: Vec<EntryUpdate> =
        document.entries().iter().map(|entry| update(entry).kind(Kind::Variable).comment("about")).collect();
    system.update_entries(at, &updates).unwrap();
    assert_same(stage, "shop/dev", document, "kind and comment");

    let there: Vec<String> = document.entries().iter().map(|entry| entry.name().to_string()).collect();
    let rename = |from: &str, to: &str| EntryUpdate::new(name(from)).new_name(name(to));
    let away: Vec<EntryUpdate> = there.iter().map(|name| rename(name, &format!("{name}_"))).collect();
    let back: Vec<EntryUpdate> = there.iter().map(|name| rename(&format!("{name}_"), name)).collect();
    system.update_entries(at, &away).unwrap();
    system.update_entries(at, &back).unwrap();
    assert_same(stage, "shop/dev", document, "renamed");

    // What was read entry by entry says the same, and can be copied.
    let read = system.entries(at, EntryScope::Own).unwrap().entries;
    for (read, entry) in read.iter().zip(document.entries()) {
        assert_eq!(read.is_literal, entry.is_literal());
    }
    let copies: Vec<NewEntry> = read.iter().map(NewEntry::from).collect();
    system.set_entries(At::Path(stage.acme, &path("shop/api/prod")), &copies).unwrap();
    assert_same(stage, "shop/api/prod", document, "read and copied");
    let new = NewEnvironment::new("copy").entries(of(document));
    system.create_environment(At::Path(stage.acme, &path("shop")), &new).unwrap();
    assert_same(stage, "shop/copy", document, "a new environment");

    // Displaced and brought back.
    stage.pass(SECOND);
    let others: Vec<NewEntry> = there.iter().map(|name| entry(name, "other")).collect();
    system.set_entries(at, &others).unwrap();
    let versions = system.versions(at, &Paging::new()).unwrap().items;
    system.restore_version(stage.acme, versions[0].id, &Restore::new()).unwrap();
    assert_same(stage, "shop/dev", document, "restored");
    system.set_entries(at, &others).unwrap();
    let changes = system.changes(at, &Paging::new()).unwrap().items;
    system.roll_back(at, changes[1].id).unwrap();
    assert_same(stage, "shop/dev", document, "rolled back");
    system.delete_level(at).unwrap();
    let versions = system.versions(at, &Paging::new()).unwrap().items;
    system.restore_version(stage.acme, versions[0].id, &Restore::new()).unwrap();
    assert_same(stage, "shop/dev", document, "deleted and restored");

    // Only another meaning of a `$` is a change too.
    let other = Document::parse(&document.to_text().expose_secret().replace("\\$", "$")).unwrap();
    system.set_document(at, &other).unwrap();
    assert_same(stage, "shop/dev", &other, "another meaning");
    system.set_document(at, document).unwrap();
    assert_same(stage, "shop/dev", document, "its meaning again");
}

/// A dump and its application to an empty vault.
#[cfg(feature = "sealed")]
fn is_declared(document: &Document) {
    let (stage, other) = (Stage::memory(), Stage::memory());
    stage.shop();
    let variables: Vec<NewEntry> = of(document).into_iter().map(|entry| entry.kind(Kind::Variable)).collect();
    stage.system().set_entries(At::Path(stage.acme, &path("shop/api/prod")), &variables).unwrap();
    let dump = stage.system().dump(Some(stage.acme)).unwrap();
    other.system().delete_organization(other.acme).unwrap();
    let mut other = other;
    other.acme = stage.acme;
    for round in 0..2 {
        let mut steps = Vec::new();
        let report = &mut |step| {
            steps.push(step);
            Ok(())
        };
        other
            .system()
            .apply(&ioenv::vault::Declaration::parse(dump.to_text().expose_secret()).unwrap(), report)
            .unwrap();
        let unchanged = ioenv::vault::StepAction::Unchanged;
        assert!(round == 0 || steps.iter().all(|step| step.action == unchanged), "{steps:?}");
    }
    assert_same(&other, "shop/api/prod", document, "dumped and applied");
}

on_every_store! {
    fn a_literal_dollar_stays_literal(stage: &Stage) {
        stage.shop();
        let text = "A='p${N}w'\nB=\"\\$5 ${N}\"\nC=${N}\nD='it costs $5'\nE=plain\nN=\"\\$N $\"\n";
        keeps(stage, &Document::parse(text).unwrap());
    }

    fn a_value_that_is_given_anew_may_refer_to_others(stage: &Stage) {
        stage.shop();
        stage.write("shop/dev", "A='p${N}w'\nB='p${N}w'\nC=${N}\n");
        let (system, dev) = (stage.system(), path("shop/dev"));
        let at = At::Path(stage.acme, &dev);
        system.set_entries(at, &[entry("A", "q${N}w"), entry("C", "${N}").literal()]).unwrap();
        system.update_entries(at, &[EntryUpdate::new(name("B")).value("q${N}w")]).unwrap();
        assert_eq!(stage.text("shop/dev").unwrap(), "A=\"q${N}w\"\nB=\"q${N}w\"\nC='${N}'\n");
        let changes = system.changes(at, &Paging::new()).unwrap().items;
        assert_eq!(changes.len(), 3, "what a `$` means is a part of the value");
    }

    fn only_another_meaning_is_a_change_too(stage: &Stage) {
        stage.shop();
        stage.write("shop/dev", "A=${N}\n");
        let (system, dev) = (stage.system(), path("shop/dev"));
        let at = At::Path(stage.acme, &dev);
        let before = stage.revision("shop/dev");
        system.set_entries(at, &[entry("A", "${N}").literal()]).unwrap();
        assert_eq!(stage.text("shop/dev").unwrap(), "A='${N}'\n");
        assert!(stage.revision("shop/dev") > before);
        assert_eq!(system.changes(at, &Paging::new()).unwrap().items.len(), 2);
        assert_eq!(system.entry_metadata(at).unwrap()[0].version, 2);
        let referring = Document::parse("A=${N}\n").unwrap();
        system.set_entries(at, &of(&referring)).unwrap();
        assert_same(stage, "shop/dev", &referring, "refers again");
    }

    fn an_override_with_the_inherited_value_keeps_its_meaning(stage: &Stage) {
        stage.shop();
        stage.write("shop", "A='p${N}w'\nB='p${N}w'\n");
        stage.write("shop/api", "B=\"${N}\"\n");
        let prod = path("shop/api/prod");
        let both = [entry("A", "p${N}w").kind(Kind::Secret), entry("B", "p${N}w").kind(Kind::Secret)];
        stage.system().set_entries(At::Path(stage.acme, &prod), &both).unwrap();
        assert_eq!(stage.text("shop/api/prod").unwrap(), "A='p${N}w'\nB=\"p${N}w\"\n", "the nearest level counts");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_dollar_keeps_its_meaning(document in documents()) {
        let stage = Stage::memory();
        stage.shop();
        keeps(&stage, &document);
        #[cfg(feature = "sealed")]
        is_declared(&document);
    }
}
