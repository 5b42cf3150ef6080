//! Lists together with what is counted of their items, in one transaction: for services that show both.

use std::collections::BTreeMap;

use super::counts::{Counts, LevelSummary, ProjectSummary};
use super::environment::Environment;
use super::operation::OperationContext;
use super::place::{At, Place, Reach};
use super::project::Project;
use super::records::{NodeRecord, ProjectRecord};
use super::session::Session;
use super::target::Target;
use super::use_case::UseCase;
use crate::core::id::{LevelId, OrganizationId, ProjectId};
use crate::error::Result;

impl Session<'_> {
    /// Lists projects, and counts what is below those that `select` keeps, in its order.
    pub(crate) fn counted_projects(
        &self,
        organization: OrganizationId,
        mut select: impl FnMut(Vec<Project>) -> Vec<Project>,
    ) -> Result<Vec<(Project, Counts)>> {
        self.read(UseCase::ListProjects, |operation| {
            let records = operation.list_projects(organization)?;
            operation.with_projects(records, &mut select, OperationContext::count)
        })
    }

    /// Lists projects, and summarizes those that `select` keeps, in its order.
    pub(crate) fn summarized_projects(
        &self,
        organization: OrganizationId,
        mut select: impl FnMut(Vec<Project>) -> Vec<Project>,
    ) -> Result<Vec<(Project, ProjectSummary)>> {
        self.read(UseCase::ListProjects, |operation| {
            let records = operation.list_projects(organization)?;
            operation.with_projects(records, &mut select, OperationContext::summarize_project)
        })
    }

    /// Lists the targets of a project, and counts what is below those that `select` keeps, in its order. Also tells the
    /// id of the project.
    pub(crate) fn counted_targets(
        &self,
        at: At<'_>,
        mut select: impl FnMut(Vec<Target>) -> Vec<Target>,
    ) -> Result<(ProjectId, Vec<(Target, Counts)>)> {
        self.read(UseCase::ListTargets, |operation| {
            let (place, nodes) = operation.list_targets(at)?;
            operation.needed = UseCase::Count.permissions();
            let selected = select(nodes.iter().cloned().map(Target::from).collect());
            let mut counted = Vec::with_capacity(selected.len());
            for target in selected {
                let node = nodes.iter().find(|node| node.id == target.id.into()).cloned();
                counted.push((target, operation.count(&below(&place, node))?));
            }
            Ok((place.project.id, counted))
        })
    }

    /// Lists the environments right below a place. Also tells the ids of the levels from the project to that place.
    pub(crate) fn environments_below(&self, parent: At<'_>) -> Result<(Vec<LevelId>, Vec<Environment>)> {
        self.read(UseCase::ListEnvironments, |operation| {
            let (place, nodes) = operation.list_environments(parent)?;
            let environments = nodes.into_iter().map(|node| Environment::of(&place, node)).collect();
            Ok((chain(&place), environments))
        })
    }

    /// Lists the environments right below a place, and summarizes those that `select` keeps, in its order.
    pub(crate) fn summarized_environments(
        &self,
        parent: At<'_>,
        mut select: impl FnMut(Vec<Environment>) -> Vec<Environment>,
    ) -> Result<Vec<(Environment, LevelSummary)>> {
        self.read(UseCase::ListEnvironments, |operation| {
            let (place, nodes) = operation.list_environments(parent)?;
            operation.needed = UseCase::Count.permissions();
            let selected = select(nodes.iter().map(|node| Environment::of(&place, node.clone())).collect());
            let mut summarized = Vec::with_capacity(selected.len());
            for environment in selected {
                let node = nodes.iter().flatten().find(|node| node.id == environment.id.into()).cloned();
                summarized.push((environment, operation.summarize_level(&below(&place, node))?));
            }
            Ok(summarized)
        })
    }

    /// Counts what is below a place. Also tells the id of its project.
    pub(crate) fn counts_and_project(&self, at: At<'_>) -> Result<(Counts, ProjectId)> {
        self.read(UseCase::Count, |operation| {
            let place = operation.place(at, Reach::OnTheWay)?;
            Ok((operation.count(&place)?, place.project.id))
        })
    }
}

impl OperationContext<'_, '_> {
    /// What `describe` tells of the projects that `select` keeps.
    fn with_projects<T>(
        &mut self,
        records: Vec<ProjectRecord>,
        select: &mut dyn FnMut(Vec<Project>) -> Vec<Project>,
        mut describe: impl FnMut(&mut Self, &Place) -> Result<T>,
    ) -> Result<Vec<(Project, T)>> {
        // To count takes no permission of its own.
        self.needed = UseCase::Count.permissions();
        let selected = select(records.iter().cloned().map(Project::from).collect());
        let mut described = Vec::with_capacity(selected.len());
        let mut records: BTreeMap<ProjectId, ProjectRecord> =
            records.into_iter().map(|record| (record.id, record)).collect();
        for project in selected {
            if let Some(record) = records.remove(&project.id) {
                let place = Place { project: record, nodes: Vec::new() };
                described.push((project, describe(self, &place)?));
            }
        }
        Ok(described)
    }
}

/// The place of a node right below another place, or that place itself.
fn below(place: &Place, node: Option<NodeRecord>) -> Place {
    Place { project: place.project.clone(), nodes: place.nodes.iter().cloned().chain(node).collect() }
}

fn chain(place: &Place) -> Vec<LevelId> {
    [place.project.id.into()].into_iter().chain(place.nodes.iter().map(|node| node.id)).collect()
}
