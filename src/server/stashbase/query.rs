//! What is asked for behind the `?`, and bodies.

use serde::de::DeserializeOwned;

use super::problem::Problem;
use crate::server::request_context::RequestContext;
use crate::wire::stashbase::page::{Page, Pagination};

const MAX_PAGE: usize = 1000;

/// Which part of a list is wanted.
#[derive(Clone, Copy)]
pub(super) struct Part {
    page: usize,
    page_size: usize,
}

impl Part {
    /// `page` and `page_size`.
    pub(super) fn read(context: &RequestContext) -> Result<Self, Problem> {
        let code = "validation.invalid_page_size";
        let page_size = number(context, "page_size", (2, 30, 10), code, "A page has 2 to 30 items.")?;
        Ok(Self { page: page(context)?, page_size })
    }

    /// `page` and `limit`, as the history has them.
    pub(super) fn read_limit(context: &RequestContext) -> Result<Self, Problem> {
        let code = "validation.invalid_limit";
        let page_size = number(context, "limit", (2, 10, 5), code, "The limit is 2 to 10.")?;
        Ok(Self { page: page(context)?, page_size })
    }

    pub(super) fn skip(self) -> usize {
        (self.page - 1) * self.page_size
    }

    pub(super) fn page_size(self) -> usize {
        self.page_size
    }

    /// The items of this part, out of all that there are.
    pub(super) fn select<T>(self, items: Vec<T>) -> Vec<T> {
        items.into_iter().skip(self.skip()).take(self.page_size).collect()
    }

    /// How many parts of this size a list of so many items has.
    pub(super) fn pages(self, total_items: usize) -> usize {
        total_items.div_ceil(self.page_size)
    }

    /// Whether it lies behind the last of them.
    pub(super) fn is_beyond(self, total_items: usize) -> bool {
        self.page > self.pages(total_items).max(1)
    }

    /// The part of a list of so many items.
    pub(super) fn of<T>(self, data: Vec<T>, total_items: usize) -> Page<T> {
        let Self { page, page_size } = self;
        let total_pages = self.pages(total_items);
        let next_page = (page < total_pages).then_some(page + 1);
        // Behind the last page, the last one is before.
        let prev_page = (page > 1 && total_pages > 0).then(|| (page - 1).min(total_pages));
        Page { data, pagination: Pagination { page, page_size, total_items, total_pages, next_page, prev_page } }
    }
}

fn page(context: &RequestContext) -> Result<usize, Problem> {
    number(context, "page", (1, MAX_PAGE, 1), "validation.invalid_page", "Pages are 1 to 1000.")
}

fn number(
    context: &RequestContext,
    name: &str,
    (min, max, default): (usize, usize, usize),
    code: &'static str,
    message: &'static str,
) -> Result<usize, Problem> {
    let Some(text) = context.query(name) else {
        return Ok(default);
    };
    let number = text.parse().ok().filter(|number| (min..=max).contains(number));
    number.ok_or_else(|| Problem::invalid(code, message).with("min", min).with("max", max).with("default", default))
}

/// In which order a list is wanted.
#[derive(Clone, Copy)]
pub(super) struct Sorting<'x> {
    pub(super) by: &'x str,
    pub(super) is_descending: bool,
}

impl<'x> Sorting<'x> {
    /// By one of these, the first one unless said otherwise.
    pub(super) fn read(context: &'x RequestContext, allowed: &[&'static str], default: &str) -> Result<Self, Problem> {
        let by = context.query("sort_by").unwrap_or(allowed[0]);
        if !allowed.contains(&by) {
            return Err(Problem::invalid("validation.invalid_sort_by", "The list cannot be sorted by this.")
                .with("allowed_values", allowed));
        }
        let is_descending = match context.query("order").unwrap_or(default) {
            "asc" => false,
            "desc" => true,
            _ => {
                return Err(Problem::invalid("validation.invalid_order", "The order is asc or desc.")
                    .with("allowed_values", ["asc", "desc"]));
            }
        };
        Ok(Self { by, is_descending })
    }

    /// Sorts by what a key is made of; what is the same in that stays as it was.
    pub(super) fn sort<T, K: Ord>(self, items: &mut [T], key: impl Fn(&T) -> K) {
        items.sort_by(|a, b| {
            let order = key(a).cmp(&key(b));
            if self.is_descending { order.reverse() } else { order }
        });
    }
}

/// Whether a name holds what is searched for, in either case.
pub(super) fn matches(name: &str, search: Option<&str>) -> bool {
    search.is_none_or(|search| name.to_ascii_lowercase().contains(&search.to_ascii_lowercase()))
}

/// A flag of the query, if it is there.
pub(super) fn flag(context: &RequestContext, name: &str) -> Result<Option<bool>, Problem> {
    if context.query_all(name).any(|flag| !matches!(flag, "true" | "false")) {
        return Err(Problem::bad_request("Flags in the query are true or false."));
    }
    Ok(context.query(name).map(|flag| flag == "true"))
}

/// Whether a flag of the query is set.
pub(super) fn is_true(context: &RequestContext, name: &str) -> Result<bool, Problem> {
    Ok(flag(context, name)?.unwrap_or_default())
}

/// The words of a list that commas part.
pub(super) fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(',').map(str::trim).filter(|word| !word.is_empty())
}

/// The body as JSON of that form. What is wrong with it is not told, because that would repeat it.
pub(super) fn body<T: DeserializeOwned>(context: &RequestContext) -> Result<T, Problem> {
    serde_json::from_slice(context.body()?)
        .map_err(|_| Problem::bad_request("The body is not the JSON that this takes."))
}
