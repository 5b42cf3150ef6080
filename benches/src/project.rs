//! A project on disk, as a program finds it when it starts.

use std::error::Error;
use std::fs;
use std::path::Path;

use ioenv::{Document, KeyRing, LevelKey, SealedFile, SystemRandom};

use crate::application::PATHS;

/// Writes `ioenv.toml`, `ioenv.sealed` and `ioenv.key` into a directory.
///
/// # Errors
/// If a file cannot be written.
pub fn seal(directory: &Path, levels: &[Document; 3]) -> Result<(), Box<dyn Error>> {
    let key = LevelKey::generate(&SystemRandom)?;
    let keys = KeyRing::from(&key);
    let mut sealed = SealedFile::create(directory.join("ioenv.sealed"), PATHS[0].parse()?)?;
    sealed.add_key("main".parse()?, &key)?;
    for (path, level) in PATHS.iter().zip(levels) {
        sealed.set_level(&path.parse()?, level, &keys)?;
    }
    sealed.save()?;
    fs::write(directory.join("ioenv.toml"), format!("path = \"{}\"\n", PATHS[2]))?;
    fs::write(directory.join("ioenv.key"), key.to_text().expose_secret())?;
    Ok(())
}
