//! Where a request is meant to act, out of its address or its body.

use super::super::exchange::Exchange;
use super::problem::Problem;
use crate::vault::Id;
use crate::{LevelPath, Slug};

/// The organization that an address names. It goes by its id, in either case.
pub(super) fn organization(exchange: &Exchange) -> Result<Id, Problem> {
    Id::parse(exchange.parameter("organization")).map_err(|_| Problem::not_found())
}

/// The project that an address names.
pub(super) fn project(exchange: &Exchange) -> Result<Slug, Problem> {
    let path = path([exchange.parameter("project")])?;
    Slug::new(path.project()).map_err(|_| Problem::not_found())
}

/// The project, the target or the environment that an address names.
pub(super) fn level(exchange: &Exchange) -> Result<LevelPath, Problem> {
    let names = ["project", "target", "environment"];
    path(names.into_iter().filter(|name| exchange.has_parameter(name)).map(|name| exchange.parameter(name)))
}

/// A path of slugs, broad to specific.
pub(super) fn path<'a>(slugs: impl IntoIterator<Item = &'a str>) -> Result<LevelPath, Problem> {
    let mut path = String::new();
    for slug in slugs {
        // What else there may be in a vault has no address in this service.
        if slug.is_empty() || !slug.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-')) {
            return Err(Problem::not_found());
        }
        if !path.is_empty() {
            path.push('/');
        }
        path.push_str(slug);
    }
    LevelPath::new(&path).map_err(|_| Problem::not_found())
}
