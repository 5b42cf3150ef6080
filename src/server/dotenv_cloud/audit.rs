//! The audit log, which the service itself shows in its web pages only.

use axum::http::StatusCode;

use super::level_request::LevelRequest;
use super::problem::Problem;
use crate::server::reply::{self, Reply};
use crate::server::request_context::RequestContext;
use crate::vault::{Action, AuditFilter, AuditRecord, Id, Paging, Permission, Resource as Subject, ResourceKind};
use crate::wire::dotenv_cloud::audit as wire;
use crate::wire::dotenv_cloud::audit::{AuditResourceKind, Outcome};
use crate::wire::dotenv_cloud::envelope::{Resource, ResourceKind as DocumentKind};
use crate::wire::word::Word;

/// Records of a page, where it is not said how many.
const PER_PAGE: usize = 25;
/// Most records of a page.
const MAX_PER_PAGE: usize = 100;

pub(super) fn list(context: &RequestContext) -> Result<Reply, Problem> {
    let request = LevelRequest::read(context, &[Permission::AuditRead])?;
    let paging = paging(context).or_else(|problem| {
        request.check()?;
        Err(problem)
    })?;
    let page = request.session.audit(request.organization, &AuditFilter::new(), &paging)?;
    let data = page.items.into_iter().map(resource).collect();
    let meta = wire::CursorMeta { per_page: paging.limit, next: page.next };
    Ok(reply::json(StatusCode::OK, &wire::AuditLog { data, meta }))
}

/// A log grows at its beginning, so that its pages have no numbers; each says where the next one begins.
fn paging(context: &RequestContext) -> Result<Paging, Problem> {
    let per_page = context.query("per_page").map_or(Some(PER_PAGE), |text| text.parse().ok());
    let Some(per_page) = per_page.filter(|per_page| (1..=MAX_PER_PAGE).contains(per_page)) else {
        let message = format!("The per page field must be between 1 and {MAX_PER_PAGE}.");
        return Err(Problem::field("per_page", message));
    };
    match context.query("after") {
        None => Ok(Paging::new().limit(per_page)),
        Some(after) if Id::parse(after).is_ok() => Ok(Paging::new().limit(per_page).after(after)),
        Some(_) => Err(Problem::field("after", "The after field must be what the page before says as `meta.next`.")),
    }
}

/// A record as it is sent.
fn resource(record: AuditRecord) -> Resource<wire::AuditRecord> {
    let action = action(&record);
    let resource = wire::AuditResource {
        kind: AuditResourceKind::from(record.resource.kind).into(),
        id: subject(&record.resource).map(|id| id.to_string()),
        path: record.resource.path.map(|path| path.to_string()),
    };
    Resource {
        kind: DocumentKind::AuditRecord.into(),
        id: record.id.to_string(),
        attributes: wire::AuditRecord {
            at: record.timestamp,
            organization: record.resource.organization.to_string(),
            actor: wire::AuditActor {
                kind: wire::ActorKind::from(record.actor.kind).into(),
                id: record.actor.id.map(|id| id.to_string()),
                name: record.actor.name,
            },
            action,
            resource,
            outcome: Outcome::Success.into(),
            ip: record.ip,
            details: record.details.into_json(),
        },
    }
}

/// The id of what something was done to.
fn subject(resource: &Subject) -> Option<Id> {
    match resource.kind {
        ResourceKind::Organization => Some(resource.organization.into()),
        _ => resource.id.or(resource.environment.map(Id::from)).or(resource.project.map(Id::from)),
    }
}

/// What was done, such as `project.created`.
fn action(record: &AuditRecord) -> String {
    let operation = record.details.operation().unwrap_or_default();
    let action = match (record.resource.kind, record.action, operation) {
        (ResourceKind::Level, Action::Update, "restore") => "secret_version.restored",
        (ResourceKind::Level, Action::Create | Action::Update, _) => "secret.stored",
        (ResourceKind::Level | ResourceKind::Version, Action::Delete, "purge") => "secret_history.purged",
        (ResourceKind::Key, Action::Read, "key") => "key.retrieved",
        (ResourceKind::Key, Action::Update, "rotate") => "key.rotated",
        (ResourceKind::Key, Action::Update, "custody") => "key.custody_changed",
        (ResourceKind::Key, Action::Update, "reencrypt") => "secret_history.reencrypted",
        (ResourceKind::Token, Action::Update, "rotate") => "api_token.rotated",
        (ResourceKind::Invitation, Action::Create, _) => "member.invited",
        (ResourceKind::Member, Action::Create, _) => "member.added",
        (ResourceKind::Member, Action::Update, _) => "member.role_changed",
        (ResourceKind::Member, Action::Delete, _) => "member.removed",
        (kind, action, _) => {
            let done = match action {
                Action::Create => "created",
                Action::Read => "read",
                Action::Update => "updated",
                Action::Delete => "deleted",
            };
            return format!("{}.{done}", Word::from(AuditResourceKind::from(kind)));
        }
    };
    action.to_owned()
}
