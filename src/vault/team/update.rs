use super::super::keys;
use super::super::name::{check_description, check_short_name, fold, name_taken};
use super::super::records::put;
use super::super::session::Session;
use super::super::use_case::UseCase;
use super::{Team, resource};
use crate::Result;
use crate::core::{Action, Details, Id};
use crate::store::Precondition;

/// What is to change about a team.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct TeamUpdate {
    /// Another name.
    pub name: Option<String>,
    /// Another description; an empty one removes it.
    pub description: Option<String>,
}

impl Session<'_> {
    /// Changes a team.
    ///
    /// # Errors
    /// `NotFound`; `InvalidName`; `InvalidValue`; `Conflict`, when the name is taken.
    pub fn update_team(&self, organization: Id, id: Id, update: &TeamUpdate) -> Result<Team> {
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
            if let Some(description) = &update.description {
                team.description = check_description(Some(description))?;
                changed.push("description");
            }
            team.updated_at = operation.now;
            put(operation.tx, &keys::team(organization, id), &team, Precondition::Present)?;
            operation.record(Action::Update, resource(organization, &team), Details::changed(&changed))?;
            Ok(team.into())
        })
    }
}
