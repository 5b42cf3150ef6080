//! Dotenv text: one reader, three writers, and the expansion of `${NAME}`. The grammar is in `docs/dotenv.md`.

pub(crate) mod expand;
pub(super) mod mark;
#[cfg(all(feature = "vault", feature = "sealed"))]
pub(crate) mod quoted;
mod reader;
mod writer;
