use super::{Configuration, Source};
use crate::error::Result;

pub(super) fn default_source(configuration: &Configuration) -> Result<Box<dyn Source>> {
    Err(configuration.vault_location()?.not_compiled_in())
}
