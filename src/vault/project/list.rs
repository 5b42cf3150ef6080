use super::super::keys;
use super::super::place::Reach;
use super::super::records::{ProjectRecord, decode};
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
        self.read(UseCase::ListProjects, |call| {
            call.organization(organization)?;
            let mut projects = Vec::new();
            for record in call.tx.scan(&keys::projects(organization), Order::Ascending, usize::MAX)? {
                let project: ProjectRecord = decode(&record.value)?;
                let rights = call.rights_below(project.id, &[], "", Reach::OnTheWay)?;
                if rights.is_some_and(|rights| rights.contains_all(call.needed)) {
                    projects.push(Project::from(project));
                }
            }
            let details = Details::read("list", projects.iter().map(|project| project.slug.as_str()));
            call.record(Action::Read, Resource::organization(organization), details)?;
            Ok(projects)
        })
    }
}
