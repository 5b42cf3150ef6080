//! dotenv.cloud: `/api/v1/…`. Members stand in the order in which the service sends them.

mod project;

use serde::Serialize;

pub(crate) use self::project::Project;

/// Something of a kind, with an id.
#[derive(Debug, Serialize)]
pub(crate) struct Resource<A> {
    pub(crate) r#type: &'static str,
    pub(crate) id: String,
    pub(crate) attributes: A,
}

/// One of something.
#[derive(Debug, Serialize)]
pub(crate) struct Single<T> {
    pub(crate) data: T,
}

/// Several of something, perhaps a page of them.
#[derive(Debug, Serialize)]
pub(crate) struct List<T> {
    pub(crate) data: Vec<T>,
    pub(crate) meta: PageMeta,
}

/// Which part of a list this is.
#[derive(Clone, Copy, Debug, Serialize)]
pub(crate) struct PageMeta {
    pub(crate) current_page: usize,
    pub(crate) last_page: usize,
    pub(crate) per_page: usize,
    pub(crate) total: usize,
}
