//! Dotenv text: one reader, two writers, and the expansion of `${NAME}`. The grammar is in `docs/dotenv.md`.

pub(crate) mod expand;
pub(super) mod mark;
mod reader;
mod writer;
