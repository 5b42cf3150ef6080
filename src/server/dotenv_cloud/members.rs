//! Members of an organization. The service itself has a way to invite one, and none to list or remove them.

use axum::http::StatusCode;

use super::level_request::LevelRequest;
use super::paging::{self, Sortable};
use super::problem::Problem;
use crate::core::id::UserId;
use crate::error::ErrorKind;
use crate::server::reply::{self, Reply};
use crate::server::request_context::RequestContext;
use crate::vault::{
    CloudRole, Member, MemberRole, NewInvitation, OrganizationRole, Paging, Permission, Timestamp, WorkspaceRole,
};
use crate::wire::dotenv_cloud::envelope::{Resource, ResourceKind, Single};
use crate::wire::dotenv_cloud::member as wire;
use crate::wire::dotenv_cloud::member::{MemberStatus, Role};
use crate::wire::plain::Plain;
use crate::wire::word::Word;

pub(super) fn list(context: &RequestContext) -> Result<Reply, Problem> {
    let request = LevelRequest::read(context, &[Permission::MemberRead])?;
    let mut members = Vec::new();
    let mut paging = Paging::new().limit(200);
    loop {
        let page = request.session.members(request.organization, &paging)?;
        members.extend(page.items);
        match page.next {
            Some(next) => paging.after = Some(next),
            None => break,
        }
    }
    let list = paging::list(context, members, resource)?;
    Ok(reply::json(StatusCode::OK, &list))
}

pub(super) fn invite(context: &RequestContext) -> Result<Reply, Problem> {
    let request = LevelRequest::read(context, &[Permission::MemberCreate])?;
    let new = request.body(|fields| {
        let email = fields.required_text("email");
        let role = fields.text("role").map_or(Some(CloudRole::Member), |role| role.parse().ok());
        if role.is_none() {
            fields.refuse("role", "The selected role is invalid.");
        }
        NewInvitation::new(email, MemberRole::Cloud(role.unwrap_or(CloudRole::Member)))
    })?;
    let issued = request.session.invite_member(request.organization, &new).map_err(|error| match error.kind() {
        ErrorKind::InvalidValue => Problem::field("email", "The email field must be a valid email address."),
        _ => error.into(),
    })?;
    let data = Resource {
        kind: ResourceKind::Member.into(),
        id: issued.invitation.id.to_string(),
        attributes: wire::Invitation {
            email: issued.invitation.email,
            role: role(issued.invitation.role),
            status: MemberStatus::Invited.into(),
            code: Some(Plain(issued.code)),
            created_at: Some(issued.invitation.created_at),
        },
    };
    Ok(reply::json(StatusCode::CREATED, &Single { data }))
}

pub(super) fn remove(context: &RequestContext) -> Result<Reply, Problem> {
    let request = LevelRequest::read(context, &[Permission::MemberDelete])?;
    let Ok(user) = UserId::parse(context.parameter("user")) else {
        request.check()?;
        return Err(Problem::not_found());
    };
    request.session.remove_member(request.organization, user)?;
    Ok(reply::empty(StatusCode::NO_CONTENT))
}

/// A member as it is sent.
fn resource(member: Member) -> Resource<wire::Member> {
    Resource {
        kind: ResourceKind::Member.into(),
        id: member.user.to_string(),
        attributes: wire::Member {
            name: member.name,
            email: member.email,
            role: role(member.role),
            status: MemberStatus::Active.into(),
            created_at: Some(member.created_at),
            updated_at: Some(member.updated_at),
        },
    }
}

/// Returns the role of dotenv.cloud that goes by the same word.
pub(super) fn role(role: MemberRole) -> Word<Role> {
    let system = match role {
        MemberRole::Cloud(role) => role,
        MemberRole::Organization(OrganizationRole::Owner) | MemberRole::Workspace(WorkspaceRole::Owner) => {
            CloudRole::Owner
        }
        MemberRole::Organization(OrganizationRole::Admin) | MemberRole::Workspace(WorkspaceRole::Admin) => {
            CloudRole::Admin
        }
        MemberRole::Organization(OrganizationRole::Member) | MemberRole::Workspace(WorkspaceRole::Member) => {
            CloudRole::Member
        }
        MemberRole::Custom(_) => return Role::Custom.into(),
    };
    Role::System(system).into()
}

impl Sortable for Member {
    fn name(&self) -> &str {
        &self.name
    }

    fn created_at(&self) -> Timestamp {
        self.created_at
    }
}
