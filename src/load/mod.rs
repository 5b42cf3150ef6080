//! From a configuration to a loaded environment.

mod configuration;
#[cfg_attr(feature = "sealed", path = "discovery.rs")]
#[cfg_attr(not(feature = "sealed"), path = "discovery_disabled.rs")]
mod discovery;
mod loader;
mod settings;
mod source;

pub use configuration::Configuration;
pub use loader::{Loader, Precedence, load, resolve, var};
pub use source::Source;
