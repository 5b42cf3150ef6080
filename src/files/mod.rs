//! Files, read within bounds and replaced as a whole.

pub(crate) mod read;
pub(crate) mod replace;
