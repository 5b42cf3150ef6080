//! What the benchmarks feed to ioenv and its peers: made up, the same on every run.

pub mod application;
pub mod random;
pub mod text;
