//! Members of an organization. The service itself has a way to invite one, and none to list or remove them.

use axum::http::StatusCode;

use super::super::reply::{self, Reply};
use super::super::request_context::RequestContext;
use super::level_request::LevelRequest;
use super::paging::{self, Sortable};
use super::problem::Problem;
use crate::ErrorKind;
use crate::vault::{CloudRole, Id, Member, MemberRole, NewInvitation, Paging, Permission, Timestamp};
use crate::wire::dotenv_cloud::{self as wire, Resource, Single};
use crate::wire::{Plain, Seconds};

pub(super) fn list(context: &RequestContext) -> Result<Reply, Problem> {
    let request = LevelRequest::read(context, &[Permission::MemberRead])?;
    let mut members = Vec::new();
    let mut paging = Paging::first(200);
    loop {
        let page = request.session.members(request.organization, &paging)?;
        members.extend(page.items);
        match page.next {
            Some(next) => paging.after = Some(next),
            None => break,
        }
    }
    let list = paging::list(context, members, |member| Ok(resource(member)))?;
    Ok(reply::json(StatusCode::OK, &list))
}

pub(super) fn invite(context: &RequestContext) -> Result<Reply, Problem> {
    let request = LevelRequest::read(context, &[Permission::MemberCreate])?;
    let new = request.body(|fields| {
        let email = fields.required_text("email");
        let role = fields.text("role").map_or(Some(CloudRole::Member), |role| CloudRole::parse(&role).ok());
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
        r#type: "members",
        id: issued.invitation.id.to_string(),
        attributes: wire::Invitation {
            email: issued.invitation.email,
            role: role_word(issued.invitation.role),
            status: "invited",
            code: Plain(issued.code),
            created_at: Seconds(issued.invitation.created_at),
        },
    };
    Ok(reply::json(StatusCode::CREATED, &Single { data }))
}

pub(super) fn remove(context: &RequestContext) -> Result<Reply, Problem> {
    let request = LevelRequest::read(context, &[Permission::MemberDelete])?;
    let Ok(user) = Id::parse(context.parameter("user")) else {
        request.check()?;
        return Err(Problem::not_found());
    };
    request.session.remove_member(request.organization, user)?;
    Ok(reply::empty(StatusCode::NO_CONTENT))
}

/// A member as it is sent.
fn resource(member: Member) -> Resource<wire::Member> {
    Resource {
        r#type: "members",
        id: member.user.to_string(),
        attributes: wire::Member {
            name: member.name,
            email: member.email,
            role: role_word(member.role),
            status: "active",
            created_at: Seconds(member.created_at),
            updated_at: Seconds(member.updated_at),
        },
    }
}

/// A role as the service calls it, as far as it knows it.
pub(super) fn role_word(role: MemberRole) -> &'static str {
    match role {
        MemberRole::Cloud(role) => role.as_str(),
        MemberRole::Organization(role) => role.as_str(),
        MemberRole::Workspace(role) => role.as_str(),
        MemberRole::Custom(_) => "custom",
    }
}

impl Sortable for Member {
    fn name(&self) -> &str {
        &self.name
    }

    fn created_at(&self) -> Timestamp {
        self.created_at
    }
}
