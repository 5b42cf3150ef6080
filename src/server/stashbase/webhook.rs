use axum::http::StatusCode;

use super::caller::{At, EnvironmentRequest, or_not_found};
use super::name::{check_description, webhook_id, webhook_log_id};
use super::problem::Problem;
use super::query::{Part, Sorting, body, is_true};
use crate::core::id::WebhookId;
use crate::core::secret::SecretString;
use crate::error::{Error, ErrorKind};
use crate::server::reply::{self, Reply};
use crate::server::request_context::RequestContext;
use crate::vault::setters::Patch;
use crate::vault::{NewWebhook, Permission, PermissionSet, Webhook, WebhookLog, WebhookUpdate};
use crate::wire::plain::Plain;
use crate::wire::stashbase::webhook as wire;
use crate::wire::word::Word;

const READ: PermissionSet = PermissionSet::of(&[Permission::WebhookRead]);
const CREATE: PermissionSet = PermissionSet::of(&[Permission::WebhookCreate]);
const UPDATE: PermissionSet = PermissionSet::of(&[Permission::WebhookUpdate]);
const DELETE: PermissionSet = PermissionSet::of(&[Permission::WebhookDelete]);
const TEST: PermissionSet = PermissionSet::of(&[Permission::WebhookTest]);

const SORTED_BY: [&str; 4] = ["created_at", "updated_at", "url", "enabled"];
const TOO_LONG: &str = "validation.webhook_description_too_long";

pub(super) fn list(context: &RequestContext) -> Result<Reply, Problem> {
    let at = EnvironmentRequest::open(context)?.at(READ)?;
    let sorting = Sorting::read(context, &SORTED_BY, "desc")?;
    // Newest first, as they stay where they are the same in what they are sorted by.
    let mut webhooks = at.session().webhooks(at.place())?;
    match sorting.by {
        "updated_at" => sorting.sort(&mut webhooks, |webhook| webhook.updated_at),
        "url" => sorting.sort(&mut webhooks, |webhook| webhook.url.clone()),
        "enabled" => sorting.sort(&mut webhooks, |webhook| webhook.enabled),
        _ => sorting.sort(&mut webhooks, |webhook| webhook.created_at),
    }
    let listed: Vec<wire::Listed> = webhooks
        .into_iter()
        .map(|webhook| wire::Listed { id: id_text(webhook.id), url: webhook.url, enabled: webhook.enabled })
        .collect();
    Ok(reply::json(StatusCode::OK, &listed))
}

pub(super) fn create(context: &RequestContext) -> Result<Reply, Problem> {
    let at = EnvironmentRequest::open(context)?.at(CREATE)?;
    let wanted: wire::NewWebhook = body(context)?;
    check_description(wanted.description.as_deref(), TOO_LONG)?;
    let mut new = NewWebhook::new(wanted.url);
    new.enabled = wanted.enabled.unwrap_or(false);
    new.description = wanted.description;
    let created = at.session().create_webhook(at.place(), &new).map_err(or_url_refused)?;
    Ok(reply::json(StatusCode::CREATED, &shown(created.webhook, Some(created.signing_secret))))
}

pub(super) fn read(context: &RequestContext) -> Result<Reply, Problem> {
    let (at, id) = open(context, READ)?;
    let with_secret = is_true(context, "include_secret")?;
    let webhook = at.session().webhook(at.place(), id).map_err(or_webhook_not_found)?;
    let secret = if with_secret {
        let secret = at.session().signing_secret(at.place(), id);
        Some(secret.map_err(or_webhook_not_found)?)
    } else {
        None
    };
    Ok(reply::json(StatusCode::OK, &shown(webhook, secret)))
}

pub(super) fn update(context: &RequestContext) -> Result<Reply, Problem> {
    let (at, id) = open(context, UPDATE)?;
    let update = wanted_update(context).map_err(|problem| if_there(&at, id, problem))?;
    at.session().update_webhook(at.place(), id, &update).map_err(or_url_refused)?;
    Ok(reply::empty(StatusCode::NO_CONTENT))
}

fn wanted_update(context: &RequestContext) -> Result<WebhookUpdate, Problem> {
    let wanted: wire::WebhookUpdate = body(context)?;
    if wanted.url.is_none() && wanted.description.is_none() {
        let message = "Nothing is given that is to change.";
        return Err(Problem::invalid("validation.missing_properties_to_update", message)
            .with("possible_properties", ["url", "description"]));
    }
    if let Some(description) = &wanted.description {
        check_description(description.as_deref(), TOO_LONG)?;
    }
    Ok(WebhookUpdate { url: wanted.url, description: Patch::from_member(wanted.description) })
}

pub(super) fn set_status(context: &RequestContext) -> Result<Reply, Problem> {
    let (at, id) = open(context, UPDATE)?;
    let wire::Status { enabled } = body(context).map_err(|problem| if_there(&at, id, problem))?;
    let set = if enabled {
        at.session().enable_webhook(at.place(), id)
    } else {
        at.session().disable_webhook(at.place(), id)
    };
    set.map_err(|error| match (error.kind(), enabled) {
        (ErrorKind::Conflict, true) => {
            Problem::conflict("conflict.webhook_already_enabled", "The webhook is enabled already.")
        }
        (ErrorKind::Conflict, false) => {
            Problem::conflict("conflict.webhook_already_disabled", "The webhook is disabled already.")
        }
        _ => or_webhook_not_found(error),
    })?;
    Ok(reply::empty(StatusCode::NO_CONTENT))
}

