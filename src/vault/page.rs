use crate::{Error, ErrorKind, Result};

/// Which part of a long list is wanted.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Paging {
    /// Where the page before ended: its [`Page::next`].
    pub after: Option<String>,
    /// Most items of the page: 1 to 200, or 50 when it is 0.
    pub limit: usize,
}

impl Paging {
    /// The first page, of that length.
    pub fn first(limit: usize) -> Self {
        Self { after: None, limit }
    }

    /// The page behind the one that ended with `next`.
    #[must_use]
    pub fn after(mut self, next: impl Into<String>) -> Self {
        self.after = Some(next.into());
        self
    }

    /// Where the page before ended, if that is told by a number.
    pub(super) fn after_number(&self) -> Result<Option<u32>> {
        let number = self.after.as_deref().map(str::parse).transpose();
        number
            .map_err(|_| Error::new(ErrorKind::InvalidValue, "a page begins where the page before says: pass that on"))
    }

    pub(super) fn limit(&self) -> usize {
        if self.limit == 0 { 50 } else { self.limit.min(200) }
    }
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
