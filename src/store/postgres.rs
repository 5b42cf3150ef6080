use super::{Access, Store, Work};
use crate::Result;

/// A store in PostgreSQL.
#[derive(Debug, Default)]
pub struct Postgres;

impl Postgres {
    /// An empty store.
    pub fn new() -> Self {
        Self
    }
}

impl Store for Postgres {
    fn transaction(&self, _access: Access, _work: &mut Work<'_>) -> Result<()> {
        unimplemented!()
    }

    fn check(&self) -> Result<()> {
        Ok(())
    }
}
