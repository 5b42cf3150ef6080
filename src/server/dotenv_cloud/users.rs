//! Who asks.

use axum::http::StatusCode;

use super::members::role;
use super::problem::Problem;
use crate::core::id::OrganizationId;
use crate::server::reply::{self, Reply};
use crate::server::request_context::RequestContext;
use crate::vault::{AccountIdentity, Id, Identity, Named, ServiceAccountIdentity, Timestamp, TokenIdentity};
use crate::wire::dotenv_cloud::current_user as wire;
use crate::wire::dotenv_cloud::envelope::{Resource, ResourceKind};
use crate::wire::dotenv_cloud::member::Role;
use crate::wire::word::Word;

type Organizations = Vec<Resource<wire::OwnOrganization>>;

pub(super) fn read(context: &RequestContext) -> Result<Reply, Problem> {
    let (kind, id, principal, organizations) = match context.session()?.whoami()? {
        Identity::User(user) => {
            let principal = wire::Principal {
                name: user.name,
                email: Some(user.email),
                // Whoever made them a user has made sure of it.
                is_verified: Some(true),
                created_at: Some(user.created_at),
                updated_at: Some(user.updated_at),
            };
            let memberships = user.memberships.into_iter();
            let organizations = memberships.map(|one| included(one.organization, Some(role(one.role)))).collect();
            (ResourceKind::User, user.id.into(), principal, organizations)
        }
        Identity::Token(TokenIdentity { token, organization, .. }) => {
            program(token.id.into(), token.name, token.created_at, Some(token.updated_at), organization)
        }
        // Keys that only other services give out.
        Identity::Account(AccountIdentity { account, organization, .. }) => {
            program(account.id.into(), account.name, account.created_at, None, organization)
        }
        Identity::ServiceAccount(ServiceAccountIdentity { account, organization, .. }) => {
            program(account.id.into(), account.name, account.created_at, Some(account.updated_at), organization)
        }
        // No request is in the name of a trusted program.
        Identity::System(_) => return Err(Problem::not_found()),
    };
    Ok(reply::json(StatusCode::OK, &wire::CurrentUser::new(kind, id.to_string(), principal, organizations)))
}

/// A program that has a token.
fn program(
    id: Id,
    name: String,
    created_at: Timestamp,
    updated_at: Option<Timestamp>,
    organization: Named<OrganizationId>,
) -> (ResourceKind, Id, wire::Principal, Organizations) {
    let principal = wire::Principal { name, email: None, is_verified: None, created_at: Some(created_at), updated_at };
    (ResourceKind::ApiToken, id, principal, vec![included(organization, None)])
}

fn included(organization: Named<OrganizationId>, role: Option<Word<Role>>) -> Resource<wire::OwnOrganization> {
    Resource {
        kind: ResourceKind::Organization.into(),
        id: organization.id.to_string(),
        attributes: wire::OwnOrganization {
            ulid: organization.id.to_string(),
            name: organization.name,
            slug: organization.slug,
            role,
        },
    }
}
