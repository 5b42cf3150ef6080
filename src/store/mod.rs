//! Where a vault keeps its records: a small transactional, ordered map from readable keys to JSON.
//!
//! [`Memory`] is the reference, [`Sqlite`] the embedded default, [`Postgres`] for where one machine is outgrown. A store
//! of one's own is one trait with two methods and must pass [`conformance`]; `docs/store.md` says how to write one.

pub mod conformance;
mod copy;
mod memory;
#[cfg(feature = "postgres")]
mod postgres;
pub(crate) mod record;
#[cfg(feature = "sqlite")]
mod sqlite;
pub(crate) mod transaction;

pub use self::copy::copy;
pub use self::memory::Memory;
#[cfg(feature = "postgres")]
pub use self::postgres::{PoolSize, Postgres};
pub use self::record::{KeyRange, MAX_KEY_BYTES, MAX_RECORD_BYTES, Order, Record, check_record};
#[cfg(feature = "sqlite")]
pub use self::sqlite::Sqlite;
pub use self::transaction::{Access, Precondition, Store, StoreExt, Transaction, Work};
