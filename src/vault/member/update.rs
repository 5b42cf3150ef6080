use serde_json::json;

use super::super::keys;
use super::super::records::put;
use super::super::session::Session;
use super::super::use_case::UseCase;
use super::Member;
use crate::Result;
use crate::core::{Action, Details, Id, MemberRole, Resource};
use crate::store::Precondition;

/// What is to change about a member.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct MemberUpdate {
    /// Another role.
    pub role: Option<MemberRole>,
}

impl Session<'_> {
    /// Changes a member.
    ///
    /// # Errors
    /// `NotFound`, also for a role; `Denied`, when the role they have, or the one they are to have, holds more than the
    /// actor does, and for an owner's by anybody but an owner; `Conflict`, for the last owner.
    pub fn update_member(&self, organization: Id, user: Id, update: &MemberUpdate) -> Result<Member> {
        self.write(UseCase::UpdateMember, |operation| {
            operation.whole_organization(organization)?;
            let mut record = operation.member(organization, user)?;
            let user = operation.user(user)?;
            let old = record.role;
            let new = update.role.unwrap_or(old);
            let mut details = Details::changed(&[]);
            if new != old {
                operation.check_role(organization, old)?;
                operation.check_role(organization, new)?;
                if !new.is_owner() {
                    operation.keep_an_owner(organization, user.id)?;
                }
                operation.index_role(organization, user.id, Some(old), Some(new))?;
                record.role = new;
                let role = json!({ "from": old.to_string(), "to": new.to_string() });
                details = Details::changed(&["role"]).with("role", role);
            }
            record.updated_at = operation.now;
            put(operation.tx, &keys::member(organization, user.id), &record, Precondition::Present)?;
            operation.record(Action::Update, Resource::member(organization, &user), details)?;
            Ok(Member::new(record, user))
        })
    }
}
