use axum::http::StatusCode;

use super::body::Body;
use super::etag;
use super::place::Place;
use super::problem::Problem;
use crate::core::document::Kind;
use crate::core::limits::MAX_VALUE_BYTES;
use crate::core::name::VarName;
use crate::error::{Error, ErrorKind};
use crate::server::reply::{self, Reply};
use crate::server::request_context::RequestContext;
use crate::vault::{EntryScope, NewEntry, StoredEntry, UseCase};
use crate::wire::ioenv::{Variable, VariableList, VariableResponse};

pub(super) fn list(context: &RequestContext) -> Result<Reply, Problem> {
    let at = Place::environment(context)?;
    let which = at.valid(UseCase::ListEntries, scope(context))?;
    let mut found = at.session.entries(at.place(), which)?;
    Ok(etag::answer(context.headers(), found.revision, || {
        found.entries.sort_by(|a, b| a.metadata.name.cmp(&b.metadata.name));
        reply::json(StatusCode::OK, &VariableList { variables: found.entries.into_iter().map(variable).collect() })
    }))
}

/// Which variables a request asks for.
fn scope(context: &RequestContext) -> Result<EntryScope<'static>, Problem> {
    if context.query_all("inherited").any(|flag| !matches!(flag, "true" | "false")) {
        return Err(Problem::invalid("inherited must be true or false."));
    }
    Ok(if context.query("inherited") == Some("false") { EntryScope::Own } else { EntryScope::Resolved })
}

fn variable(entry: StoredEntry) -> Variable {
    Variable {
        key: entry.metadata.name.to_string(),
        value: Some(entry.value.into()),
        is_secret: entry.metadata.kind == Kind::Secret,
        updated_at: Some(entry.metadata.updated_at),
        inherited: Some(entry.inherited_from.is_some()),
    }
}

pub(super) fn export(context: &RequestContext) -> Result<Reply, Problem> {
    let at = Place::environment(context)?;
    let found = at.session.export(at.place())?;
    Ok(etag::answer(context.headers(), found.revision, || {
        reply::text(StatusCode::OK, found.resolve().to_document().to_export().expose_secret())
    }))
}

pub(super) fn put(context: &RequestContext) -> Result<Reply, Problem> {
    let at = Place::environment(context)?;
    let new = at.valid(UseCase::SetEntry, read(context))?;
    let precondition = etag::precondition(context.headers());
    let set = at.session.set_entry(at.place(), &new, Kind::Variable, &precondition).map_err(not_changed)?;
    let is_secret = set.kind == Kind::Secret;
    let variable = Variable {
        key: new.name.to_string(),
        value: (!is_secret).then(|| new.value.into()),
        is_secret,
        updated_at: Some(set.updated_at),
        inherited: None,
    };
    Ok(reply::json(StatusCode::OK, &VariableResponse { variable }))
}

pub(super) fn delete(context: &RequestContext) -> Result<Reply, Problem> {
    let at = Place::environment(context)?;
    let name = at.valid(UseCase::DeleteEntry, key(context))?;
    let precondition = etag::precondition(context.headers());
    let was_there = at.session.delete_entry(at.place(), &name, &precondition).map_err(not_changed)?;
    if was_there {
        Ok(reply::empty(StatusCode::NO_CONTENT))
    } else {
        Err(Problem::not_found("No such variable in this environment."))
    }
}

/// The variable that a request sets.
fn read(context: &RequestContext) -> Result<NewEntry, Problem> {
    let name = key(context)?;
    let body = Body::read(context.body()?)?;
    let value = body.required_text("value", "value must be a string.")?;
    let text = value.expose_secret();
    if text.len() > MAX_VALUE_BYTES {
        return Err(Problem::invalid("value must have at most 65536 bytes."));
    }
    if text.contains('\0') {
        return Err(Problem::invalid("value must not contain a NUL character."));
    }
    let mut new = NewEntry::new(name, value.clone());
    let is_secret = body.flag("isSecret", "isSecret must be a boolean.")?;
    new.kind = is_secret.map(|is_secret| if is_secret { Kind::Secret } else { Kind::Variable });
    Ok(new)
}

/// The name in the address. `export` is a name like any other, but an address of its own, too.
fn key(context: &RequestContext) -> Result<VarName, Problem> {
    let key = if context.has_parameter("key") { context.parameter("key") } else { "export" };
    key.parse().ok().filter(VarName::is_shell_name).ok_or_else(|| {
        Problem::invalid("key must have 1 to 255 of A-Z, a-z, 0-9 and _, and must not start with a digit.")
    })
}

fn not_changed(error: Error) -> Problem {
    match error.kind() {
        ErrorKind::Conflict => Problem::changed(),
        ErrorKind::Limit => Problem::invalid("This environment cannot hold that much: delete variables first."),
        _ => error.into(),
    }
}
