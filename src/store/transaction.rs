//! The transactions that a store runs.

use std::fmt::Debug;
use std::sync::Arc;

use super::record::{KeyRange, Order, Record};
use crate::error::{Error, ErrorKind, Result};

/// A transactional, ordered map from text to JSON.
///
/// Transactions are serializable: what several of them did could have been done by one after another. What a
/// transaction wrote is durable when [`transaction`](Self::transaction) returns `Ok`, and not there at all when it
/// returns an error.
///
/// Most callers want [`StoreExt`], which returns what the work returns.
pub trait Store: Debug + Send + Sync {
    /// Runs `work` in one transaction, and commits it if `work` succeeds.
    ///
    /// `work` may be called more than once, when other transactions were in the way: it must do nothing but read and
    /// write through the transaction it is given, and must not start another one.
    ///
    /// # Errors
    /// That of `work`; `Unavailable`, when the store does not answer or other transactions were in the way too often;
    /// `Io` and `Corrupt`, for what is wrong below.
    fn transaction(&self, access: Access, work: &mut Work<'_>) -> Result<()>;

    /// Writes records whose keys nobody else writes, such as those of an audit log, durably and all or none.
    ///
    /// Stores share one durable commit between all who call this at the same time.
    ///
    /// # Errors
    /// As [`transaction`](Self::transaction).
    fn append(&self, records: Vec<Record>) -> Result<()> {
        self.transaction(Access::Write, &mut |tx| {
            records.iter().try_for_each(|record| tx.put(&record.key, &record.value, Precondition::Always))
        })
    }

    /// Looks for damage, as far as the database below can tell.
    ///
    /// # Errors
    /// `Corrupt`, for damage; otherwise as [`transaction`](Self::transaction).
    fn check(&self) -> Result<()>;
}

macro_rules! forwarded {
    ($(#[$doc:meta])* $pointer:ident) => {
        $(#[$doc])*
        impl<S: Store + ?Sized> Store for $pointer<S> {
            fn transaction(&self, access: Access, work: &mut Work<'_>) -> Result<()> {
                (**self).transaction(access, work)
            }

            fn append(&self, records: Vec<Record>) -> Result<()> {
                (**self).append(records)
            }

            fn check(&self) -> Result<()> {
                (**self).check()
            }
        }
    };
}

forwarded! {
    /// A store that several parts of a program share.
    Arc
}

forwarded! {
    /// A store that is chosen at run time.
    Box
}

/// What is done inside a transaction.
pub type Work<'a> = dyn FnMut(&mut dyn Transaction) -> Result<()> + 'a;

/// Whether a transaction may write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "there is nothing between reading and writing")]
pub enum Access {
    /// It sees one state of the store. A `put` or `delete` in it is an error.
    Read,
    /// It may read and write.
    Write,
}

/// What a `put` asks of the record that is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "a store must know all of them")]
pub enum Precondition {
    /// Nothing.
    Always,
    /// That there is none; otherwise `Conflict`.
    Absent,
    /// That there is one; otherwise `Conflict`.
    Present,
}

/// One transaction. It sees its own writes.
pub trait Transaction {
    /// The value at a key.
    ///
    /// # Errors
    /// As [`Store::transaction`].
    fn get(&mut self, key: &str) -> Result<Option<String>>;

    /// Tells which keys will be read next. A store that is far away can read them all at once; others do nothing.
    ///
    /// # Errors
    /// As [`Store::transaction`].
    fn prefetch(&mut self, _keys: &[String]) -> Result<()> {
        Ok(())
    }

    /// Names what this transaction does, before it reads anything. A store that is far away can then read at once what the
    /// last transaction of that name has read; others do nothing. The values are those of now in any case.
    fn named(&mut self, _name: &str) {}

    /// Writes a value: JSON text without a NUL character in it. It may come back with other white space and with the
    /// members of objects in another order.
    ///
    /// # Errors
    /// `Conflict`, when `when` does not hold; `Limit`, beyond [`MAX_KEY_BYTES`](super::MAX_KEY_BYTES) and
    /// [`MAX_RECORD_BYTES`](super::MAX_RECORD_BYTES);
    /// `InvalidValue`, for an empty key and for NUL.
    fn put(&mut self, key: &str, value: &str, when: Precondition) -> Result<()>;

    /// Removes a record; `false`, when there was none.
    ///
    /// # Errors
    /// As [`Store::transaction`].
    fn delete(&mut self, key: &str) -> Result<bool>;

    /// At most `limit` records of a range, in the order of their keys' bytes.
    ///
    /// # Errors
    /// As [`Store::transaction`].
    fn scan(&mut self, range: &KeyRange, order: Order, limit: usize) -> Result<Vec<Record>>;
}

/// What follows from a [`Store`]'s two methods; every store has it.
pub trait StoreExt: Store {
    /// Runs `work` in a transaction that only reads, and returns what it returns.
    ///
    /// # Errors
    /// As [`Store::transaction`].
    fn read<T>(&self, work: impl FnMut(&mut dyn Transaction) -> Result<T>) -> Result<T> {
        returning(self, Access::Read, work)
    }

    /// Runs `work` in a transaction that may write, and returns what it returns.
    ///
    /// # Errors
    /// As [`Store::transaction`].
    ///
    /// ```
    /// # fn main() -> ioenv::Result<()> {
    /// use ioenv::store::{Memory, StoreExt, Precondition};
    ///
    /// let store = Memory::new();
    /// store.write(|tx| tx.put("greeting", "\"hello\"", Precondition::Absent))?;
    /// assert_eq!(store.read(|tx| tx.get("greeting"))?.as_deref(), Some("\"hello\""));
    /// # Ok(())
    /// # }
    /// ```
    fn write<T>(&self, work: impl FnMut(&mut dyn Transaction) -> Result<T>) -> Result<T> {
        returning(self, Access::Write, work)
    }
}

impl<S: Store + ?Sized> StoreExt for S {}

fn returning<S: Store + ?Sized, T>(
    store: &S,
    access: Access,
    mut work: impl FnMut(&mut dyn Transaction) -> Result<T>,
) -> Result<T> {
    let mut returned = None;
    store.transaction(access, &mut |tx| {
        // What an attempt held that did not count is let go of before the next one.
        returned = None;
        returned = Some(work(tx)?);
        Ok(())
    })?;
    returned.ok_or_else(|| Error::new(ErrorKind::Unavailable, "the store has not run the transaction"))
}

/// What a store answers to a write in a transaction that only reads.
pub(crate) fn read_only() -> Error {
    Error::new(ErrorKind::InvalidValue, "this transaction was begun for reading only")
}

/// What a store answers when `when` does not hold.
pub(crate) fn precondition_failed(when: Precondition) -> Error {
    let message = match when {
        Precondition::Absent => "there is such a record already",
        Precondition::Always | Precondition::Present => "there is no such record",
    };
    Error::new(ErrorKind::Conflict, message)
}
