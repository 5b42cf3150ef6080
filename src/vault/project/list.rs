use std::collections::BTreeSet;

use super::super::grant::Grantee;
use super::super::keys;
use super::super::operation::OperationContext;
use super::super::place::Reach;
use super::super::records::{PlaceRecord, ProjectRecord, decode, get, require};
use super::super::session::Session;
use super::super::use_case::UseCase;
use super::Project;
use crate::Result;
use crate::core::{Action, Details, Id, Resource};
use crate::store::Order;

impl Session<'_> {
    /// The projects of an organization that the actor may know of, ascending by slug.
    ///
    /// # Errors
    /// `NotFound`.
    pub fn projects(&self, organization: Id) -> Result<Vec<Project>> {
        self.read(UseCase::ListProjects, |operation| {
            operation.organization(organization)?;
            let mut projects = Vec::new();
            for project in operation.known_projects(organization)? {
                let rights = operation.rights_below(project.id, &[], "", Reach::OnTheWay)?;
                if rights.is_some_and(|rights| rights.contains_all(operation.needed)) {
                    projects.push(Project::from(project));
                }
            }
            let details = Details::read("list", projects.iter().map(|project| project.slug.as_str()));
            operation.record(Action::Read, Resource::organization(organization), details)?;
            Ok(projects)
        })
    }
}

impl OperationContext<'_, '_> {
    /// The projects that the actor could know of, ascending by slug: for a user whose role does not show all of them,
    /// those in which something was granted to them.
    fn known_projects(&mut self, organization: Id) -> Result<Vec<ProjectRecord>> {
        let grantees: Vec<Grantee> = match &self.membership {
            Some(membership) if !membership.permissions.contains_all(self.needed) => membership.grantees().collect(),
            _ => {
                let records = self.tx.scan(&keys::projects(organization), Order::Ascending, usize::MAX)?;
                return records.iter().map(|record| decode(&record.value)).collect();
            }
        };
        let mut slugs = BTreeSet::new();
        for grantee in grantees {
            for project in self.granted_projects(organization, grantee)? {
                // None, where it was deleted and can be restored.
                let place: Option<PlaceRecord> = get(self.tx, &keys::project_id(project))?;
                slugs.extend(place.map(|place| place.path));
            }
        }
        slugs.iter().map(|slug| require(self.tx, &keys::project(organization, slug))).collect()
    }
}
