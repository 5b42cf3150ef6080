//! Prints what the benchmarks measured, as a table: medians, ratios, and whether the target is met.
//!
//! Run it after `cargo bench`, with `cargo run --release --bin criterion-table`.

use std::error::Error;
use std::path::{Path, PathBuf};
use std::{env, fs};

/// What ours is compared with, and how.
struct Row {
    what: &'static str,
    ours: &'static str,
    peer: &'static str,
    theirs: &'static str,
    target: Target,
}

enum Target {
    /// At least so many times the peer's throughput.
    Throughput(f64),
    /// At most so many times the peer's time.
    Time(f64),
    /// Nothing is promised.
    None,
}

const ROWS: [Row; 11] = [
    row("parse 1,000 plain entries", "parse/ioenv/plain", "dotenvy", "parse/dotenvy/plain", Target::Throughput(5.0)),
    row("", "parse/ioenv/plain", "a copy of the bytes", "parse/copy/plain", Target::None),
    row("parse 1,000 mixed entries", "parse/ioenv/mixed", "dotenvy", "parse/dotenvy/mixed", Target::Throughput(4.0)),
    row("", "parse/ioenv/mixed", "a copy of the bytes", "parse/copy/mixed", Target::None),
    merge("merge 3 levels of 1,000 names", "merge/ioenv/1000", BORROWED, "merge/borrowed map/1000"),
    merge("", "merge/ioenv/1000", OWNED, "merge/owned map/1000"),
    merge(
        "the same, ascending in the text",
        "merge/ioenv/1000 ascending",
        BORROWED,
        "merge/borrowed map/1000 ascending",
    ),
    merge("merge 3 levels of 10,000 names", "merge/ioenv/10000", BORROWED, "merge/borrowed map/10000"),
    merge("merge 3 levels of 100,000 names", "merge/ioenv/100000", BORROWED, "merge/borrowed map/100000"),
    row("open a blob of 64 KiB", "open/ioenv", "`base64` and `aes-gcm`", "open/bare", Target::Time(1.25)),
    row("", "open/ioenv", "a copy of the text", "open/copy", Target::None),
];
const BORROWED: &str = "`BTreeMap<&str, &str>`";
const OWNED: &str = "`BTreeMap<String, String>`";

const fn row(what: &'static str, ours: &'static str, peer: &'static str, theirs: &'static str, target: Target) -> Row {
    Row { what, ours, peer, theirs, target }
}

const fn merge(what: &'static str, ours: &'static str, peer: &'static str, theirs: &'static str) -> Row {
    row(what, ours, peer, theirs, Target::Time(1.5))
}

fn main() -> Result<(), Box<dyn Error>> {
    let estimates = estimates()?;
    println!("| what | ioenv | compared with | that | ratio | target | met |");
    println!("|---|---:|---|---:|---:|---|---|");
    for Row { what, ours, peer, theirs, target } in &ROWS {
        let (ours, theirs) = (median(&estimates, ours)?, median(&estimates, theirs)?);
        let (ratio, target) = match target {
            Target::Throughput(least) => {
                let ratio = theirs / ours;
                (format!("{ratio:.2}x as fast"), format!("at least {least}x | {}", yes(ratio >= *least)))
            }
            Target::Time(most) => {
                let ratio = ours / theirs;
                (format!("{ratio:.2}x the time"), format!("at most {most}x | {}", yes(ratio <= *most)))
            }
            Target::None => (format!("{:.0}x the time", ours / theirs), "the limit |".to_owned()),
        };
        println!("| {what} | {} | {peer} | {} | {ratio} | {target} |", show(ours), show(theirs));
    }
    println!();
    println!("| merge, an entry | 3 x 1,000 | 3 x 10,000 | 3 x 100,000 | growth |");
    println!("|---|---:|---:|---:|---:|");
    for (name, benchmark) in [("ioenv", "ioenv"), (BORROWED, "borrowed map"), (OWNED, "owned map")] {
        let mut entry = [0.0; 3];
        for (entry, size) in entry.iter_mut().zip([1_000_u32, 10_000, 100_000]) {
            *entry = median(&estimates, &format!("merge/{benchmark}/{size}"))? / f64::from(3 * size);
        }
        let [small, middle, large] = entry;
        println!("| {name} | {small:.1} ns | {middle:.1} ns | {large:.1} ns | {:.1}x |", large / small);
    }
    Ok(())
}

/// Where criterion leaves what it estimates.
fn estimates() -> Result<PathBuf, Box<dyn Error>> {
    if let Some(home) = env::var_os("CRITERION_HOME") {
        return Ok(home.into());
    }
    let executable = env::current_exe()?;
    let target = executable.ancestors().nth(2).ok_or("this program does not lie in target/PROFILE")?;
    Ok(target.join("criterion"))
}

/// The median of one benchmark, in nanoseconds.
fn median(estimates: &Path, benchmark: &str) -> Result<f64, Box<dyn Error>> {
    let file = estimates.join(benchmark).join("new/estimates.json");
    let text = fs::read(&file).map_err(|error| format!("{}: {error}; run `cargo bench` first", file.display()))?;
    let estimates: serde_json::Value = serde_json::from_slice(&text)?;
    estimates["median"]["point_estimate"].as_f64().ok_or_else(|| format!("{benchmark} has no median").into())
}

fn yes(is_met: bool) -> &'static str {
    if is_met { "yes" } else { "**no**" }
}

fn show(nanoseconds: f64) -> String {
    match nanoseconds {
        ..1e3 => format!("{nanoseconds:.0} ns"),
        ..1e6 => format!("{:.1} µs", nanoseconds / 1e3),
        _ => format!("{:.2} ms", nanoseconds / 1e6),
    }
}
