//! Dotenv text: one reader, three writers, and the expansion of `${NAME}`. The grammar is in `docs/dotenv.md`.

pub(crate) mod expand;
#[cfg(feature = "vault")]
pub(crate) mod lines;
pub(super) mod mark;
#[cfg(all(feature = "vault", feature = "sealed"))]
pub(crate) mod quoted;
mod reader;
mod writer;
