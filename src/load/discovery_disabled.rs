use std::path::{Path, PathBuf};

use super::settings::Settings;
use super::source::Source;
use crate::error::{Error, ErrorKind, Result};

#[expect(clippy::unnecessary_wraps, reason = "the same signature as with the feature")]
pub(super) fn discover(_directory: &Path) -> Result<(Option<PathBuf>, Settings)> {
    Ok((None, Settings::default()))
}

pub(super) fn default_source(_file: impl FnOnce() -> Result<PathBuf>) -> Result<Box<dyn Source>> {
    Err(Error::new(
        ErrorKind::CrateFeature,
        "loading from a sealed file needs the feature `sealed` of ioenv: enable it, or bring a `Loader::source`",
    ))
}
