//! Changes of secrets. The service shows them in its dashboard alone; these are the addresses it once had for them.

use axum::http::StatusCode;
use serde_json::{Map, Value};

use super::caller::{At, EnvironmentRequest, or_not_found};
use super::name::{change_id, change_id_text};
use super::problem::Problem;
use super::query::{Part, is_true};
use crate::error::{Error, ErrorKind};
use crate::server::reply::{self, Reply};
use crate::server::request_context::RequestContext;
use crate::vault::{Change, ChangedEntry, Permission, PermissionSet};
use crate::wire::plain::Plain;
use crate::wire::stashbase::change as wire;

const READ: PermissionSet = PermissionSet::of(&[Permission::SecretHistory]);
const RESTORE: PermissionSet = PermissionSet::of(&[Permission::SecretRestore]);

pub(super) fn list(context: &RequestContext) -> Result<Reply, Problem> {
    let at = EnvironmentRequest::open(context)?.at(READ)?;
    let part = Part::read_limit(context)?;
    let with_values = is_true(context, "with_values")?;
    let (changes, total) = at.session().changes_from(at.place(), part.skip(), part.page_size())?;
    if part.is_beyond(total) {
        return Err(Problem::not_found("resource.page_not_found", "There are fewer pages.")
            .with("pages_available", part.pages(total)));
    }
    let data = changes.into_iter().map(|change| shown(change, with_values)).collect();
    Ok(reply::json(StatusCode::OK, &part.of(data, total)))
}

pub(super) fn read(context: &RequestContext) -> Result<Reply, Problem> {
    let (at, id) = open(context, READ)?;
    let change = at.session().change(at.place(), id).map_err(or_change_not_found)?;
    Ok(reply::json(StatusCode::OK, &shown(change, true)))
}

/// Brings the environment back to what it held after a change.
pub(super) fn revert(context: &RequestContext) -> Result<Reply, Problem> {
    let (at, id) = open(context, RESTORE)?;
    let result = at.session().roll_back(at.place(), id).map_err(or_change_not_found)?;
    Ok(match result {
        Some(id) => reply::json(StatusCode::CREATED, &wire::Reverted { id: change_id_text(id) }),
        None => reply::json(StatusCode::OK, &Map::<String, Value>::new()),
    })
}

fn open(context: &RequestContext, needed: PermissionSet) -> Result<(At<'_>, u64), Problem> {
    let request = EnvironmentRequest::open(context)?;
    let id = change_id(context.parameter("change"))?;
    let at = request.at(needed)?;
    Ok((at, id.ok_or_else(not_found)?))
}

fn not_found() -> Problem {
    Problem::not_found("resource.change_not_found", "Change not found.")
}

/// What is too old to be opened is as if it were gone.
fn or_change_not_found(error: Error) -> Problem {
    if error.kind() == ErrorKind::VersionLocked { not_found() } else { or_not_found(not_found)(error) }
}

fn shown(change: Change, with_values: bool) -> wire::Change {
    let mut changes = wire::Changes::default();
    for ChangedEntry { old_name, old_value, new_name, new_value, .. } in change.entries {
        let shown = |value| if with_values { value } else { None };
        let is_same_value = match (&old_value, &new_value) {
            (Some(old), Some(new)) => old.expose_secret() == new.expose_secret(),
            // Nobody is told.
            _ => true,
        };
        let [old_value, new_value] = [old_value, new_value].map(|value| shown(value).map(Plain));
        match (old_name.map(|name| name.to_string()), new_name.map(|name| name.to_string())) {
            (Some(old_name), Some(new_name)) if old_name != new_name => {
                if !is_same_value {
                    let (name, new_value) = (new_name.clone(), new_value.clone());
                    changes.updated.push(wire::Updated { name, old_value, new_value });
                }
                changes.renamed.push(wire::Renamed { old_name, new_name, value: new_value });
            }
            (Some(_), Some(name)) => changes.updated.push(wire::Updated { name, old_value, new_value }),
            (None, Some(new_name)) => changes.new.push(wire::New { new_name, new_value }),
            (Some(old_name), None) => changes.deleted.push(wire::Deleted { old_name, old_value }),
            (None, None) => {}
        }
    }
    wire::Change {
        id: change_id_text(change.id),
        created_at: change.at,
        user: change.by.name.map(|name| wire::User { name }),
        change: changes,
    }
}
