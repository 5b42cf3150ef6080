//! From a configuration to a loaded environment.

mod configuration;
#[cfg_attr(feature = "sealed", path = "discovery.rs")]
#[cfg_attr(not(feature = "sealed"), path = "discovery_disabled.rs")]
mod discovery;
mod loader;
mod location;
mod settings;
mod source;
#[cfg_attr(feature = "vault", path = "vault.rs")]
#[cfg_attr(not(feature = "vault"), path = "vault_disabled.rs")]
mod vault;

pub use configuration::Configuration;
pub use loader::{Loader, Precedence, load, resolve, var};
pub use location::VaultLocation;
pub use source::{Source, SourceKind};
#[cfg(feature = "vault")]
pub use vault::VaultSource;
