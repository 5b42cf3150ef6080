use std::error::Error;

/// What a command returns: the library's errors, and those of printing.
pub(crate) type Result<T = ()> = std::result::Result<T, Box<dyn Error>>;
