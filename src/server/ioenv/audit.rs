use axum::http::StatusCode;
use serde_json::Value;

use super::place::Place;
use super::problem::Problem;
use crate::server::reply::{self, Reply};
use crate::server::request_context::RequestContext;
use crate::vault::{
    ActorKind, AuditActor, AuditFilter, AuditRecord, Details, Id, Paging, PermissionSet, Resource, ResourceKind,
    UseCase, Vocabulary,
};
use crate::wire::ioenv as wire;
use crate::wire::word;

pub(super) fn list(context: &RequestContext) -> Result<Reply, Problem> {
    let at = Place::project(context)?;
    let (mut filter, paging) = at.valid(UseCase::ListAudit, read(context))?;
    filter.path = Some(at.path.clone());
    let page = at.session.audit(at.organization, &filter, &paging)?;
    let next = page.next.and_then(|id| Id::parse(&id).ok()).map(|id| id.to_prefixed("aud"));
    Ok(reply::json(StatusCode::OK, &wire::AuditPage { records: page.items.into_iter().map(record).collect(), next }))
}

/// Which records a request asks for.
fn read(context: &RequestContext) -> Result<(AuditFilter, Paging), Problem> {
    let mut paging = Paging::new();
    if let Some(limit) = context.query("limit") {
        let limit = limit.parse().ok().filter(|limit| *limit > 0);
        // More than a page can hold is a page.
        paging.limit = limit.ok_or_else(|| Problem::invalid("limit must be a number from 1 to 200."))?;
    }
    if let Some(before) = context.query("before") {
        let id = Id::parse_prefixed("aud", before);
        let id = id.map_err(|_| Problem::invalid("before must be what the page before had as next."))?;
        paging.after = Some(id.to_string());
    }
    let mut filter = AuditFilter::new();
    if let Some(action) = context.query("action") {
        let known = word::parse(action);
        let action = known.ok_or_else(|| Problem::invalid("action must be create, read, update or delete."))?;
        filter.action = Some(action);
    }
    if let Some(key) = context.query("key") {
        let name = key.parse().map_err(|_| Problem::invalid("key must be the name of a variable."))?;
        filter.name = Some(name);
    }
    Ok((filter, paging))
}

fn record(record: AuditRecord) -> wire::AuditRecord {
    wire::AuditRecord {
        id: record.id.to_prefixed("aud"),
        timestamp: record.timestamp,
        actor: actor(record.actor),
        ip: record.ip,
        action: record.action.into(),
        details: details(&record.resource, record.details),
        resource: resource(record.resource),
    }
}

fn actor(actor: AuditActor) -> wire::AuditActor {
    let prefix = if actor.kind == ActorKind::User { "usr" } else { "tok" };
    wire::AuditActor { kind: actor.kind.into(), id: actor.id.map(|id| id.to_prefixed(prefix)), name: actor.name }
}

fn resource(resource: Resource) -> wire::AuditResource {
    let prefix = match resource.kind {
        ResourceKind::Token => Some("tok"),
        ResourceKind::Member => Some("usr"),
        _ => None,
    };
    wire::AuditResource {
        kind: resource.kind.into(),
        id: resource.id.zip(prefix).map(|(id, prefix)| id.to_prefixed(prefix)),
        org_id: resource.organization.to_prefixed("org"),
        project_id: resource.project.map(|id| id.to_prefixed("proj")),
        env_id: resource.environment.map(|id| id.to_prefixed("env")),
        key: resource.key.map(|key| key.to_string()),
        name: resource.name,
    }
}

/// The details, with a token's permissions in the service's words, where these say all of them.
fn details(resource: &Resource, details: Details) -> Value {
    let permissions = details.get("permissions").filter(|_| resource.kind == ResourceKind::Token);
    let set = permissions.and_then(|words| serde_json::from_value::<PermissionSet>(words.clone()).ok());
    let words = set.map(|set| Vocabulary::Ioenv.words(set)).unwrap_or_default();
    let is_all = set.is_some_and(|set| Vocabulary::Ioenv.parse(&words).is_ok_and(|said| said == set));
    let details = if is_all { details.with("permissions", words) } else { details };
    details.into_json()
}
