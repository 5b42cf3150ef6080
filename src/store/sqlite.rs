use super::{Access, Store, Work};
use crate::Result;

/// A store in SQLite.
#[derive(Debug, Default)]
pub struct Sqlite;

impl Sqlite {
    /// An empty store.
    pub fn new() -> Self {
        Self
    }
}

impl Store for Sqlite {
    fn transaction(&self, _access: Access, _work: &mut Work<'_>) -> Result<()> {
        unimplemented!()
    }

    fn check(&self) -> Result<()> {
        Ok(())
    }
}
