//! Which part of a list is wanted, and in which order.

use super::problem::Problem;
use crate::server::request_context::RequestContext;
use crate::vault::Timestamp;
use crate::wire::dotenv_cloud::envelope::{List, PageMeta};

/// Items of a page, where it is not said how many.
const PER_PAGE: usize = 25;
/// Most items of a page.
const MAX_PER_PAGE: usize = 100;

/// Pages by number.
#[derive(Clone, Copy)]
pub(super) struct Paging {
    pub(super) page: usize,
    pub(super) per_page: usize,
}

impl Paging {
    /// What the query asks for; none, where it says nothing, which is all of the list: the service's own client reads one
    /// answer and asks for no second page.
    pub(super) fn of_query(context: &RequestContext) -> Result<Option<Self>, Problem> {
        if context.query("page").is_none() && context.query("per_page").is_none() {
            return Ok(None);
        }
        let number = |name| context.query(name).map(|text| text.parse::<u64>().map_err(|_| 0));
        let number = |name| number(name).map(|number: Result<u64, u64>| number.unwrap_or_else(|zero| zero));
        Self::new(number("page"), number("per_page")).map(Some).map_err(Problem::invalid)
    }

    /// The page of that number and length, or what is wrong with them.
    pub(super) fn new(page: Option<u64>, per_page: Option<u64>) -> Result<Self, Vec<(String, String)>> {
        let mut errors = Vec::new();
        let page = page.map_or(Some(1), |page| usize::try_from(page).ok().filter(|page| *page >= 1));
        if page.is_none() {
            errors.push(("page".to_owned(), "The page field must be at least 1.".to_owned()));
        }
        let per_page = per_page.map_or(Some(PER_PAGE), |per_page| usize::try_from(per_page).ok());
        let per_page = per_page.filter(|per_page| (1..=MAX_PER_PAGE).contains(per_page));
        if per_page.is_none() {
            let message = format!("The per page field must be between 1 and {MAX_PER_PAGE}.");
            errors.push(("per_page".to_owned(), message));
        }
        match (page, per_page) {
            (Some(page), Some(per_page)) => Ok(Self { page, per_page }),
            _ => Err(errors),
        }
    }

    /// Which items are on the page.
    pub(super) fn range(self, total: usize) -> std::ops::Range<usize> {
        let start = (self.page - 1).saturating_mul(self.per_page).min(total);
        start..start.saturating_add(self.per_page).min(total)
    }

    /// What is told of the page.
    pub(super) fn meta(self, total: usize) -> PageMeta {
        let last_page = total.div_ceil(self.per_page).max(1);
        PageMeta { current_page: self.page, last_page, per_page: self.per_page, total }
    }
}

/// What lists are sorted by.
pub(super) trait Sortable {
    fn name(&self) -> &str;
    fn created_at(&self) -> Timestamp;
}

/// The part of a list that a query asks for. What is wrong with the query is told at the end, because a caller who may not
/// see the list at all is told that first.
pub(super) struct Selection<'x> {
    paging: Result<Option<Paging>, Problem>,
    sort: Option<&'x str>,
    total: usize,
}

impl<'x> Selection<'x> {
    pub(super) fn of_query(context: &'x RequestContext) -> Self {
        Self { paging: Paging::of_query(context), sort: context.query("sort"), total: 0 }
    }

    /// Returns the wanted items of all that there are, in order.
    pub(super) fn select<T: Sortable>(&mut self, mut items: Vec<T>) -> Vec<T> {
        match self.sort {
            Some("name") => items.sort_by(|a, b| a.name().cmp(b.name())),
            Some("-name") => items.sort_by(|a, b| b.name().cmp(a.name())),
            Some("created_at") => items.sort_by_key(T::created_at),
            Some("-created_at") => items.sort_by_key(|item| std::cmp::Reverse(item.created_at())),
            // The service says nothing of others.
            _ => {}
        }
        self.total = items.len();
        match &self.paging {
            Ok(Some(paging)) => items.drain(paging.range(self.total)).collect(),
            Ok(None) => items,
            Err(_) => Vec::new(),
        }
    }

    /// Returns the selected items as they are sent.
    pub(super) fn list<R>(self, data: Vec<R>) -> Result<List<R>, Problem> {
        let paging = self.paging?.unwrap_or(Paging { page: 1, per_page: self.total.max(1) });
        Ok(List { data, meta: Some(paging.meta(self.total)) })
    }
}

/// The part of a list that the query asks for, each item made into what is sent.
pub(super) fn list<T: Sortable, R>(
    context: &RequestContext,
    items: Vec<T>,
    make: impl FnMut(T) -> R,
) -> Result<List<R>, Problem> {
    let mut selection = Selection::of_query(context);
    let data = selection.select(items).into_iter().map(make).collect();
    selection.list(data)
}
