//! ioenv
#![cfg_attr(not(feature = "inject"), forbid(unsafe_code))]
mod core;
mod env;
mod error;
mod files;
mod inject;
mod load;
#[cfg(feature = "sealed")]
mod sealed;
mod system;

pub use crate::core::*;
pub use env::Env;
pub use error::{Error, ErrorKind, Result};
pub use inject::Inject;
pub use load::{Configuration, Loader, Precedence, Source, load, resolve, var};
#[cfg(feature = "sealed")]
pub use sealed::{KeyDescriptor, SealedFile};
pub use system::{SystemClock, SystemRandom};
