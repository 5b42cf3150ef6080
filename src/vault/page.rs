use crate::core::id::Id;
use crate::error::{Error, ErrorKind, Result};
use crate::store::{KeyRange, Order, Record, Transaction};
use crate::vault::setters::setters;

/// Most items of a page.
const MAX_LIMIT: usize = 200;

/// Which part of a long list is wanted.
#[derive(Clone, Debug, Default)]
pub struct Paging {
    pub(crate) after: Option<String>,
    pub(crate) limit: usize,
}

impl Paging {
    /// Creates a request for the first page of 50 items.
    pub fn new() -> Self {
        Self::default()
    }

    setters! {
        /// Sets where the previous page ended, its [`Page::next`].
        after: Option<impl Into<String>>;
        /// Sets the most items of the page: 1 to 200; 0 means 50.
        limit: usize;
    }

    /// Where the page before ended, if that is told by a number.
    pub(super) fn after_number(&self) -> Result<Option<u32>> {
        let number = self.after.as_deref().map(str::parse).transpose();
        number.map_err(|_| no_such_page())
    }

    /// The records of one page, of which the keys end with an id, and where the next page begins.
    pub(super) fn scan(
        &self,
        tx: &mut dyn Transaction,
        range: KeyRange,
        order: Order,
    ) -> Result<(Vec<Record>, Option<String>)> {
        let after = self.after.as_deref().map(Id::parse).transpose().map_err(|_| no_such_page())?;
        let range = match after {
            Some(id) => {
                let last = format!("{}{id}", range.start);
                if order == Order::Ascending { range.after(&last) } else { range.before(&last) }
            }
            None => range,
        };
        // One more than is wanted tells whether there is another page.
        let mut records = tx.scan(&range, order, self.page_size() + 1)?;
        let next = if records.len() > self.page_size() {
            records.truncate(self.page_size());
            records.last().and_then(|record| record.key.rsplit('/').next()).map(str::to_owned)
        } else {
            None
        };
        Ok((records, next))
    }

    pub(super) fn page_size(&self) -> usize {
        if self.limit == 0 { 50 } else { self.limit.min(MAX_LIMIT) }
    }
}

#[cold]
pub(super) fn no_such_page() -> Error {
    Error::new(ErrorKind::InvalidValue, "a page begins where the page before says: pass that on")
}

/// One part of a long list.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Page<T> {
    /// The items, in order.
    pub items: Vec<T>,
    /// Where the next page begins; none, if this is the last one.
    pub next: Option<String>,
}

impl<T> Page<T> {
    /// Reads a whole list, page by page.
    ///
    /// ```
    /// # fn main() -> ioenv::Result<()> {
    /// # use ioenv::store::Memory;
    /// # use ioenv::vault::{Actor, NewOrganization, RootKey, Vault};
    /// # use ioenv::SystemRandom;
    /// use ioenv::vault::Page;
    ///
    /// # let vault = Vault::create(Memory::new(), &RootKey::generate(&SystemRandom)?)?;
    /// # let session = vault.session(Actor::system("setup"));
    /// # let organization = session.create_organization(&NewOrganization::new("Acme"))?.id;
    /// let members = Page::all(|paging| session.members(organization, paging))?;
    /// assert!(members.is_empty());
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// Those of `read`, which reads one page.
    pub fn all(read: impl FnMut(&Paging) -> Result<Self>) -> Result<Vec<T>> {
        Self::first(usize::MAX, read)
    }

    /// Reads the first items of a list, at most `count`, page by page.
    ///
    /// # Errors
    /// Those of `read`, which reads one page.
    pub fn first(count: usize, mut read: impl FnMut(&Paging) -> Result<Self>) -> Result<Vec<T>> {
        let mut items = Vec::new();
        let mut paging = Paging::new().limit(count.min(MAX_LIMIT));
        while items.len() < count {
            let page = read(&paging)?;
            items.extend(page.items);
            match page.next {
                Some(next) => paging = paging.after(next),
                None => break,
            }
        }
        items.truncate(count);
        Ok(items)
    }
}
