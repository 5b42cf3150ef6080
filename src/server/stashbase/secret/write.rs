use axum::http::StatusCode;

use super::check;
use super::{DELETE, WRITE};
use crate::core::document::Kind;
use crate::core::name::VarName;
use crate::error::{Error, ErrorKind};
use crate::server::reply::{self, Reply};
use crate::server::request_context::RequestContext;
use crate::server::stashbase::caller::EnvironmentRequest;
use crate::server::stashbase::name::secret_name;
use crate::server::stashbase::problem::Problem;
use crate::server::stashbase::query::body;
use crate::vault::{EntryUpdate, NewEntry};
use crate::wire::plain::Plain;
use crate::wire::stashbase::secret as wire;

pub(in crate::server::stashbase) fn create(context: &RequestContext) -> Result<Reply, Problem> {
    let at = EnvironmentRequest::open(context)?.at(WRITE)?;
    let entries = new_entries(body(context)?)?;
    let created = at.session().create_entries(at.place(), &entries)?;
    let body = wire::Created { created_count: created.created.len(), existing_secrets: texts(&created.existing) };
    Ok(reply::json(StatusCode::CREATED, &body))
}

pub(in crate::server::stashbase) fn set(context: &RequestContext) -> Result<Reply, Problem> {
    let at = EnvironmentRequest::open(context)?.at(WRITE)?;
    let mut entries = new_entries(body(context)?)?;
    for entry in &mut entries {
        // What is there stays what it is.
        entry.kind = None;
    }
    let set = at.session().set_entries(at.place(), &entries)?;
    let body = wire::Set { created_count: set.created.len(), updated_count: set.updated.len() };
    Ok(reply::json(StatusCode::OK, &body))
}

/// Secrets that are to be made, once they are such as the service takes.
pub(in crate::server::stashbase) fn new_entries(secrets: Vec<wire::NewSecret>) -> Result<Vec<NewEntry>, Problem> {
    let texts: Vec<&str> = secrets.iter().map(|secret| secret.name.as_str()).collect();
    let names = check::names(&texts)?;
    check::none(DUPLICATE_NAMES.0, DUPLICATE_NAMES.1, check::duplicates(&texts))?;
    let comments: Vec<Option<String>> = secrets.iter().map(|secret| comment(secret.comment.as_ref())).collect();
    let values = secrets.iter().map(|secret| Some(&secret.value));
    check_sizes(&texts, &values.collect::<Vec<_>>(), &comments)?;
    let entries = names.into_iter().zip(secrets).zip(comments).map(|((name, secret), comment)| {
        let mut entry = NewEntry::new(name, secret.value.0).kind(Kind::Secret);
        entry.comment = comment.into();
        entry
    });
    Ok(entries.collect())
}

pub(in crate::server::stashbase) fn update(context: &RequestContext) -> Result<Reply, Problem> {
    let at = EnvironmentRequest::open(context)?.at(WRITE)?;
    let updates = updates(body(context)?)?;
    let result = at.session().update_entries(at.place(), &updates).map_err(or_name_taken)?;
    let body = wire::Updates { updated_count: result.updated.len(), not_found_secrets: texts(&result.not_found) };
    Ok(reply::json(StatusCode::OK, &body))
}

fn updates(wanted: Vec<wire::SecretUpdate>) -> Result<Vec<EntryUpdate>, Problem> {
    let texts: Vec<&str> = wanted.iter().map(|update| update.name.as_str()).collect();
    let names = check::names(&texts)?;
    let new_texts: Vec<&str> = wanted.iter().filter_map(|update| update.new_name.as_deref()).collect();
    let new_names: Vec<Option<VarName>> =
        wanted.iter().map(|update| update.new_name.as_deref().and_then(secret_name)).collect();
    check::none(
        "validation.invalid_new_secret_names",
        "The new name of a secret is 2 to 255 of A-Z, 0-9 and _, and does not begin with a digit.",
        wanted.iter().zip(&new_names).filter_map(|(update, new)| update.new_name.as_deref().filter(|_| new.is_none())),
    )?;
    let is_empty =
        |update: &&wire::SecretUpdate| update.new_name.is_none() && update.value.is_none() && update.comment.is_none();
    check::none(
        "validation.missing_properties_to_update",
        "Nothing is given that is to change about a secret.",
        wanted.iter().filter(is_empty).map(|update| update.name.as_str()),
    )?;
    check::none(DUPLICATE_NAMES.0, DUPLICATE_NAMES.1, check::duplicates(&texts))?;
    check::none(
        "validation.duplicate_new_secret_names",
        "Two secrets cannot have the same new name.",
        check::duplicates(&new_texts),
    )?;
    check::none(
        "validation.new_secret_names_same_as_names",
        "The new name of a secret is the one it has.",
        wanted
            .iter()
            .filter(|update| update.new_name.as_ref() == Some(&update.name))
            .map(|update| update.name.as_str()),
    )?;
    let comments: Vec<Option<String>> = wanted.iter().map(|update| comment(update.comment.as_ref())).collect();
    let values = wanted.iter().map(|update| update.value.as_ref());
    check_sizes(&texts, &values.collect::<Vec<_>>(), &comments)?;
    let updates = names.into_iter().zip(new_names).zip(wanted).zip(comments).map(|(((name, new), update), comment)| {
        let mut wanted = EntryUpdate::new(name);
        wanted.new_name = new;
        wanted.value = update.value.map(|value| value.0);
        wanted.comment = comment.into();
        wanted
    });
    Ok(updates.collect())
}

