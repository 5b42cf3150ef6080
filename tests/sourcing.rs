//! Files that leave are read by shells: each value arrives as it is, and none runs a command.
#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::fs;
use std::path::Path;
use std::process::Command;

use ioenv::{Document, VarName};
use proptest::prelude::*;

const SHELLS: [&str; 3] = ["sh", "dash", "bash"];

/// Values as an attacker writes them. `RAN` is the file that a command in them would make.
const HOSTILE: &[&str] = &[
    "$(touch RAN)",
    "`touch RAN`",
    "${X:-$(touch RAN)}",
    "'$(touch RAN)'",
    "\"; touch RAN; \"",
    "'; touch RAN; '",
    "a'b\"$(touch RAN)`touch RAN`",
    "\\$(touch RAN)",
    "'\\\"$(touch RAN)",
    "it's \\`touch RAN\\`",
    "$((RAN))",
    "a\n$(touch RAN)\n'",
    "\r'$(touch RAN)",
    "\\\r'`touch RAN`",
    "x' \\\n touch RAN '",
    "~ * ? [a] {a,b} & | ; < > ( ) #",
    "!! !$ ^a^b",
];

fn name(at: usize) -> VarName {
    format!("V{at}").parse().unwrap()
}

/// Sources a file in each shell that is here, and compares the values; a CR between double quotes has no spelling that
/// shells know.
fn source(directory: &Path, text: &str, values: &[String]) {
    fs::write(directory.join("service.env"), text).unwrap();
    let mut is_tried = false;
    for shell in SHELLS {
        let names: Vec<String> = (0..values.len()).map(|at| format!("\"$V{at}\"")).collect();
        let script = format!("set -a; . ./service.env; printf '%s\\0' {}", names.join(" "));
        let Ok(output) = Command::new(shell).args(["-c", &script]).env("X", "").current_dir(directory).output() else {
            continue;
        };
        is_tried = true;
        assert!(output.status.success() && output.stderr.is_empty(), "{shell}: {output:?}\n{text}");
        assert!(!directory.join("RAN").exists(), "{shell} ran a command of\n{text}");
        let read = String::from_utf8(output.stdout).unwrap();
        for (value, read) in values.iter().zip(read.split_terminator('\0')) {
            if !value.contains('\r') {
                assert_eq!(value, read, "{shell}:\n{text}");
            }
        }
    }
    assert!(is_tried, "no shell is here");
}

fn exported(values: &[String]) -> String {
    let mut document = Document::new();
    for (at, value) in values.iter().enumerate() {
        document.set(name(at), value.as_str()).unwrap();
    }
    document.to_export().expose_secret().to_owned()
}

/// What the file integration writes, over a file that has lines of its own.
#[cfg(feature = "worker")]
fn synced(directory: &Path, values: &[String]) -> String {
    // What an older file has: the same value, where it could still be expanded; and a line of somebody else.
    let text = synced_over(directory, "# theirs\nMINE=\\$HOME\nexport V0=\"x\"\n", values);
    assert!(text.starts_with("# theirs\nMINE=\\$HOME\nexport V0="), "{text}");
    text
}

#[cfg(feature = "worker")]
fn synced_over(directory: &Path, before: &str, values: &[String]) -> String {
    use std::collections::BTreeMap;

    use ioenv::vault::{Desired, SyncPlace, SyncTarget as _};
    use ioenv::worker::EnvFiles;
    use ioenv::{Layer, merge};

    let mut document = Document::new();
    for (at, value) in values.iter().enumerate() {
        document.set(name(at), value.as_str()).unwrap();
    }
    let desired = Desired::new(&merge(vec![Layer::new("shop".parse().unwrap(), document)]));
    let (settings, credentials) = (BTreeMap::new(), "".into());
    let place = SyncPlace::new(&settings, &credentials, "synced.env");
    let target = EnvFiles::in_directory(directory);
    let file = directory.join("synced.env");
    fs::write(&file, before).unwrap();
    let plan = target.plan(&place, &desired).unwrap();
    let applied = target.apply(&place, &plan, &desired);
    assert!(applied.error.is_none(), "{applied:?}");
    assert!(target.plan(&place, &desired).unwrap().is_empty(), "what was written reads back as it is");
    fs::read_to_string(&file).unwrap()
}

fn check(values: &[String]) {
    let directory = tempfile::tempdir().unwrap();
    source(directory.path(), &exported(values), values);
    #[cfg(feature = "worker")]
    source(directory.path(), &synced(directory.path(), values), values);
}

#[test]
fn hostile_values_run_nothing() {
    check(&HOSTILE.iter().copied().map(str::to_owned).collect::<Vec<_>>());
    for value in HOSTILE {
        check(&[(*value).to_owned()]);
    }
}

#[cfg(feature = "worker")]
#[test]
fn a_value_that_a_shell_would_expand_is_written_again() {
    let directory = tempfile::tempdir().unwrap();
    let text = synced(directory.path(), &["$(touch RAN)".to_owned()]);
    assert_eq!(text, "# theirs\nMINE=\\$HOME\nexport V0='$(touch RAN)'\n");
}

/// The value is the wanted one, in a spelling that a shell runs.
#[cfg(feature = "worker")]
#[test]
fn a_value_that_a_shell_would_run_is_written_again() {
    for (line, value) in [
        ("V0=`touch RAN`", "`touch RAN`"),
        ("V0=x;touch RAN", "x;touch RAN"),
        ("V0=x touch RAN", "x touch RAN"),
        ("V0=\"`touch RAN`\"", "`touch RAN`"),
        ("V0=$(touch RAN)\nV0=x", "x"),
    ] {
        let directory = tempfile::tempdir().unwrap();
        let text = synced_over(directory.path(), &format!("MINE=1\n{line}\n"), &[value.to_owned()]);
        source(directory.path(), &text, &[value.to_owned()]);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, ..ProptestConfig::default() })]

    #[test]
    fn every_text_arrives(values in prop::collection::vec(r#"([$`'"\\!#~&|;<>() \n\r\t{}*?=a-c0-1é]|RAN|touch |\$\(){0,24}"#, 1..40)) {
        check(&values);
    }
}
