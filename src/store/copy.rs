use crate::error::{Error, ErrorKind, Result};
use crate::store::record::{KeyRange, Order};
use crate::store::transaction::{Access, Precondition, Store};

/// How many records are held in memory at a time.
const PAGE: usize = 64;

/// Copies all records of one state of `from` into `to`, which must be empty, and returns how many there were.
///
/// It is one transaction on either side: `to` has everything afterwards, or nothing. Others may go on writing to `from`.
///
/// # Errors
/// `Conflict`, when there is a record in `to`; otherwise as [`Store::transaction`].
///
/// ```
/// # fn main() -> ioenv::Result<()> {
/// use ioenv::store::{self, Memory, StoreExt, Precondition};
///
/// let (from, to) = (Memory::new(), Memory::new());
/// from.write(|tx| tx.put("greeting", "\"hello\"", Precondition::Absent))?;
/// assert_eq!(store::copy(&from, &to)?, 1);
/// assert_eq!(to.read(|tx| tx.get("greeting"))?.as_deref(), Some("\"hello\""));
/// assert!(store::copy(&from, &to).is_err(), "it is not empty any more");
/// # Ok(())
/// # }
/// ```
pub fn copy(from: &dyn Store, to: &dyn Store) -> Result<u64> {
    // A transaction inside another one of the same store may wait for itself.
    if std::ptr::addr_eq(from, to) {
        return Err(Error::new(ErrorKind::Conflict, "a store cannot be copied into itself: name another one"));
    }
    let mut copied = 0;
    from.transaction(Access::Read, &mut |source| {
        to.transaction(Access::Write, &mut |target| {
            copied = 0;
            let mut rest = KeyRange::prefix("");
            if !target.scan(&rest, Order::Ascending, 1)?.is_empty() {
                let message = "the store to copy into has records already: name an empty one";
                return Err(Error::new(ErrorKind::Conflict, message));
            }
            loop {
                let page = source.scan(&rest, Order::Ascending, PAGE)?;
                let Some(last) = page.last() else { return Ok(()) };
                for record in &page {
                    target.put(&record.key, &record.value, Precondition::Absent)?;
                    copied += 1;
                }
                rest = rest.after(&last.key);
            }
        })
    })?;
    Ok(copied)
}

#[cfg(test)]
mod tests {
    use crate::error::ErrorKind;
    use crate::store::copy::copy;
    use crate::store::memory::Memory;
    use crate::store::record::Record;
    use crate::store::transaction::{Store as _, StoreExt as _};

    #[test]
    fn several_pages_are_copied_and_nothing_into_itself() {
        let (from, to) = (Memory::new(), Memory::new());
        let record = |n: u32| Record { key: format!("key/{n}"), value: n.to_string() };
        from.append((0..1000).map(record).collect()).unwrap();
        assert_eq!(copy(&from, &to).unwrap(), 1000);
        assert_eq!(to.read(|tx| tx.get("key/999")).unwrap().as_deref(), Some("999"));
        assert_eq!(copy(&from, &from).unwrap_err().kind(), ErrorKind::Conflict);
    }
}
