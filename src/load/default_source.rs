//! The source that is configured. Nothing else in `load` knows which sources there are.

use super::configuration::{Configuration, SourceKind};
use crate::core::source::Source;
use crate::error::Result;

/// Opens the source that a program gets if it brings none of its own.
///
/// # Errors
/// `CrateFeature`, if it is not compiled in; `Config`, if it or what opens it is not named; those of opening it.
pub(super) fn default_source(configuration: &Configuration) -> Result<Box<dyn Source>> {
    match configuration.source_kind()? {
        SourceKind::Sealed => sealed_file(configuration),
        SourceKind::Vault => vault(configuration),
    }
}

#[cfg(feature = "sealed")]
fn sealed_file(configuration: &Configuration) -> Result<Box<dyn Source>> {
    Ok(Box::new(crate::sealed::SealedFile::open(configuration.sealed_file()?)?))
}

#[cfg(not(feature = "sealed"))]
fn sealed_file(_configuration: &Configuration) -> Result<Box<dyn Source>> {
    Err(crate::error::Error::new(
        crate::error::ErrorKind::CrateFeature,
        "loading from a sealed file needs the feature `sealed` of ioenv: enable it, or bring a `Loader::source`",
    ))
}

#[cfg(feature = "vault")]
fn vault(configuration: &Configuration) -> Result<Box<dyn Source>> {
    let (vault, token) = configuration.open_vault_with_token()?;
    Ok(Box::new(crate::vault::source::VaultSource::new(vault, token)))
}

#[cfg(not(feature = "vault"))]
fn vault(configuration: &Configuration) -> Result<Box<dyn Source>> {
    Err(configuration.vault_location()?.not_compiled_in())
}
