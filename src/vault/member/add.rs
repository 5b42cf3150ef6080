use super::super::session::Session;
use super::super::use_case::UseCase;
use super::super::user::check_email;
use super::Member;
use crate::core::{Id, MemberRole};
use crate::{Error, ErrorKind, Result};

/// Somebody who is to be a member of an organization.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct NewMember {
    /// The person's email address, by which a user is found.
    pub email: String,
    /// The person's name, if there is no such user yet.
    pub name: String,
    /// What they may do in all of the organization.
    pub role: MemberRole,
    /// The teams they are in.
    pub teams: Vec<Id>,
    /// The id of the user, if there is no such user yet; a new one, where none is given. Only trusted programs can give
    /// one.
    pub user_id: Option<Id>,
}

impl NewMember {
    /// Somebody in that role, in no team.
    pub fn new(email: impl Into<String>, name: impl Into<String>, role: MemberRole) -> Self {
        Self { email: email.into(), name: name.into(), role, teams: Vec::new(), user_id: None }
    }
}

impl Session<'_> {
    /// Makes somebody a member of an organization; also a user, with an organization of their own, if nobody has that
    /// email address.
    ///
    /// # Errors
    /// `NotFound`, also for a role or a team; `Denied`, for a role or a team that holds more than the actor does;
    /// `InvalidName`; `InvalidValue`, for what is no email address; `Conflict`, for a member, and when the user of that
    /// address has another id.
    pub fn add_member(&self, organization: Id, new: &NewMember) -> Result<Member> {
        self.write(UseCase::AddMember, |operation| {
            operation.whole_organization(organization)?;
            operation.check_role(organization, new.role)?;
            let teams = operation.check_teams(organization, &new.teams)?;
            let email = check_email(&new.email)?;
            if new.user_id.is_some() {
                operation.system_only()?;
            }
            let mut user = match operation.user_of_email(&email)? {
                Some(user) if new.user_id.is_some_and(|id| id != user.id) => {
                    let message = "the user of that email address has another id";
                    return Err(Error::new(ErrorKind::Conflict, message));
                }
                Some(user) => user,
                None => operation.make_user(new.user_id, &new.name, email)?,
            };
            let record = operation.join(organization, &mut user, new.role, teams)?;
            let member = Member::new(record, user.clone());
            operation.record_member(organization, &member, &user)?;
            Ok(member)
        })
    }
}
