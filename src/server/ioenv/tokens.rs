use axum::http::StatusCode;

use super::body::Body;
use super::place::{self, Place};
use super::problem::Problem;
use crate::core::id::LevelId;
use crate::core::path::LevelPath;
use crate::core::refusal::Refusal;
use crate::error::{Error, ErrorKind};
use crate::server::reply::{self, Reply};
use crate::server::request_context::RequestContext;
use crate::vault::{NewToken, TokenInfo, UseCase, Vocabulary};
use crate::wire::ioenv as wire;
use crate::wire::plain::Plain;

pub(super) fn list(context: &RequestContext) -> Result<Reply, Problem> {
    let at = Place::project(context)?;
    let mut tokens = at.session.tokens(at.organization)?;
    tokens.retain(|token| is_of(token, &at.path));
    Ok(reply::json(
        StatusCode::OK,
        &wire::TokenList { tokens: tokens.into_iter().map(|token| dto(at.id, token)).collect() },
    ))
}

/// Whether a token is bound to a project, or to something in it.
fn is_of(token: &TokenInfo, project: &LevelPath) -> bool {
    token.scope.as_ref().is_some_and(|scope| scope.segments().next() == project.segments().next())
}

fn dto(project: LevelId, token: TokenInfo) -> wire::Token {
    wire::Token {
        id: token.id.to_prefixed("tok"),
        project_id: project.to_prefixed("proj"),
        name: token.name,
        permissions: Vocabulary::Ioenv.words(token.permissions).into_iter().map(str::to_owned).collect(),
        hint: token.hint,
        created_at: token.created_at,
        expires_at: token.expires_at,
        revoked_at: token.revoked_at,
        last_used_at: token.last_used_at,
    }
}

pub(super) fn create(context: &RequestContext) -> Result<Reply, Problem> {
    let at = Place::project(context)?;
    let new = at.valid(UseCase::IssueToken, read(context))?;
    let issued = at.session.issue_token_at(at.place(), &new).map_err(not_issued)?;
    let plaintext = Plain(issued.token.expose_secret().into());
    let token = wire::IssuedToken { token: dto(at.id, issued.info), plaintext };
    Ok(reply::json(StatusCode::CREATED, &wire::TokenResponse { token }))
}

/// The token that a request asks for.
fn read(context: &RequestContext) -> Result<NewToken, Problem> {
    const WORDS: &str = "permissions must be an array with some of \"read\", \"write\" and \"admin\".";
    const TIME: &str = "expiresAt must be a time such as \"2031-02-03T04:05:06Z\".";

    let body = Body::read(context.body()?)?;
    let name = body.required_text("name", "name must be a string.")?.expose_secret();
    let words = body.texts("permissions", WORDS)?;
    let permissions = Vocabulary::Ioenv.parse(&words).map_err(|_| Problem::invalid(WORDS))?;
    if permissions.is_empty() {
        return Err(Problem::invalid(WORDS));
    }
    let mut new = NewToken::new(name, permissions);
    if let Some(end) = body.nullable_text("expiresAt", TIME)? {
        new = new.expires_at(end.expose_secret().parse().map_err(|_| Problem::invalid(TIME))?);
    }
    Ok(new)
}

fn not_issued(error: Error) -> Problem {
    match error.kind() {
        ErrorKind::Denied if !matches!(error.refusal(), Some(Refusal::Permissions(_))) => {
            Problem::forbidden("A token cannot grant a permission or a lifetime that it does not have.")
        }
        ErrorKind::InvalidName => Problem::invalid(
            "name must have 1 to 255 characters, none of them a control character, and not look like an id.",
        ),
        ErrorKind::InvalidValue => Problem::invalid("expiresAt must be in the future."),
        _ => error.into(),
    }
}

pub(super) fn revoke(context: &RequestContext) -> Result<Reply, Problem> {
    let at = Place::project(context)?;
    let none = || Problem::not_found("No such token in this project.");
    let id = place::id("tok", context.parameter("tokenId")).ok_or_else(none);
    let id = at.valid(UseCase::RevokeToken, id)?;
    let known = |error: Error| if error.kind() == ErrorKind::NotFound { none() } else { error.into() };
    // Whoever may revoke tokens of other projects, too, does so at those.
    if !is_of(&at.session.token(at.organization, id).map_err(known)?, &at.path) {
        return Err(none());
    }
    at.session.revoke_token(at.organization, id).map_err(known)?;
    Ok(reply::empty(StatusCode::NO_CONTENT))
}
