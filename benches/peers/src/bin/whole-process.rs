//! Times whole processes, from the start to the exit: with ioenv, with dotenvy, with nothing.
//!
//! Run it with `cargo run --release --bin whole-process`. It builds the three programs in each profile, lets them
//! start in a directory that holds the same 100 names sealed and in plaintext, in turn, and prints a table.

use std::error::Error;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;
use std::{env, fs};

use ioenv::{Document, Layer, merge};
use ioenv_benches::application::{self, PATHS};
use ioenv_benches::project;

/// How often each program is started; the first few are not counted.
const ROUNDS: usize = 400;
const UNCOUNTED: usize = 10;
const PROGRAMS: [&str; 3] = ["with-ioenv", "with-dotenvy", "with-nothing"];
/// Profiles by their names for cargo, for the directory, and for people.
const PROFILES: [(&str, &str, &str); 3] = [
    ("release", "release", "release"),
    ("dev", "debug", "debug"),
    ("dev-optimized-deps", "dev-optimized-deps", "debug, dependencies optimized"),
];

fn main() -> Result<(), Box<dyn Error>> {
    let executable = env::current_exe()?;
    let target = executable.ancestors().nth(2).ok_or("this program does not lie in target/PROFILE")?;
    for (profile, _, _) in PROFILES {
        build(profile, target)?;
    }
    println!("| environment | profile | ioenv | dotenvy | nothing | ratio | target | met |");
    println!("|---|---|---:|---:|---:|---:|---|---|");
    for (environment, levels) in [("of an application", application::realistic()), ("tiny", application::tiny())] {
        let directory = tempfile::tempdir()?;
        prepare(directory.path(), levels)?;
        for (_, profile, name) in PROFILES {
            let times = measure(&target.join(profile), directory.path())?;
            // Both of a round ran in the same moment, so what disturbs the machine mostly cancels out.
            let ratio = median(times[0].iter().zip(&times[1]).map(|(ioenv, dotenvy)| ioenv / dotenvy).collect());
            let [ioenv, dotenvy, nothing] = times.map(show);
            let met = if ratio <= 1.0 { "yes" } else { "**no**" };
            println!(
                "| {environment} | {name} | {ioenv} | {dotenvy} | {nothing} | {ratio:.2}x the time | at most 1x | {met} |"
            );
        }
    }
    Ok(())
}

fn build(profile: &str, target: &Path) -> Result<(), Box<dyn Error>> {
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args(["build", "--quiet", "--bins", "--profile", profile]).arg("--target-dir").arg(target);
    cargo.current_dir(env!("CARGO_MANIFEST_DIR")).stdout(Stdio::null());
    if cargo.status()?.success() { Ok(()) } else { Err(format!("cargo cannot build the profile {profile}").into()) }
}

/// Seals the levels, writes what they amount to as plaintext, and makes sure that both are the same.
fn prepare(directory: &Path, levels: [Document; 3]) -> Result<(), Box<dyn Error>> {
    project::seal(directory, &levels)?;
    let mut layers = Vec::new();
    for (path, level) in PATHS.iter().zip(levels) {
        layers.push(Layer::new(path.parse()?, level));
    }
    let merged = merge(layers).to_document();
    fs::write(directory.join(".env"), merged.to_export().expose_secret())?;
    let theirs: Vec<(String, String)> = dotenvy::from_path_iter(directory.join(".env"))?.collect::<Result<_, _>>()?;
    let ours = merged.entries().iter().map(|entry| (entry.name().as_str(), entry.value().expose_secret()));
    assert_eq!(merged.len(), 100);
    assert!(ours.eq(theirs.iter().map(|(name, value)| (name.as_str(), value.as_str()))));
    Ok(())
}

/// Starts the programs in turn, and returns what each start took, in milliseconds.
fn measure(directory_of_programs: &Path, directory: &Path) -> Result<[Vec<f64>; 3], Box<dyn Error>> {
    let mut times = <[Vec<f64>; 3]>::default();
    for round in 0..UNCOUNTED + ROUNDS {
        for (program, times) in PROGRAMS.iter().zip(&mut times) {
            let program = directory_of_programs.join(program).with_extension(env::consts::EXE_EXTENSION);
            let mut command = Command::new(&program);
            command.current_dir(directory);
            for (name, _) in env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("IOENV_")) {
                command.env_remove(name);
            }
            let start = Instant::now();
            let status = command.status()?;
            let time = start.elapsed();
            if !status.success() {
                return Err(format!("{} failed", program.display()).into());
            }
            if round >= UNCOUNTED {
                times.push(time.as_secs_f64() * 1e3);
            }
        }
    }
    Ok(times)
}

fn median(mut numbers: Vec<f64>) -> f64 {
    numbers.sort_unstable_by(f64::total_cmp);
    numbers[numbers.len() / 2]
}

/// The median, and the least.
fn show(times: Vec<f64>) -> String {
    let least = times.iter().copied().fold(f64::INFINITY, f64::min);
    format!("{:.2} ms ({least:.2})", median(times))
}
