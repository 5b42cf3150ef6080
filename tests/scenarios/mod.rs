//! A test binary without libtest, which runs at least two threads: each scenario is a process of its own, whose first and
//! only thread it runs on.

use std::process::{ExitCode, Output};

/// A name, and what the process does that is started for it.
pub(crate) type Scenario = (&'static str, fn());

/// Names the scenario in the environment of its process.
pub(crate) const SCENARIO: &str = "TEST_SCENARIO";

/// Plays all scenarios, or those that have the first argument in their name; `--list` lists them.
///
/// `start` runs this binary with [`SCENARIO`] set to the name. It returns the output, and the secrets that the output must
/// not show.
pub(crate) fn main(scenarios: &[Scenario], start: impl Fn(&str) -> (Output, Vec<String>)) -> ExitCode {
    if let Ok(name) = std::env::var(SCENARIO) {
        let (_, scenario) = scenarios.iter().find(|(other, _)| *other == name).expect("a scenario of that name");
        scenario();
        return ExitCode::SUCCESS;
    }
    let (flags, names): (Vec<_>, Vec<_>) = std::env::args().skip(1).partition(|argument| argument.starts_with('-'));
    let filter = names.first().map_or("", String::as_str);
    let chosen = scenarios.iter().filter(|(name, _)| name.contains(filter));
    if flags.iter().any(|flag| flag == "--list") {
        chosen.for_each(|(name, _)| println!("{name}: test"));
        return ExitCode::SUCCESS;
    }
    let (mut passed, mut failed) = (0, 0);
    for (name, _) in chosen {
        let (output, secrets) = start(name);
        let shown = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
        if output.status.success() && !secrets.iter().any(|secret| shown.contains(secret)) {
            passed += 1;
            println!("test {name} ... ok");
        } else {
            failed += 1;
            println!("test {name} ... FAILED\n{shown}");
        }
    }
    println!("\n{passed} passed, {failed} failed");
    if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
