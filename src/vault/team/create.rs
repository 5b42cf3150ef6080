use super::super::keys;
use super::super::name::{check_description, check_short_name, fold, name_taken};
use super::super::records::{TeamRecord, put};
use super::super::session::Session;
use super::super::use_case::UseCase;
use super::{Team, resource};
use crate::Result;
use crate::core::{Action, Details, Id};
use crate::store::Precondition;

/// A team that is to be made.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct NewTeam {
    /// Its id; a new one, where none is given.
    pub id: Option<Id>,
    /// Its name, of at most 100 characters.
    pub name: String,
    /// What it is about.
    pub description: Option<String>,
}

impl NewTeam {
    /// A team of that name.
    pub fn new(name: impl Into<String>) -> Self {
        Self { id: None, name: name.into(), description: None }
    }
}

impl Session<'_> {
    /// Makes a team, in which nobody is yet.
    ///
    /// # Errors
    /// `NotFound`; `InvalidName`; `InvalidValue`; `Conflict`, when the name or the id is taken.
    pub fn create_team(&self, organization: Id, new: &NewTeam) -> Result<Team> {
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
            put(operation.tx, &keys::team(organization, team.id), &team, Precondition::Absent)?;
            operation.record(Action::Create, resource(organization, &team), Details::default())?;
            Ok(team.into())
        })
    }
}
