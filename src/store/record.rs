//! Records, and which of them are scanned.

use crate::error::{Error, ErrorKind, Result};

/// Longest key of a record, in bytes.
pub const MAX_KEY_BYTES: usize = 1024;

/// Longest value of a record, in bytes of JSON text.
pub const MAX_RECORD_BYTES: usize = 4 * 1024 * 1024;

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

/// The bounds of a record, which every store checks before it writes one.
///
/// # Errors
/// `InvalidValue` and `Limit`; see [`Transaction::put`](super::transaction::Transaction::put).
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
