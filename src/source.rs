//! Where levels come from: the trait [`Source`], and what passes between a loader and a source.
//!
//! [`SealedFile`](crate::SealedFile) and [`VaultSource`](crate::vault::VaultSource) are sources. A program can bring its
//! own with [`Loader::source`](crate::Loader::source).

pub use crate::core::source::{Freshness, Reading, Request, Revision, Source};
