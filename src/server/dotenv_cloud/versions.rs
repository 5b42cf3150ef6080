//! Former contents of levels.

use axum::http::StatusCode;

use super::fields;
use super::level_request::LevelRequest;
use super::paging::Paging;
use super::problem::Problem;
use super::{keys, place};
use crate::core::audit::AuditActor;
use crate::server::reply::{self, Reply};
use crate::server::request_context::RequestContext;
use crate::vault::At;
use crate::vault::{Confirmation, Custody, Permission, PurgeScope, Restore, Version};
use crate::wire::dotenv_cloud::envelope::{Done, List, Resource, ResourceKind, Single};
use crate::wire::dotenv_cloud::secret::Restoration;
use crate::wire::dotenv_cloud::version::{
    LockedReason, Purged, VersionAttributes, VersionAuthor, VersionMetadata, VersionWithContent,
};
use crate::wire::plain::Plain;

pub(super) fn list(context: &RequestContext) -> Result<Reply, Problem> {
    let request = LevelRequest::read(context, &[Permission::SecretHistory])?;
    let (path, paging) = request.level_body(|fields| {
        let (page, per_page) = (fields.number("page"), fields.number("per_page"));
        Paging::new(page, per_page).unwrap_or_else(|errors| {
            for (field, message) in errors {
                fields.refuse(&field, message);
            }
            Paging { page: 1, per_page: 1 }
        })
    })?;
    let offset = (paging.page - 1).saturating_mul(paging.per_page);
    let (versions, total) =
        request.session.versions_from(At::Path(request.organization, &path), offset, paging.per_page)?;
    let data = versions.into_iter().map(|version| {
        let id = version.id.to_string();
        Resource { kind: ResourceKind::Version.into(), id, attributes: attributes(version) }
    });
    Ok(reply::json(StatusCode::OK, &List { data: data.collect(), meta: Some(paging.meta(total)) }))
}

pub(super) fn read(context: &RequestContext) -> Result<Reply, Problem> {
    let request = LevelRequest::read(context, &[Permission::SecretHistory])?;
    let found = request.session.version(request.organization, number(context, &request)?)?;
    let data = VersionWithContent {
        kind: ResourceKind::Version.into(),
        id: found.version.id.to_string(),
        attributes: attributes(found.version),
        content: Plain(found.content.to_string().into()),
        key: Some(keys::entry(found.key)),
    };
    Ok(reply::json(StatusCode::OK, &Single { data }))
}

pub(super) fn restore(context: &RequestContext) -> Result<Reply, Problem> {
    let request = LevelRequest::read(context, &[Permission::SecretRestore])?;
    let number = number(context, &request)?;
    let restore = request.body(|fields| {
        let blob = fields.secret("content").and_then(|text| fields.blob("content", &text));
        Restore { content: blob, key_proof: fields.secret("key_proof") }
    })?;
    let level = request.session.restore_version(request.organization, number, &restore)?;
    let data = Restoration {
        kind: ResourceKind::Secrets.into(),
        secret_id: level.to_string(),
        restored_from: number.to_string(),
    };
    Ok(reply::json(StatusCode::OK, &Done { data, message: "The version was restored.".to_owned() }))
}

pub(super) fn delete(context: &RequestContext) -> Result<Reply, Problem> {
    let request = LevelRequest::read(context, &[Permission::SecretPurge])?;
    let number = number(context, &request)?;
    let queried = context.query("force").map(fields::query_flag);
    let force = request.body(|fields| {
        if queried == Some(None) {
            fields.refuse("force", fields::not_a_flag("force"));
        }
        fields.flag("force").unwrap_or_default()
    })?;
    let force = force || queried == Some(Some(true));
    request.session.delete_version(request.organization, number, Confirmation::from_flag(force))?;
    Ok(reply::empty(StatusCode::NO_CONTENT))
}

pub(super) fn purge(context: &RequestContext) -> Result<Reply, Problem> {
    let request = LevelRequest::read(context, &[Permission::SecretPurge])?;
    let (path, (scope, confirmation)) = request.level_body(|fields| {
        let scope = fields.choice("scope").unwrap_or(PurgeScope::Level);
        (scope, fields.confirmation("confirmed"))
    })?;
    let purged_count = request.session.purge_versions(At::Path(request.organization, &path), scope, confirmation)?;
    let done = Done { data: Purged { purged_count }, message: "The versions were removed.".to_owned() };
    Ok(reply::json(StatusCode::OK, &done))
}

/// The version that the address names.
fn number(context: &RequestContext, request: &LevelRequest<'_>) -> Result<u64, Problem> {
    let text = context.parameter("version");
    let number = if text.bytes().all(|byte| byte.is_ascii_digit()) { text.parse().ok() } else { None };
    number.map_or_else(|| request.check().and(Err(Problem::not_found())), Ok)
}

fn attributes(version: Version) -> VersionAttributes {
    VersionAttributes {
        action: version.action.into(),
        size_bytes: version.bytes,
        is_client_encrypted: version.custody == Custody::Client,
        encryption_key_version: version.key_version.to_string(),
        key_version: version.key_version.to_string(),
        created_at: Some(version.created_at),
        created_by: author(version.created_by),
        metadata: VersionMetadata {
            level: Some(place::level_kind(&version.path).into()),
            source: Some(place::source(&version.path).to_owned()),
        },
        locked: version.is_locked,
        locked_reason: version.is_locked.then(|| LockedReason::Retention.into()),
    }
}

/// Nobody, for a trusted program, which clients call the system.
fn author(actor: AuditActor) -> Option<VersionAuthor> {
    let (id, name) = (actor.id?, actor.name?);
    // Clients read a number. 48 random bits of the id tell people apart, and are exact in any JSON.
    let number = id.random()[4..].iter().fold(0, |number, byte| number << 8 | u64::from(*byte));
    Some(VersionAuthor { id: number, name })
}
