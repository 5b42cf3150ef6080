//! The variables of the process: the `IOENV_*` ones, and those whose values count.

use std::env::{self, VarError};
use std::ffi::OsString;

use crate::core::name::VarName;
use crate::core::secret::SecretString;
use crate::error::{Error, ErrorKind, Result};

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

/// The value in the process environment.
pub(super) fn process_var(name: &VarName) -> Result<Option<SecretString>> {
    match env::var_os(name.as_str()).map(OsString::into_string) {
        None => Ok(None),
        Some(Ok(value)) => Ok(Some(value.into())),
        Some(Err(_)) => {
            let message = format!("the process's own value of {name} is not UTF-8 text: unset it, or set it anew");
            Err(Error::new(ErrorKind::InvalidValue, message).with_names([name.clone()]))
        }
    }
}
