//! The main job, on real files, with nothing set up: `cargo run --example quickstart`.
//!
//! Seals three plaintext files into a temporary directory, as `ioenv init` and `ioenv import` would, and then does
//! what an application does: `ioenv::load()?` and `std::env::var`.

use std::error::Error;
use std::fs;
use std::path::Path;

use ioenv::{Document, Env, KeyRing, LevelKey, SealedFile, SystemRandom};

const LEVELS: [(&str, &str); 3] = [
    ("acme-store", "project.env"),
    ("acme-store/backend", "backend.env"),
    ("acme-store/backend/production", "production.env"),
];

fn main() -> Result<(), Box<dyn Error>> {
    let directory = tempfile::tempdir()?;
    seal(directory.path())?;

    // An application finds `ioenv.toml`, the sealed file and the key where it is started.
    std::env::set_current_dir(directory.path())?;
    let env = ioenv::load()?; // line one
    let url = std::env::var("DATABASE_URL")?; // line two: any code, any crate, sees it

    print_table(&env);
    println!();
    println!("{} variables are in the process now; DATABASE_URL has {} characters.", env.names().count(), url.len());
    println!("On disk they are one text file, {} bytes:", fs::metadata("ioenv.sealed")?.len());
    println!();
    for line in fs::read_to_string("ioenv.sealed")?.lines().take(12) {
        println!("    {line}");
    }
    println!("    ...");
    std::env::set_current_dir("/")?;
    Ok(())
}

/// What `ioenv init acme-store` and three times `ioenv import` leave behind.
fn seal(directory: &Path) -> Result<(), Box<dyn Error>> {
    let key = LevelKey::generate(&SystemRandom)?;
    let keys = KeyRing::from(&key);
    let mut sealed = SealedFile::create(directory.join("ioenv.sealed"), "acme-store".parse()?)?;
    sealed.add_key("main".parse()?, &key)?;
    for (path, file) in LEVELS {
        let text = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/acme-store").join(file))?;
        sealed.set_level(&path.parse()?, &Document::parse(&text)?, &keys)?;
    }
    sealed.save()?;
    fs::write(directory.join("ioenv.key"), key.to_text().expose_secret())?;
    fs::write(directory.join("ioenv.toml"), "path = \"acme-store/backend/production\"\nexpand = true\n")?;
    Ok(())
}

fn print_table(env: &Env) {
    println!("{:<22} {:<48} decided by", "name", "value");
    for variable in env.iter() {
        // Only what is marked as a variable on every level may be shown.
        let value = if variable.is_public() { variable.value().expose_secret() } else { "••••••" };
        println!("{:<22} {value:<48} {}", variable.name(), variable.origin());
    }
}
