use super::{Access, Store, Work};
use crate::Result;

/// A store in memory.
#[derive(Debug, Default)]
pub struct Memory;

impl Memory {
    /// An empty store.
    pub fn new() -> Self {
        Self
    }
}

impl Store for Memory {
    fn transaction(&self, _access: Access, _work: &mut Work<'_>) -> Result<()> {
        unimplemented!()
    }

    fn check(&self) -> Result<()> {
        Ok(())
    }
}
