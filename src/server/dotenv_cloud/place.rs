//! Where a request is meant to act, out of its address or its body.

use super::problem::Problem;
use crate::core::path::LevelPath;
use crate::server::request_context::RequestContext;
use crate::vault::OrganizationId;
use crate::wire::dotenv_cloud::level::Level;

/// The organization that an address names. It goes by its id, in either case.
pub(super) fn organization(context: &RequestContext) -> Result<OrganizationId, Problem> {
    OrganizationId::parse(context.parameter("organization")).map_err(|_| Problem::not_found())
}

/// The project, the target or the environment that an address names.
pub(super) fn level(context: &RequestContext) -> Result<LevelPath, Problem> {
    let names = ["project", "target", "environment"];
    path(names.into_iter().filter(|name| context.has_parameter(name)).map(|name| context.parameter(name)))
}

/// A path of slugs, broad to specific.
pub(super) fn path(slugs: impl IntoIterator<Item = impl AsRef<str>>) -> Result<LevelPath, Problem> {
    let mut path = String::new();
    for slug in slugs {
        let slug = slug.as_ref();
        if !has_address(slug) {
            return Err(Problem::not_found());
        }
        if !path.is_empty() {
            path.push('/');
        }
        path.push_str(slug);
    }
    LevelPath::new(&path).map_err(|_| Problem::not_found())
}

/// Whether what is called so can be asked for here. Other services take names that have no address in this one, so lists
/// leave those out.
pub(super) fn has_address(slug: &str) -> bool {
    !slug.is_empty() && slug.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-'))
}

/// What the level at a path is.
pub(super) fn level_kind(path: &LevelPath) -> Level {
    match path.segments().count() {
        1 => Level::Project,
        2 => Level::Target,
        _ => Level::Environment,
    }
}

/// The slug of the level at a path.
pub(super) fn source(path: &LevelPath) -> &str {
    path.segments().last().unwrap_or_default()
}
