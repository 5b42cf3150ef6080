use axum::http::StatusCode;

use super::caller::Caller;
use super::problem::Problem;
use crate::core::id::OrganizationId;
use crate::server::reply::{self, Reply};
use crate::server::request_context::{Fault, RequestContext};
use crate::vault::{
    CloudRole, Identity, MemberRole, Named, OrganizationRole, PermissionSet, Vocabulary, WorkspaceRole,
};
use crate::wire::stashbase::identity::{
    AccountIdentity, EnvironmentName, Identity as Body, Permissions, ProjectName, ServiceAccess, ServiceIdentity,
    UserIdentity, Workspace, WorkspaceAccess, WorkspaceOfUser,
};
use crate::wire::word::Word;

pub(super) fn read(context: &RequestContext) -> Result<Reply, Problem> {
    let caller = Caller::of(context)?;
    let body = match (caller.session.whoami()?, &caller.key.environment) {
        (Identity::Account(account), _) => Body::EnvironmentAccount(AccountIdentity {
            id: account.account.id.to_prefixed("acc"),
            name: account.account.name,
            workspace: workspace(account.organization),
            project: ProjectName {
                id: account.project.id.to_prefixed("proj"),
                name: account.project.slug,
                environment: EnvironmentName {
                    id: account.environment.id.to_prefixed("env"),
                    name: account.environment.slug,
                },
            },
            permissions: actions(account.account.permissions),
        }),
        (Identity::Token(token), Some(environment)) => {
            let mut segments = environment.path.segments();
            let project = segments.next().unwrap_or_default().to_owned();
            let name = segments.last().unwrap_or_default().to_owned();
            Body::EnvironmentAccount(AccountIdentity {
                id: token.token.id.to_prefixed("acc"),
                name: token.token.name,
                workspace: workspace(token.organization),
                project: ProjectName {
                    id: environment.project.to_prefixed("proj"),
                    name: project,
                    environment: EnvironmentName { id: environment.id.to_prefixed("env"), name },
                },
                permissions: actions(token.token.permissions),
            })
        }
        (Identity::Token(token), None) => {
            let (id, name) = (token.token.id.to_prefixed("sa"), token.token.name);
            service(id, name, token.organization, token.token.permissions, token.projects)
        }
        (Identity::ServiceAccount(account), _) => {
            let (id, name) = (account.account.id.to_prefixed("sa"), account.account.name);
            service(id, name, account.organization, account.account.permissions, account.projects)
        }
        (Identity::User(mut user), _) if !user.memberships.is_empty() => {
            // A key is for one organization.
            let membership = user.memberships.swap_remove(0);
            Body::User(UserIdentity {
                id: user.id.to_prefixed("usr"),
                email: user.email,
                full_name: user.name,
                display_name: None,
                workspace: WorkspaceOfUser {
                    workspace: workspace(membership.organization),
                    user_role: role(membership.role),
                },
            })
        }
        // A program that is trusted, and a user in person, come without a key.
        _ => return Err(Fault::defect().into()),
    };
    Ok(reply::json(StatusCode::OK, &body))
}

fn service(
    id: String,
    name: String,
    organization: Named<OrganizationId>,
    permissions: PermissionSet,
    projects: usize,
) -> Body {
    Body::ServiceAccount(ServiceIdentity {
        id,
        name,
        workspace: workspace(organization),
        access: Some(ServiceAccess {
            // The vault keeps no permissions apart for what the account creates itself.
            workspace: Some(WorkspaceAccess {
                permissions: Some(actions(permissions)),
                created_project_permissions: None,
                created_environment_permissions: None,
            }),
            project_count: projects,
        }),
    })
}

fn actions(permissions: PermissionSet) -> Permissions {
    let actions = Vocabulary::Stashbase.actions(permissions).into_iter();
    actions.map(|(resource, actions)| (resource.to_owned(), actions.into_iter().map(str::to_owned).collect())).collect()
}

fn workspace(organization: Named<OrganizationId>) -> Workspace {
    Workspace { id: organization.id.to_prefixed("wks"), slug: organization.slug, name: organization.name }
}

/// The nearest of the three roles that the service has.
fn role(role: MemberRole) -> Word<WorkspaceRole> {
    let nearest = match role {
        role if role.is_owner() => WorkspaceRole::Owner,
        MemberRole::Organization(OrganizationRole::Admin)
        | MemberRole::Workspace(WorkspaceRole::Admin)
        | MemberRole::Cloud(CloudRole::Admin) => WorkspaceRole::Admin,
        _ => WorkspaceRole::Member,
    };
    nearest.into()
}
