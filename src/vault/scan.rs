//! Reading a whole range, a batch of records at a time.

use std::vec::IntoIter;

use super::records::{PlainRecord, decode};
use crate::error::Result;
use crate::store::{KeyRange, Order, Record, Transaction};

/// How many records one read of the store returns at most.
const BATCH: usize = 500;

/// The records of a range, which are read in batches: however many there are, no single read of the store is unbounded.
///
/// What the transaction writes while it reads may or may not be among the records.
pub(super) struct Scan {
    /// What was not read yet.
    rest: Option<KeyRange>,
    order: Order,
    batch: IntoIter<Record>,
}

impl Scan {
    pub(super) fn new(range: KeyRange, order: Order) -> Self {
        Self { rest: Some(range), order, batch: Vec::new().into_iter() }
    }

    /// Returns the next record, or `None` at the end of the range.
    pub(super) fn next(&mut self, tx: &mut dyn Transaction) -> Result<Option<Record>> {
        if self.batch.len() == 0
            && let Some(range) = self.rest.take()
        {
            let batch = tx.scan(&range, self.order, BATCH)?;
            if let Some(last) = batch.last().filter(|_| batch.len() == BATCH) {
                self.rest = Some(match self.order {
                    Order::Ascending => range.after(&last.key),
                    Order::Descending => range.before(&last.key),
                });
            }
            self.batch = batch.into_iter();
        }
        Ok(self.batch.next())
    }
}

/// Returns the keys of a range, ascending.
pub(super) fn scan_keys(tx: &mut dyn Transaction, range: KeyRange) -> Result<Vec<String>> {
    let mut scan = Scan::new(range, Order::Ascending);
    let mut keys = Vec::new();
    while let Some(record) = scan.next(tx)? {
        keys.push(record.key);
    }
    Ok(keys)
}

/// Decodes all values of a range.
pub(super) fn scan_values<T: PlainRecord>(tx: &mut dyn Transaction, range: KeyRange, order: Order) -> Result<Vec<T>> {
    let mut scan = Scan::new(range, order);
    let mut values = Vec::new();
    while let Some(record) = scan.next(tx)? {
        values.push(decode(&record.value)?);
    }
    Ok(values)
}

/// Decodes at most `limit` values behind the first `offset` of a range, newest first, and counts all of them.
#[cfg(any(feature = "server", test))]
pub(super) fn scan_window<T: PlainRecord>(
    tx: &mut dyn Transaction,
    range: KeyRange,
    offset: usize,
    limit: usize,
) -> Result<(Vec<T>, usize)> {
    let mut scan = Scan::new(range, Order::Descending);
    let (mut values, mut total) = (Vec::new(), 0);
    while let Some(record) = scan.next(tx)? {
        if total >= offset && values.len() < limit {
            values.push(decode(&record.value)?);
        }
        total += 1;
    }
    Ok((values, total))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::{Memory, Precondition, StoreExt as _};

    #[test]
    fn every_record_is_read_once_in_order() {
        for count in [0, 1, BATCH - 1, BATCH, BATCH + 1, 2 * BATCH] {
            let store = Memory::new();
            let expected: Vec<usize> = (0..count).collect();
            store
                .write(|tx| {
                    let mut put = |key: String, value: usize| tx.put(&key, &value.to_string(), Precondition::Absent);
                    put("q/".into(), 0)?;
                    put("s/".into(), 0)?;
                    expected.iter().try_for_each(|number| put(format!("r/{number:05}"), *number))
                })
                .unwrap();
            let range = || KeyRange::prefix("r/");
            store
                .read(|tx| {
                    assert_eq!(scan_values::<usize>(tx, range(), Order::Ascending)?, expected);
                    let descending: Vec<usize> = expected.iter().rev().copied().collect();
                    assert_eq!(scan_values::<usize>(tx, range(), Order::Descending)?, descending);
                    assert_eq!(scan_keys(tx, range())?.len(), count);
                    let window: Vec<usize> = descending.iter().skip(499).take(3).copied().collect();
                    assert_eq!(scan_window(tx, range(), 499, 3)?, (window, count));
                    Ok(())
                })
                .unwrap();
        }
    }
}
