//! Teams: members of an organization to whom something is granted together.

use super::authenticated_record::forged;
use super::grantee::Grantee;
use super::keys;
use super::member::Member;
use super::name::{check_description, check_short_name, fold, name_taken};
use super::operation::{OperationContext, no_such};
use super::page::{Page, Paging};
use super::records::id_in;
use super::records::{MARK, TeamRecord, UserRecord, put};
use super::scan::scan_keys;
use super::session::Session;
use super::setters::{Patch, setters};
use super::use_case::UseCase;
use crate::core::audit::{Action, Details, Resource, ResourceKind};
use crate::core::clock::Timestamp;
use crate::core::id::OrganizationId;
use crate::core::id::TeamId;
use crate::core::id::UserId;
use crate::error::{Error, ErrorKind, Result};
use crate::store::{Order, Precondition};

/// A team.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Team {
    /// Its id, which never changes.
    pub id: TeamId,
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
    pub(super) fn team(&mut self, organization: OrganizationId, id: TeamId) -> Result<TeamRecord> {
        self.get_authenticated(&keys::team(organization, id))?.ok_or_else(|| no_such("team"))
    }
}

fn resource(organization: OrganizationId, team: &TeamRecord) -> Resource {
    Resource::named(ResourceKind::Team, organization, team.id.into(), &team.name)
}

/// Who came or went.
fn member_details(word: &'static str, user: &UserRecord) -> Details {
    Details::changed(&["members"]).with(word, user.id.to_string()).with("email", user.email.as_str())
}

/// A team to create.
#[derive(Clone, Debug)]
pub struct NewTeam {
    pub(crate) id: Option<TeamId>,
    pub(crate) name: String,
    pub(crate) description: Option<String>,
}

impl NewTeam {
    /// Creates the input for a team of that name, of at most 100 characters.
    pub fn new(name: impl Into<String>) -> Self {
        Self { id: None, name: name.into(), description: None }
    }

    setters! {
        /// Sets the id. By default it is a new one.
        id: Option<TeamId>;
        /// Sets the description. An empty one is none.
        description: Option<impl Into<String>>;
    }
}

impl Session<'_> {
    /// Makes a team, in which nobody is yet.
    ///
    /// # Errors
    /// `NotFound`; `InvalidName`; `InvalidValue`; `Conflict`, when the name or the id is taken.
    pub fn create_team(&self, organization: OrganizationId, new: &NewTeam) -> Result<Team> {
        self.write(UseCase::CreateTeam, |operation| {
            operation.whole_organization(organization)?;
            let team = TeamRecord {
                id: operation.given_id(new.id)?,
                name: check_short_name(&new.name)?,
                description: check_description(new.description.as_deref())?,
                created_at: operation.now,
                updated_at: operation.now,
            };
            let by_name = keys::team_name(organization, &fold(&team.name));
            if operation.tx.get(&by_name)?.is_some() {
                return Err(name_taken());
            }
            put(operation.tx, &by_name, &team.id, Precondition::Absent)?;
            operation.put_authenticated(&keys::team(organization, team.id), &team, Precondition::Absent)?;
            operation.record(Action::Create, resource(organization, &team), Details::default())?;
            Ok(team.into())
        })
    }
}

impl Session<'_> {
    /// A team.
    ///
    /// # Errors
    /// `NotFound`.
    pub fn team(&self, organization: OrganizationId, id: TeamId) -> Result<Team> {
        self.read(UseCase::ReadTeam, |operation| {
            operation.whole_organization(organization)?;
            let team = operation.team(organization, id)?;
            operation.record(Action::Read, resource(organization, &team), Details::default())?;
            Ok(team.into())
        })
    }
}

impl Session<'_> {
    /// The teams of an organization, in the order they were made.
    ///
    /// # Errors
    /// `NotFound`.
    pub fn teams(&self, organization: OrganizationId) -> Result<Vec<Team>> {
        self.read(UseCase::ListTeams, |operation| {
            operation.whole_organization(organization)?;
            let records: Vec<TeamRecord> = operation.scan_authenticated(keys::teams(organization))?;
            let teams: Vec<Team> = records.into_iter().map(Team::from).collect();
            let details = Details::read("list", teams.iter().map(|team| team.name.as_str()));
            operation.record(Action::Read, Resource::new(ResourceKind::Team, organization), details)?;
            Ok(teams)
        })
    }
}

/// The fields of a team to change.
#[derive(Clone, Debug, Default)]
pub struct TeamUpdate {
    pub(crate) name: Option<String>,
    pub(crate) description: Patch<String>,
}

impl TeamUpdate {
    /// Creates an update that changes nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    setters! {
        /// Sets the name.
        name: Option<impl Into<String>>;
        /// Sets the description. An empty one is none.
        description: Patch<impl Into<String>>;
        /// Removes the description.
        clear_description clears description;
    }
}