pub(in crate::server::stashbase) fn remove(context: &RequestContext) -> Result<Reply, Problem> {
    let at = EnvironmentRequest::open(context)?.at(DELETE)?;
    let wanted: Vec<String> = body(context)?;
    let names = check::names(&wanted.iter().map(String::as_str).collect::<Vec<_>>())?;
    let deleted = at.session().delete_entries(at.place(), &names)?;
    let body = wire::Deletions { deleted_count: deleted.deleted.len(), not_found_secrets: texts(&deleted.not_found) };
    Ok(reply::json(StatusCode::OK, &body))
}

pub(in crate::server::stashbase) fn remove_all(context: &RequestContext) -> Result<Reply, Problem> {
    let at = EnvironmentRequest::open(context)?.at(DELETE)?;
    let deleted_count = at.session().delete_all_entries(at.place())?;
    Ok(reply::json(StatusCode::OK, &wire::DeletedAll { deleted_count }))
}

const DUPLICATE_NAMES: (&str, &str) = ("validation.duplicate_secret_names", "A secret is given twice.");

/// A comment as the vault takes it: nothing for one that is to stay as it is, and an empty one to remove it.
fn comment(given: Option<&Option<String>>) -> Option<String> {
    given.map(|comment| comment.as_deref().map(check::formatted).unwrap_or_default())
}

/// Refuses values and comments that are too long.
fn check_sizes(names: &[&str], values: &[Option<&Plain>], comments: &[Option<String>]) -> Result<(), Problem> {
    let is_long = |value: &Plain| check::is_value_too_long(value.0.expose_secret());
    check::none(
        "validation.secret_values_too_long",
        "The value of a secret has at most 16384 bytes.",
        names.iter().zip(values).filter(|(_, value)| value.is_some_and(is_long)).map(|(name, _)| *name),
    )?;
    check::none(
        "validation.secret_comments_too_long",
        "The comment of a secret has at most 512 characters.",
        names
            .iter()
            .zip(comments)
            .filter(|(_, comment)| comment.as_deref().is_some_and(check::is_comment_too_long))
            .map(|(name, _)| *name),
    )
}

/// Tells of which new names other secrets have already.
fn or_name_taken(error: Error) -> Problem {
    if error.kind() == ErrorKind::Conflict && !error.names().is_empty() {
        let message = "Another secret has the new name already.";
        return Problem::conflict("validation.secrets_already_exist", message)
            .with("secret_names", texts(&error.names()));
    }
    error.into()
}

fn texts(names: &[VarName]) -> Vec<String> {
    names.iter().map(ToString::to_string).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    #[test]
    fn lists_are_refused_for_what_the_service_refuses_them() {
        let vectors: Value = serde_json::from_str(include_str!("../../../../tests/vectors/stashbase.json")).unwrap();
        let cases = vectors["secrets_write_validation"].as_array().unwrap();
        assert!(!cases.is_empty());
        for case in cases {
            let body = case["body"].clone();
            let result = match case["operation"].as_str().unwrap() {
                "update" => updates(serde_json::from_value(body).unwrap()).map(drop),
                "delete" => {
                    let names: Vec<String> = serde_json::from_value(body).unwrap();
                    check::names(&names.iter().map(String::as_str).collect::<Vec<_>>()).map(drop)
                }
                _ => new_entries(serde_json::from_value(body).unwrap()).map(drop),
            };
            let answer = result.map_or_else(|problem| problem.described(), |()| Value::Null);
            let mut expected = case["expect"].clone();
            if let Some(expected) = expected.as_object_mut() {
                expected.entry("details").or_insert_with(|| Value::Object(serde_json::Map::new()));
            }
            assert_eq!(answer, expected, "{}", case["id"]);
        }
    }
}