pub(super) fn remove(context: &RequestContext) -> Result<Reply, Problem> {
    let (at, id) = open(context, DELETE)?;
    at.session().delete_webhook(at.place(), id).map_err(or_webhook_not_found)?;
    Ok(reply::empty(StatusCode::NO_CONTENT))
}

pub(super) fn read_signing_secret(context: &RequestContext) -> Result<Reply, Problem> {
    let (at, id) = open(context, READ)?;
    let secret = at.session().signing_secret(at.place(), id).map_err(or_webhook_not_found)?;
    Ok(reply::json(StatusCode::OK, &wire::SigningSecret { signing_secret: Plain(secret) }))
}

pub(super) fn rotate_signing_secret(context: &RequestContext) -> Result<Reply, Problem> {
    let (at, id) = open(context, UPDATE)?;
    let secret = at.session().rotate_signing_secret(at.place(), id);
    let signing_secret = Plain(secret.map_err(or_webhook_not_found)?);
    Ok(reply::json(StatusCode::OK, &wire::SigningSecret { signing_secret }))
}

pub(super) fn test(context: &RequestContext) -> Result<Reply, Problem> {
    let (at, id) = open(context, TEST)?;
    let test = at.session().begin_webhook_test(at.place(), id).map_err(or_webhook_not_found)?;
    let tested = context.without_slot(|| test.send()).map_err(or_webhook_not_found)?;
    let body = wire::Tested {
        url: tested.url,
        status: tested.status,
        error: tested.error.map(Word::from),
        response_body: tested.response_body,
    };
    Ok(reply::json(StatusCode::OK, &body))
}

pub(super) fn list_logs(context: &RequestContext) -> Result<Reply, Problem> {
    let (at, id) = open(context, READ)?;
    let part = Part::read(context)?;
    let logs = at.session().webhook_logs_from(at.place(), id, part.skip(), part.page_size());
    let (logs, total) = logs.map_err(or_webhook_not_found)?;
    let data = logs.into_iter().map(|log| wire::Log { response_body: None, ..shown_log(log) }).collect();
    Ok(reply::json(StatusCode::OK, &part.of(data, total)))
}

pub(super) fn read_log(context: &RequestContext) -> Result<Reply, Problem> {
    let request = EnvironmentRequest::open(context)?;
    let id = webhook_id(context.parameter("webhook"))?;
    let log = webhook_log_id(context.parameter("log"))?;
    let at = request.at(READ)?;
    let id = id.ok_or_else(not_found)?;
    // Told apart from a log record that is not there.
    at.session().webhook(at.place(), id).map_err(or_webhook_not_found)?;
    let no_log = || Problem::not_found("resource.webhook_log_not_found", "Record of the webhook's log not found.");
    let log = log.ok_or_else(no_log)?;
    let log = at.session().webhook_log(at.place(), id, log).map_err(or_not_found(no_log))?;
    Ok(reply::json(StatusCode::OK, &shown_log(log)))
}

/// Finds the environment and reads the id of the webhook, for whoever has these permissions there.
fn open(context: &RequestContext, needed: PermissionSet) -> Result<(At<'_>, WebhookId), Problem> {
    let request = EnvironmentRequest::open(context)?;
    let id = webhook_id(context.parameter("webhook"))?;
    let at = request.at(needed)?;
    Ok((at, id.ok_or_else(not_found)?))
}

/// What is wrong with a change of a webhook, unless there is no such webhook.
fn if_there(at: &At<'_>, id: WebhookId, problem: Problem) -> Problem {
    // A change of nothing is refused, but not before the webhook was found.
    match at.session().update_webhook(at.place(), id, &WebhookUpdate::new()) {
        Err(error) if error.kind() == ErrorKind::NotFound => not_found(),
        _ => problem,
    }
}

fn id_text(id: WebhookId) -> String {
    id.to_prefixed("whk")
}

fn shown(webhook: Webhook, secret: Option<SecretString>) -> wire::Webhook {
    wire::Webhook {
        id: id_text(webhook.id),
        url: webhook.url,
        enabled: webhook.enabled,
        created_at: webhook.created_at,
        updated_at: webhook.updated_at,
        description: webhook.description,
        signing_secret: secret.map(Plain),
    }
}

fn shown_log(log: WebhookLog) -> wire::Log {
    wire::Log {
        id: log.id.to_prefixed("whlog"),
        status: log.status,
        processed_at: log.processed_at,
        attempt: log.attempt,
        error: log.error.map(Word::from),
        response_body: Some(log.response_body),
    }
}

fn not_found() -> Problem {
    Problem::not_found("resource.webhook_not_found", "Webhook not found.")
}

fn or_webhook_not_found(error: Error) -> Problem {
    or_not_found(not_found)(error)
}

/// Everything else was looked at before.
fn or_url_refused(error: Error) -> Problem {
    if error.kind() == ErrorKind::InvalidValue {
        let message = "A webhook takes an https URL with a host of the public internet and at most 512 characters.";
        return Problem::invalid("validation.invalid_webhook_url", message)
            .with("valid_url_example", "https://hooks.example.com/in");
    }
    or_webhook_not_found(error)
}