impl Session<'_> {
    /// Changes a team.
    ///
    /// # Errors
    /// `NotFound`; `InvalidName`; `InvalidValue`; `Conflict`, when the name is taken.
    pub fn update_team(&self, organization: OrganizationId, id: TeamId, update: &TeamUpdate) -> Result<Team> {
        self.write(UseCase::UpdateTeam, |operation| {
            operation.whole_organization(organization)?;
            let mut team = operation.team(organization, id)?;
            let mut changed = Vec::new();
            if let Some(name) = &update.name {
                let name = check_short_name(name)?;
                if fold(&name) != fold(&team.name) {
                    let by_name = keys::team_name(organization, &fold(&name));
                    if operation.tx.get(&by_name)?.is_some() {
                        return Err(name_taken());
                    }
                    operation.tx.delete(&keys::team_name(organization, &fold(&team.name)))?;
                    put(operation.tx, &by_name, &id, Precondition::Absent)?;
                }
                team.name = name;
                changed.push("name");
            }
            if update.description.apply(&mut team.description, |text| check_description(Some(text)))? {
                changed.push("description");
            }
            team.updated_at = operation.now;
            operation.put_authenticated(&keys::team(organization, id), &team, Precondition::Present)?;
            operation.record(Action::Update, resource(organization, &team), Details::changed(&changed))?;
            Ok(team.into())
        })
    }
}

impl Session<'_> {
    /// Puts a member of the organization into a team.
    ///
    /// # Errors
    /// `NotFound`, without the team or the member; `Denied`, when more was granted to the team than the actor holds;
    /// `Conflict`, for whoever is in it already.
    pub fn add_team_member(&self, organization: OrganizationId, team: TeamId, user: UserId) -> Result<()> {
        self.write(UseCase::AddTeamMember, |operation| {
            operation.whole_organization(organization)?;
            operation.check_unbounded()?;
            let record = operation.team(organization, team)?;
            let mut member = operation.member(organization, user)?;
            operation.check_grants_held(organization, Grantee::Team(team))?;
            if member.teams.contains(&team) {
                return Err(Error::new(ErrorKind::Conflict, "this member is in the team already"));
            }
            member.teams.push(team);
            member.updated_at = operation.now;
            operation.put_authenticated(&keys::member(organization, user), &member, Precondition::Present)?;
            operation.tx.put(&keys::team_member(organization, team, user), MARK, Precondition::Absent)?;
            let user = operation.user(user)?;
            operation.record(Action::Update, resource(organization, &record), member_details("added", &user))
        })
    }
}

impl Session<'_> {
    /// Removes a team, and what was granted to it. Its members stay members of the organization.
    ///
    /// # Errors
    /// `NotFound`.
    pub fn delete_team(&self, organization: OrganizationId, id: TeamId) -> Result<()> {
        self.write(UseCase::DeleteTeam, |operation| {
            operation.whole_organization(organization)?;
            let team = operation.team(organization, id)?;
            let marks = scan_keys(operation.tx, keys::team_members(organization, id))?;
            let users = marks.iter().map(|mark| id_in(mark)).collect::<Result<Vec<UserId>>>()?;
            let members: Vec<String> = users.iter().map(|user| keys::member(organization, *user)).collect();
            operation.tx.prefetch(&members)?;
            for (mark, user) in marks.iter().zip(users) {
                let mut member = operation.member(organization, user)?;
                member.teams.retain(|team| *team != id);
                member.updated_at = operation.now;
                operation.put_authenticated(
                    &keys::member(organization, member.user),
                    &member,
                    Precondition::Present,
                )?;
                operation.tx.delete(mark)?;
            }
            operation.remove_grants_of(organization, Grantee::Team(id))?;
            operation.tx.delete(&keys::team_name(organization, &fold(&team.name)))?;
            operation.tx.delete(&keys::team(organization, id))?;
            operation.record(Action::Delete, resource(organization, &team), Details::default())
        })
    }
}

impl Session<'_> {
    /// The members of a team, in the order in which the users were made.
    ///
    /// # Errors
    /// `NotFound`; `InvalidValue`, for a page that begins nowhere.
    pub fn team_members(&self, organization: OrganizationId, team: TeamId, paging: &Paging) -> Result<Page<Member>> {
        self.read(UseCase::ListTeamMembers, |operation| {
            operation.whole_organization(organization)?;
            let record = operation.team(organization, team)?;
            let (marks, next) = paging.scan(operation.tx, keys::team_members(organization, team), Order::Ascending)?;
            let users = marks.iter().map(|mark| id_in(&mark.key)).collect::<Result<Vec<UserId>>>()?;
            let wanted = users.iter().flat_map(|user| [keys::member(organization, *user), keys::user(*user)]);
            operation.tx.prefetch(&wanted.collect::<Vec<String>>())?;
            let mut items = Vec::new();
            for user in users {
                let member = operation.member(organization, user)?;
                // The index bears no MAC: the member must say the same.
                if !member.teams.contains(&team) {
                    return Err(forged());
                }
                items.push(Member::new(member, operation.user(user)?));
            }
            let details = Details::default().with("op", "members").with("count", items.len());
            operation.record(Action::Read, resource(organization, &record), details)?;
            Ok(Page { items, next })
        })
    }
}

impl Session<'_> {
    /// Takes a member out of a team.
    ///
    /// # Errors
    /// `NotFound`, without the team, and for whoever is not in it.
    pub fn remove_team_member(&self, organization: OrganizationId, team: TeamId, user: UserId) -> Result<()> {
        self.write(UseCase::RemoveTeamMember, |operation| {
            operation.whole_organization(organization)?;
            let record = operation.team(organization, team)?;
            let mut member = operation.member(organization, user)?;
            if !member.teams.contains(&team) {
                return Err(no_such("member of the team"));
            }
            member.teams.retain(|id| *id != team);
            member.updated_at = operation.now;
            operation.put_authenticated(&keys::member(organization, user), &member, Precondition::Present)?;
            operation.tx.delete(&keys::team_member(organization, team, user))?;
            let user = operation.user(user)?;
            operation.record(Action::Update, resource(organization, &record), member_details("removed", &user))
        })
    }
}
