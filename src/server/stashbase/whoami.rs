use axum::http::StatusCode;

use super::super::exchange::Exchange;
use super::super::reply::{self, Reply};
use super::caller::{ENVIRONMENT_ACCOUNT, SERVICE_ACCOUNT, USER};
use super::problem::Problem;
use crate::vault::{CloudRole, Identity, MemberRole, Named, OrganizationRole, Vocabulary, WorkspaceRole};
use crate::wire::stashbase::{
    AccountIdentity, EnvironmentName, Identity as Body, ProjectName, ServiceAccess, ServiceIdentity, UserIdentity,
    Workspace, WorkspaceAccess, WorkspaceOfUser,
};

pub(super) fn read(exchange: &Exchange) -> Result<Reply, Problem> {
    let body = match exchange.session()?.whoami()? {
        Identity::Account(account) => Body::EnvironmentAccount(AccountIdentity {
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
            permissions: Vocabulary::Stashbase.actions(account.account.permissions),
        }),
        Identity::ServiceAccount(service) => Body::ServiceAccount(ServiceIdentity {
            id: service.account.id.to_prefixed("sa"),
            name: service.account.name,
            workspace: workspace(service.organization),
            access: ServiceAccess {
                workspace: WorkspaceAccess {
                    permissions: Vocabulary::Stashbase.actions(service.account.permissions),
                    created_project_permissions: None,
                    created_environment_permissions: None,
                },
                project_count: service.projects,
            },
        }),
        Identity::User(mut user) if !user.memberships.is_empty() => {
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
        _ => return Err(Problem::unsupported_key(&[ENVIRONMENT_ACCOUNT, SERVICE_ACCOUNT, USER])),
    };
    Ok(reply::json(StatusCode::OK, &body))
}

fn workspace(organization: Named) -> Workspace {
    Workspace { id: organization.id.to_prefixed("wks"), slug: organization.slug, name: organization.name }
}

/// The nearest of the three roles that the service has.
fn role(role: MemberRole) -> &'static str {
    match role {
        role if role.is_owner() => "owner",
        MemberRole::Organization(OrganizationRole::Admin)
        | MemberRole::Workspace(WorkspaceRole::Admin)
        | MemberRole::Cloud(CloudRole::Admin) => "admin",
        _ => "member",
    }
}
