//! Dotenv text: one reader, two writers, and the expansion of `${NAME}`. The grammar is in `docs/dotenv.md`.

pub(crate) mod expand;
mod reader;
mod writer;

#[cfg(feature = "server")]
pub(crate) use expand::References;
pub use expand::{Dialect, Expansion, Unresolved, expand};
pub(super) use reader::{is_mark, read};
pub(super) use writer::{write_document, write_export};

/// What a comment line above an entry says to tell its kind.
const VARIABLE_MARK: &str = "ioenv: variable";
const SECRET_MARK: &str = "ioenv: secret";
