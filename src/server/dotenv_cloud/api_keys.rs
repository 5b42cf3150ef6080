//! API keys, which are the tokens of the vault.

use axum::http::StatusCode;
use serde_json::Value;

use super::fields::Fields;
use super::level_request::LevelRequest;
use super::paging::{self, Sortable};
use super::place;
use super::problem::Problem;
use crate::core::id::TokenId;
use crate::core::path::LevelPath;
use crate::core::secret::SecretString;
use crate::error::{Error, ErrorKind};
use crate::server::reply::{self, Reply};
use crate::server::request_context::RequestContext;
use crate::vault::setters::Patch;
use crate::vault::{
    NewToken, Permission, PermissionSet, Timestamp, Token, TokenFormat, TokenInfo, TokenUpdate, Vocabulary,
};
use crate::wire::dotenv_cloud::api_key as wire;
use crate::wire::dotenv_cloud::envelope::{Done, Single};
use crate::wire::plain::Plain;

pub(super) fn list(context: &RequestContext) -> Result<Reply, Problem> {
    let request = LevelRequest::read(context, &[Permission::ApiTokenRead])?;
    let mut tokens = request.session.tokens(request.organization)?;
    tokens.retain(is_there);
    let list = paging::list(context, tokens, api_key)?;
    Ok(reply::json(StatusCode::OK, &list))
}

pub(super) fn create(context: &RequestContext) -> Result<Reply, Problem> {
    let request = LevelRequest::read(context, &[Permission::ApiTokenCreate])?;
    let new = request.body(|fields| {
        let name = fields.required_name("name");
        if !fields.has("abilities") {
            fields.refuse("abilities", "The abilities field is required.");
        }
        let mut new = NewToken::new(name, abilities(fields).unwrap_or_default());
        new.format = TokenFormat::DotenvCloud { organization: request.organization };
        new.expires_at = fields.time("expires_at");
        new.scope = scope(fields);
        new
    })?;
    let issued = request.session.issue_token(request.organization, &new).map_err(refused)?;
    let api_key = api_key(issued.info);
    let token = wire::NewApiKey {
        name: api_key.name.clone(),
        token: plain(&issued.token),
        abilities: api_key.abilities.clone(),
        expires_at: api_key.expires_at,
    };
    let message = "The API key was created: keep its token, which is not shown again.".to_owned();
    let created = wire::ApiKeyCreated { success: true, message, token, api_key: Some(api_key) };
    Ok(reply::json(StatusCode::CREATED, &created))
}

pub(super) fn read(context: &RequestContext) -> Result<Reply, Problem> {
    let request = LevelRequest::read(context, &[Permission::ApiTokenRead])?;
    let token = request.session.token(request.organization, id(&request, context)?)?;
    if !is_there(&token) {
        return Err(Problem::not_found());
    }
    Ok(reply::json(StatusCode::OK, &Single { data: api_key(token) }))
}

pub(super) fn update(context: &RequestContext) -> Result<Reply, Problem> {
    let request = LevelRequest::read(context, &[Permission::ApiTokenUpdate])?;
    let id = id(&request, context)?;
    let update = request.body(|fields| TokenUpdate {
        name: fields.name("name"),
        permissions: abilities(fields),
        expires_at: if fields.is_null("expires_at") { Patch::Clear } else { fields.time("expires_at").into() },
    })?;
    let token = request.session.update_token(request.organization, id, &update).map_err(refused)?;
    Ok(reply::json(StatusCode::OK, &Single { data: api_key(token) }))
}

pub(super) fn delete(context: &RequestContext) -> Result<Reply, Problem> {
    let request = LevelRequest::read(context, &[Permission::ApiTokenDelete])?;
    let id = id(&request, context)?;
    // The vault keeps what was revoked, for the audit log.
    if request.session.token(request.organization, id).is_ok_and(|token| !is_there(&token)) {
        return Err(Problem::not_found());
    }
    request.session.revoke_token(request.organization, id)?;
    Ok(reply::empty(StatusCode::NO_CONTENT))
}

