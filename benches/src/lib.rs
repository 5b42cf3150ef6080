//! Input for the benchmarks of ioenv and of its peers: made up, the same on every run.
#![expect(clippy::missing_panics_doc, reason = "each panic says which invariant is broken")]

pub mod application;
pub mod layers;
pub mod project;
pub mod random;
pub mod text;
