use std::collections::BTreeMap;

use axum::http::StatusCode;

use super::{READ, invalid_name};
use crate::server::reply::{self, Reply};
use crate::server::request_context::RequestContext;
use crate::server::stashbase::caller::{ProjectRequest, or_project_not_found};
use crate::server::stashbase::name::secret_name;
use crate::server::stashbase::problem::Problem;
use crate::server::stashbase::query::is_true;
use crate::vault::{FoundEntry, Search};
use crate::wire::plain::Plain;
use crate::wire::stashbase::secret as wire;

/// The environments of a project that hold a secret of a name, or of a value.
pub(in crate::server::stashbase) fn search(context: &RequestContext) -> Result<Reply, Problem> {
    let at = ProjectRequest::open(context)?.above(READ)?;
    let search = match (context.query("name"), context.query("value")) {
        (Some(_), Some(_)) => {
            let code = "validation.search_secret_name_and_value_mutually_exclusive";
            return Err(Problem::invalid(code, "Search for a name or for a value, not for both."));
        }
        (None, None) => {
            let code = "validation.search_requires_name_or_value";
            return Err(Problem::invalid(code, "Give a name or a value to search for.")
                .with("required_query_params_any_of", ["name", "value"]));
        }
        (Some(name), None) => Search::Name(secret_name(name).ok_or_else(invalid_name)?),
        (None, Some(value)) => Search::Value(value.into()),
    };
    let with_values = is_true(context, "include_value")? | is_true(context, "return_values")?;
    let found = at.session().search_entries(at.place(), &search);
    let mut found = found.map_err(or_project_not_found)?;
    found.retain(|entry| entry.is_environment && entry.path.segments().count() == 2);

    if matches!(search, Search::Value(_)) {
        let mut groups: Vec<wire::FoundByValue> = Vec::new();
        // One value may be that of all there are.
        let mut places: BTreeMap<&str, usize> = BTreeMap::new();
        for entry in &found {
            let name = entry.name.as_str();
            let at = *places.entry(name).or_insert_with(|| {
                groups.push(wire::FoundByValue { secret_name: name.to_owned(), environments: Vec::new() });
                groups.len() - 1
            });
            groups[at].environments.push(place(entry));
        }
        return Ok(reply::json(StatusCode::OK, &groups));
    }
    let mut groups: Vec<wire::FoundByName> = Vec::new();
    for entry in &found {
        let is_same = |group: &&mut wire::FoundByName| match &group.secret_value {
            Some(value) => value.0.expose_secret() == entry.value.expose_secret(),
            None => true,
        };
        match groups.iter_mut().find(is_same) {
            Some(group) => group.environments.push(place(entry)),
            None => groups.push(wire::FoundByName {
                secret_value: with_values.then(|| Plain(entry.value.clone())),
                environments: vec![place(entry)],
            }),
        }
    }
    Ok(reply::json(StatusCode::OK, &groups))
}

fn place(entry: &FoundEntry) -> wire::FoundIn {
    wire::FoundIn {
        id: entry.level.to_prefixed("env"),
        name: entry.path.segments().last().unwrap_or_default().to_owned(),
    }
}
