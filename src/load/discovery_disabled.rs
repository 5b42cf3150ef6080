//! Without the feature `sealed` there is no `ioenv.toml`.

use std::path::{Path, PathBuf};

use super::settings::Settings;
use crate::error::Result;

/// Why the search begins in a directory.
#[derive(Clone, Copy)]
pub(super) enum Start {
    /// The program runs there.
    Working,
    /// Somebody named it.
    Named,
}

#[expect(clippy::unnecessary_wraps, reason = "it has the signature of the search")]
pub(super) fn discover(_directory: &Path, _start: Start) -> Result<(Option<PathBuf>, Settings)> {
    Ok((None, Settings::default()))
}