pub(super) fn rotate(context: &RequestContext) -> Result<Reply, Problem> {
    let request = LevelRequest::read(context, &[Permission::ApiTokenCreate, Permission::ApiTokenDelete])?;
    let issued = request.session.rotate_token(request.organization, id(&request, context)?).map_err(refused)?;
    let data = wire::RotatedApiKey { token: plain(&issued.token), api_key: api_key(issued.info) };
    let message = "The API key was rotated: keep its token, which is not shown again.".to_owned();
    Ok(reply::json(StatusCode::OK, &Done { data, message }))
}

/// The API key of the address.
fn id(request: &LevelRequest<'_>, context: &RequestContext) -> Result<TokenId, Problem> {
    match TokenId::parse(context.parameter("api_key")) {
        Ok(id) => Ok(id),
        Err(_) => {
            request.check()?;
            Err(Problem::not_found())
        }
    }
}

/// Whether it is there for the service, and not only for the audit log or until something is restored.
fn is_there(token: &TokenInfo) -> bool {
    token.revoked_at.is_none() && token.deleted_with.is_none()
}

fn abilities(fields: &mut Fields) -> Option<PermissionSet> {
    if !fields.has("abilities") {
        return None;
    }
    let words = fields.list("abilities")?;
    if words.is_empty() {
        fields.refuse("abilities", "The abilities field is required.");
    }
    let mut abilities = PermissionSet::EMPTY;
    for (at, word) in words.iter().enumerate() {
        if fields.is_full() {
            break;
        }
        match Vocabulary::DotenvCloud.parse(word.as_str()) {
            Ok(ability) if word.is_string() => abilities = abilities.union(ability),
            known => {
                let error = known.err().map(|error| error.to_string()).unwrap_or_default();
                // Behind the colon it says what was likely meant.
                let advice = error.split_once(": write ").map(|(_, words)| format!(" Write {words}."));
                let message = format!("The selected abilities.{at} is invalid.{}", advice.unwrap_or_default());
                fields.refuse(&format!("abilities.{at}"), message);
            }
        }
    }
    Some(abilities)
}

/// Where the API key is to be bound to: a project, a target or an environment, each with those above it.
fn scope(fields: &mut Fields) -> Option<LevelPath> {
    let mut members = fields.has("scope").then(|| fields.object("scope")).flatten()?;
    let slugs = ["project", "target", "environment"].map(|name| members.remove(name).unwrap_or_default());
    let given: Vec<&str> = slugs.iter().map_while(Value::as_str).collect();
    let is_whole = slugs[given.len()..].iter().all(Value::is_null) && members.is_empty();
    let path = place::path(given).ok().filter(|_| is_whole);
    if path.is_none() {
        fields.refuse("scope", "The selected scope is invalid.");
    }
    path
}

fn refused(error: Error) -> Problem {
    match error.kind() {
        // All else that could be wrong with a value was looked at before.
        ErrorKind::InvalidValue => Problem::field("expires_at", "The expires at field must be a date in the future."),
        // What was revoked is no more there.
        ErrorKind::Conflict => Problem::not_found(),
        _ => Problem::of_names(error),
    }
}

/// An API key as it is sent.
fn api_key(token: TokenInfo) -> wire::ApiKey {
    wire::ApiKey {
        id: token.id.to_string(),
        name: token.name,
        token_prefix: token.hint,
        abilities: Vocabulary::DotenvCloud.words(token.permissions).into_iter().map(str::to_owned).collect(),
        scope: token.scope.map(|path| {
            let mut slugs = path.segments().map(str::to_owned);
            wire::Scope { project: slugs.next(), target: slugs.next(), environment: slugs.next() }
        }),
        expires_at: token.expires_at,
        last_used_at: token.last_used_at,
        created_at: Some(token.created_at),
        updated_at: Some(token.updated_at),
    }
}

fn plain(token: &Token) -> Plain {
    Plain(SecretString::from(token.expose_secret().to_owned()))
}

impl Sortable for TokenInfo {
    fn name(&self) -> &str {
        &self.name
    }

    fn created_at(&self) -> Timestamp {
        self.created_at
    }
}
