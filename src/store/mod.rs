//! Where a vault keeps its records: a small transactional, ordered map from readable keys to JSON.
//!
//! [`Memory`] is the reference, [`Sqlite`] the embedded default, [`Postgres`] for where one machine is outgrown. A store
//! of one's own is one trait with two methods and must pass [`conformance`]; `docs/store.md` says how to write one.

pub mod conformance;
mod copy;
mod memory;
#[cfg(feature = "postgres")]
mod postgres;
#[cfg(feature = "sqlite")]
mod sqlite;

use std::fmt::Debug;
use std::sync::Arc;

pub use self::copy::copy;
pub use self::memory::Memory;
#[cfg(feature = "postgres")]
pub use self::postgres::Postgres;
#[cfg(feature = "sqlite")]
pub use self::sqlite::Sqlite;
use crate::error::{Error, ErrorKind, Result};

/// Longest key of a record, in bytes.
pub const MAX_KEY_BYTES: usize = 1024;

/// Longest value of a record, in bytes of JSON text.
pub const MAX_RECORD_BYTES: usize = 4 * 1024 * 1024;

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

    /// Writes a value: JSON text without a NUL character in it. It may come back with other white space and with the
    /// members of objects in another order.
    ///
    /// # Errors
    /// `Conflict`, when `when` does not hold; `Limit`, beyond [`MAX_KEY_BYTES`] and [`MAX_RECORD_BYTES`];
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

/// A key and its value.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "a record is these two")]
pub struct Record {
    /// The key.
    pub key: String,
    /// The value, as JSON text.
    pub value: String,
}

/// Which end of a range comes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "a line has two ends")]
pub enum Order {
    /// The smallest key.
    Ascending,
    /// The largest key.
    Descending,
}

/// The keys from one, inclusive, to another, exclusive.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct KeyRange {
    /// The first key of the range.
    pub start: String,
    /// The first key behind the range; without it the range has no end.
    pub end: Option<String>,
}

impl KeyRange {
    /// The keys that begin with `prefix`.
    ///
    /// ```
    /// let range = ioenv::store::KeyRange::prefix("audit/");
    /// assert_eq!((range.start.as_str(), range.end.as_deref()), ("audit/", Some("audit0")));
    /// ```
    pub fn prefix(prefix: impl Into<String>) -> Self {
        let start = prefix.into();
        let mut characters: Vec<char> = start.chars().collect();
        let mut end = None;
        while let Some(last) = characters.pop() {
            // `char` steps over the surrogates; nothing follows the last character there is.
            if let Some(next) = (last..=char::MAX).nth(1) {
                characters.push(next);
                end = Some(characters.into_iter().collect());
                break;
            }
        }
        Self { start, end }
    }

    /// The part of the range behind `key`: where a page that ended with `key` goes on, ascending.
    pub fn after(mut self, key: &str) -> Self {
        // No key stands between one and the same with the smallest character added.
        let next = format!("{key}\u{1}");
        if next > self.start {
            self.start = next;
        }
        self
    }

    /// The part of the range in front of `key`: where a page that ended with `key` goes on, descending.
    pub fn before(mut self, key: &str) -> Self {
        if self.end.as_deref().is_none_or(|end| key < end) {
            self.end = Some(key.to_owned());
        }
        self
    }
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
        returned = Some(work(tx)?);
        Ok(())
    })?;
    returned.ok_or_else(|| Error::new(ErrorKind::Unavailable, "the store has not run the transaction"))
}

/// The bounds of a record, which every store checks before it writes one.
///
/// # Errors
/// `InvalidValue` and `Limit`; see [`Transaction::put`].
pub fn check_record(key: &str, value: &str) -> Result<()> {
    if key.len() > MAX_KEY_BYTES || value.len() > MAX_RECORD_BYTES {
        let message = "a record is too large: keys have at most 1 KiB, values at most 4 MiB";
        return Err(Error::new(ErrorKind::Limit, message));
    }
    if key.is_empty() || key.contains('\0') || value.contains('\0') || has_nul_escape(value) {
        return Err(Error::new(ErrorKind::InvalidValue, "a record's key is empty, or a NUL character is in it"));
    }
    Ok(())
}

/// Whether a NUL character is written in JSON text: as the one escape that PostgreSQL's `jsonb` does not take.
fn has_nul_escape(json: &str) -> bool {
    let mut rest = json;
    while let Some(at) = rest.find('\\') {
        if rest[at + 1..].starts_with("u0000") {
            return true;
        }
        // The character behind a backslash is no backslash of its own.
        rest = rest[at + 1..].get(1..).unwrap_or_default();
    }
    false
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prefix_ends_where_no_key_can_begin_with_it() {
        for (prefix, end) in
            [("a/", Some("a0")), ("a\u{d7ff}", Some("a\u{e000}")), ("a\u{10ffff}", Some("b")), ("", None)]
        {
            assert_eq!(KeyRange::prefix(prefix).end.as_deref(), end);
        }
    }

    #[test]
    fn a_nul_is_found_however_it_is_written() {
        for bad in ["\"\\u0000\"", "\"\\\\\\u0000\"", "\0"] {
            assert_eq!(check_record("key", bad).unwrap_err().kind(), ErrorKind::InvalidValue, "{bad:?}");
        }
        for good in ["\"\\\\u0000\"", "\"\\n\\u00001\"".replace("\\u0000", "u0000").as_str(), "\"\\\\\""] {
            assert!(check_record("key", good).is_ok(), "{good:?}");
        }
    }

    #[test]
    fn pages_neither_overlap_nor_leave_gaps() {
        let range = KeyRange::prefix("a/").after("a/1");
        assert!(range.start.as_str() > "a/1" && range.start.as_str() < "a/10");
        assert_eq!(KeyRange::prefix("a/").before("a/5").end.as_deref(), Some("a/5"));
        assert_eq!(KeyRange::prefix("a/").before("b").end.as_deref(), Some("a0"));
    }
}
