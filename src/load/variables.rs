//! The `IOENV_*` variables of the process.

use std::env::{self, VarError};
use std::ffi::OsString;

use crate::error::{Error, Result};

/// Reads a variable; an empty one counts as not set.
pub(super) fn variable(name: &str) -> Result<Option<String>> {
    match env::var(name) {
        Ok(value) => Ok(Some(value).filter(|value| !value.is_empty())),
        Err(VarError::NotPresent) => Ok(None),
        // Never wrapped: the error would show the value.
        Err(VarError::NotUnicode(_)) => Err(Error::config(format!("{name} is not UTF-8 text"))),
    }
}

/// Reads a variable that names a file; an empty one counts as not set.
pub(super) fn variable_os(name: &str) -> Option<OsString> {
    env::var_os(name).filter(|value| !value.is_empty())
}
