//! Teams: members of an organization to whom something is granted together.

mod add_member;
mod create;
mod delete;
mod list;
mod members;
mod read;
mod remove_member;
mod update;

pub use self::create::NewTeam;
pub use self::update::TeamUpdate;
use super::keys;
use super::operation::{OperationContext, no_such};
use super::records::{TeamRecord, UserRecord, get};
use crate::Result;
use crate::core::{Details, Id, Resource, ResourceKind, Timestamp};

/// A team.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Team {
    /// Its id, which never changes.
    pub id: Id,
    /// Its name, unique in the organization without regard to case.
    pub name: String,
    /// What it is about.
    pub description: Option<String>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When its name or description was changed last.
    pub updated_at: Timestamp,
}

impl From<TeamRecord> for Team {
    fn from(record: TeamRecord) -> Self {
        Self {
            id: record.id,
            name: record.name,
            description: record.description,
            created_at: record.created_at,
            updated_at: record.updated_at,
        }
    }
}

impl OperationContext<'_, '_> {
    /// The team of that id.
    pub(super) fn team(&mut self, organization: Id, id: Id) -> Result<TeamRecord> {
        get(self.tx, &keys::team(organization, id))?.ok_or_else(|| no_such("team"))
    }
}

fn resource(organization: Id, team: &TeamRecord) -> Resource {
    Resource::named(ResourceKind::Team, organization, team.id, &team.name)
}

/// Who came or went.
fn member_details(word: &'static str, user: &UserRecord) -> Details {
    Details::changed(&["members"]).with(word, user.id.to_string()).with("email", user.email.as_str())
}
