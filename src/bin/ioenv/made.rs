//! The files that a command makes together: all of them, or none.

use std::fs::{self, File, OpenOptions};
use std::io::Write as _;
use std::path::{Path, PathBuf};

use ioenv::SecretString;

use crate::result::Result;

/// What was made so far. Unless it is [kept](Self::keep), all of it is taken away again: half of it would pass for the
/// whole the next time.
#[derive(Default)]
pub(crate) struct Made {
    steps: Vec<Step>,
}

enum Step {
    New(PathBuf),
    Grown(PathBuf, u64),
}

impl Made {
    /// Takes note of a file that is made in another way after this, and that is not there yet.
    pub(crate) fn expect(&mut self, file: impl Into<PathBuf>) {
        let file = file.into();
        if file.symlink_metadata().is_err() {
            self.steps.push(Step::New(file));
        }
    }

    /// Writes a new file.
    pub(crate) fn file(&mut self, file: &Path, text: &str) -> Result {
        self.write(file, text, OpenOptions::new().write(true).create_new(true))
    }

    /// Writes a key into a new file that only its owner can read.
    pub(crate) fn key(&mut self, file: &Path, key: &SecretString) -> Result {
        let line = zeroize::Zeroizing::new([key.expose_secret(), "\n"].concat());
        self.write(file, &line, &mut private())
    }

    fn write(&mut self, file: &Path, text: &str, options: &mut OpenOptions) -> Result {
        let cannot = |error| format!("cannot write {}: {error}", file.display());
        let mut new = options.open(file).map_err(cannot)?;
        self.steps.push(Step::New(file.to_owned()));
        Ok(new.write_all(text.as_bytes()).and_then(|()| new.sync_all()).map_err(cannot)?)
    }

    /// Adds text to the end of a file. What is in it stays, even if the disk is full.
    pub(crate) fn append(&mut self, file: &Path, text: &str) -> Result {
        if file.symlink_metadata().is_err() {
            return self.file(file, text);
        }
        let cannot = |error| format!("cannot write {}: {error}", file.display());
        let mut grown = OpenOptions::new().append(true).open(file).map_err(cannot)?;
        self.steps.push(Step::Grown(file.to_owned(), grown.metadata().map_err(cannot)?.len()));
        Ok(grown.write_all(text.as_bytes()).and_then(|()| grown.sync_all()).map_err(cannot)?)
    }

    /// Keeps all that was made.
    pub(crate) fn keep(mut self) {
        self.steps.clear();
    }
}

impl Drop for Made {
    fn drop(&mut self) {
        for step in self.steps.drain(..).rev() {
            // Best effort: the error that led here is the one to see.
            let _ = match step {
                Step::New(file) => fs::remove_file(file),
                Step::Grown(file, length) => {
                    OpenOptions::new().write(true).open(file).and_then(|file| file.set_len(length))
                }
            };
        }
    }
}

/// A new file that only its owner can read.
pub(crate) fn create_private(path: &Path) -> std::io::Result<File> {
    private().open(path)
}

fn private() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}
