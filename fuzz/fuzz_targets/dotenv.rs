//! What dotenv text says is what it says after being written, comments and references included.
#![no_main]

use ioenv::{Dialect, Document, Entry, Expansion, Kind, Layer, SecretString, merge};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let Ok(document) = Document::parse(text) else {
        return;
    };
    let written = document.to_text();
    let again = Document::parse(written.expose_secret()).expect("what was written can be read");
    assert!(document.entries().iter().map(everything).eq(again.entries().iter().map(everything)));
    assert!(document.entries().iter().zip(again.entries()).all(|(one, other)| one.has_same_value(other)));
    let mut set = document.clone();
    for entry in document.entries() {
        set.set(entry.name().clone(), entry.value().clone()).expect("it is the value that is there");
    }
    assert_eq!(set.to_text().expose_secret(), written.expose_secret());
    assert!(again.duplicates().is_empty());
    assert_eq!(again.to_text().expose_secret(), written.expose_secret());
    for dialect in [Dialect::Ioenv, Dialect::DotenvCloud, Dialect::Stashbase] {
        let expanded = expansion(dialect, document.clone());
        let length = expanded.iter().flatten().map(String::len).max();
        assert!(length.is_none_or(|length| length <= 1 << 20));
        assert_eq!(expanded, expansion(dialect, again.clone()));
    }

    // For other programs: all values, none of the rest, names ascending.
    let export = document.to_export();
    let exported = Document::parse(export.expose_secret()).expect("what was exported can be read");
    assert!(exported.entries().is_sorted_by_key(Entry::name));
    assert_eq!(exported.len(), document.len());
    for entry in exported.entries() {
        let original = document.get(entry.name().as_str()).expect("nothing was made up");
        assert_eq!(entry.value().expose_secret(), original.value().expose_secret());
        assert_eq!((entry.kind(), entry.comment()), (Kind::Secret, None));
    }
    assert_eq!(exported.to_export().expose_secret(), export.expose_secret());
    let all_shell = document.entries().iter().all(|entry| entry.name().is_shell_name());
    assert_eq!(document.to_shell().is_ok(), all_shell);
});

fn everything(entry: &Entry) -> (&str, &str, Kind, Option<String>) {
    (entry.name().as_str(), entry.value().expose_secret(), entry.kind(), entry.comment())
}

/// The values after expansion, or the text of the error.
fn expansion(dialect: Dialect, document: Document) -> Result<Vec<String>, String> {
    let project = "p".parse().expect("`p` is a path");
    let mut resolved = merge(vec![Layer::new(project, document)]);
    let process = |name: &str| (name == "A").then(|| SecretString::from("${B:-$C}"));
    Expansion::new(dialect).process(&process).apply(&mut resolved).map_err(|error| error.to_string())?;
    Ok(resolved.iter().map(|variable| variable.value().expose_secret().to_owned()).collect())
}
