//! Each promise in `docs/promises.md` and each claim in `docs/threat-model.md` names its tests, and they exist.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::collections::HashMap;
use std::fs;
use std::path::Path;

const PROMISES: &str = include_str!("../docs/promises.md");
const CLAIMS: &str = include_str!("../docs/threat-model.md");

/// The cells of a row, if the line is one that has a number.
fn row(line: &str) -> Option<[&str; 3]> {
    let cells: Vec<&str> = line.strip_prefix("| ")?.strip_suffix(" |")?.split(" | ").collect();
    let cells: [&str; 3] = cells.try_into().ok()?;
    cells[0].parse::<u32>().is_ok().then_some(cells)
}

/// The tests a cell names: `tests/vault/tokens.rs::a_token_ends_at_its_end`.
fn tests(cell: &str) -> Vec<(&str, &str)> {
    cell.split('`').skip(1).step_by(2).filter_map(|text| text.split_once("::")).collect()
}

/// Whether `text` has a test of that name, with `#[test]` above, one of `on_every_store!`, or a scenario of a test
/// without a harness.
fn has_test(text: &str, name: &str) -> bool {
    let has_harness = text.contains("#[test]") || text.contains("on_every_store!");
    let mut above = "";
    text.lines().map(str::trim).any(|line| {
        let is_it = line.strip_prefix("fn ").and_then(|rest| rest.strip_prefix(name)).is_some_and(|rest| {
            rest.starts_with("(stage: &Stage)") || rest.starts_with('(') && (above == "#[test]" || !has_harness)
        });
        above = line;
        is_it
    })
}

/// The files of tests that were read.
#[derive(Default)]
struct Files(HashMap<String, String>);

impl Files {
    fn have(&mut self, file: &str, name: &str) -> bool {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(file);
        let text = self.0.entry(file.to_owned()).or_insert_with(|| fs::read_to_string(path).unwrap());
        has_test(text, name)
    }
}

#[test]
fn each_promise_is_kept_by_a_test_that_is_there() {
    let mut files = Files::default();
    let mut kept = 0;
    let mut heading = "";
    let mut last = 0;
    for line in PROMISES.lines() {
        if line.starts_with('#') {
            heading = line;
            last = 0;
            continue;
        }
        let Some([number, promise, by]) = row(line) else {
            assert!(!line.starts_with('|') || line.starts_with("| n ") || line.starts_with("|---"), "{line}");
            continue;
        };
        last += 1;
        assert_eq!(number, last.to_string(), "{heading}: {promise}");
        let named = tests(by);
        assert!(!named.is_empty(), "{heading}, {number}: no test keeps it");
        for (file, name) in named {
            assert!(files.have(file, name), "{heading}, {number}: {file} has no test {name}");
        }
        kept += 1;
    }
    assert!(kept > 70, "{kept}: the tables were not read");
}

#[test]
fn each_claim_of_the_threat_model_names_tests_that_exist() {
    let mut files = Files::default();
    let mut claims = 0;
    // The first table lists assets.
    let (_, attackers) = CLAIMS.split_once("\n| claim | tests |").unwrap();
    for line in attackers.lines().filter(|line| line.starts_with("| ") && *line != "| claim | tests |") {
        let cells: Vec<&str> = line.trim_matches('|').split(" | ").collect();
        let [claim, by] = cells[..] else { panic!("a row has two cells: {line}") };
        let named = tests(by);
        assert!(!named.is_empty(), "no test proves: {claim}");
        for (file, name) in named {
            assert!(files.have(file, name), "{claim}: {file} has no test {name}");
        }
        claims += 1;
    }
    assert!(claims > 40, "{claims}: the tables were not read");
}

#[test]
fn a_test_that_is_not_there_is_missed() {
    let text = "#[test]\nfn one() {}\nfn two() {}\nfn three(stage: &Stage) {}\nfn one_more() {}\n";
    assert_eq!(
        ["one", "two", "three", "one_more", "on"].map(|name| has_test(text, name)),
        [true, false, true, false, false]
    );
    assert_eq!(tests("`a.rs::b`, `c/d.rs::e`"), [("a.rs", "b"), ("c/d.rs", "e")]);
}
