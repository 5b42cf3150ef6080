use serde::{Deserialize, Serialize};

/// A page of a list.
#[derive(Debug, Deserialize, Serialize)]
pub(crate) struct Page<T> {
    pub(crate) data: Vec<T>,
    pub(crate) pagination: Pagination,
}

#[derive(Debug, Deserialize, Serialize)]
pub(crate) struct Pagination {
    pub(crate) page: usize,
    pub(crate) page_size: usize,
    pub(crate) total_items: usize,
    pub(crate) total_pages: usize,
    pub(crate) next_page: Option<usize>,
    pub(crate) prev_page: Option<usize>,
}
