//! From a configuration to a loaded environment.

mod configuration;
mod credentials;
mod default_source;
#[cfg_attr(feature = "sealed", path = "discovery.rs")]
#[cfg_attr(not(feature = "sealed"), path = "discovery_disabled.rs")]
mod discovery;
mod handover;
mod loader;
mod location;
#[cfg(feature = "vault")]
mod open_vault;
mod precedence;
mod settings;
mod variables;

pub use configuration::{Configuration, SourceKind};
pub use loader::{Loader, load, resolve, var};
pub use location::VaultLocation;
#[cfg(feature = "vault")]
pub use open_vault::SharedVault;
pub use precedence::Precedence;
