//! How much there is below a place.

use std::collections::BTreeMap;

use super::keys;
use super::operation::OperationContext;
use super::place::At;
use super::place::{Place, Reach};
use super::records::{NodeKind, NodeRecord};
use super::scan::Scan;
use super::session::Session;
use super::use_case::UseCase;
use crate::core::id::LevelId;
use crate::core::permission::PermissionSet;
use crate::error::{ErrorKind, Result};
use crate::store::Order;

/// How much there is below a place, as far as the actor may know of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    /// Targets below it.
    pub(crate) targets: usize,
    /// Environments below it, also those of its targets.
    pub(crate) environments: usize,
    /// Levels that hold something: those of its targets and environments, and its own. One that is only on the way to where
    /// the actor may do something is not counted.
    pub(crate) contents: usize,
}

/// What is told of a project in a list of projects.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct ProjectSummary {
    /// How many environments stand right below it, of those the actor may know of; `_base` is not counted.
    pub(crate) environments: usize,
    /// What the actor may do there.
    pub(crate) rights: PermissionSet,
}

/// What is told of a level in a list of levels.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct LevelSummary {
    /// How many entries it holds itself; 0, where the vault cannot look into it, and where it is only on the way to where
    /// the actor may do something.
    pub(crate) entries: usize,
    /// What the actor may do there.
    pub(crate) rights: PermissionSet,
}

impl Session<'_> {
    /// Returns what a list of projects tells of a project. It is not recorded, because it tells no name and no value.
    ///
    /// # Errors
    /// `NotFound`.
    pub(crate) fn project_summary(&self, at: At<'_>) -> Result<ProjectSummary> {
        self.read(UseCase::Count, |operation| {
            let place = operation.project_place(at, Reach::OnTheWay)?;
            operation.summarize_project(&place)
        })
    }

    /// Returns what a list of levels tells of a level. It is not recorded, because counting entries is no access to them.
    ///
    /// # Errors
    /// `NotFound`.
    pub(crate) fn level_summary(&self, at: At<'_>) -> Result<LevelSummary> {
        self.read(UseCase::Count, |operation| {
            let place = operation.place(at, Reach::OnTheWay)?;
            operation.summarize_level(&place)
        })
    }

    /// How much there is below a project, a target or an environment. It is not recorded, because it tells no name and no
    /// value.
    ///
    /// # Errors
    /// `NotFound`.
    pub(crate) fn counts(&self, at: At<'_>) -> Result<Counts> {
        self.read(UseCase::Count, |operation| {
            let place = operation.place(at, Reach::OnTheWay)?;
            operation.count(&place)
        })
    }
}

impl Session<'_> {
    /// The ids of the levels that a project, a target or an environment inherits from, and its own, broad to specific.
    /// It is not recorded, because it tells no more than that they are there.
    ///
    /// # Errors
    /// `NotFound`.
    pub(crate) fn chain(&self, at: At<'_>) -> Result<Vec<LevelId>> {
        self.read(UseCase::ReadChain, |operation| {
            let place = operation.place(at, Reach::OnTheWay)?;
            Ok(place.chain()?.into_iter().map(|(id, _)| id).collect())
        })
    }
}

impl OperationContext<'_, '_> {
    /// What a list tells of a project.
    pub(super) fn summarize_project(&mut self, place: &Place) -> Result<ProjectSummary> {
        let rights = self.rights_at(place, Reach::OnTheWay)?.unwrap_or(PermissionSet::EMPTY);
        let environments = self.list_nodes(place, NodeKind::Environment)?.len();
        Ok(ProjectSummary { environments, rights })
    }

    /// What a list tells of a level.
    pub(super) fn summarize_level(&mut self, place: &Place) -> Result<LevelSummary> {
        let rights = self.rights_at(place, Reach::OnTheWay)?.unwrap_or(PermissionSet::EMPTY);
        let is_inside = self.rights_at(place, Reach::Inside)?.is_some();
        let entries = match self.level(&place.project, place.id())? {
            Some(level) if is_inside => match self.understood(&place.project, &level.content) {
                Ok(document) => document.map_or(0, |document| document.len()),
                Err(error) if error.kind() == ErrorKind::ClientManaged => 0,
                Err(error) => return Err(error),
            },
            _ => 0,
        };
        Ok(LevelSummary { entries, rights })
    }

    /// How much there is below a place.
    pub(super) fn count(&mut self, place: &Place) -> Result<Counts> {
        let project = place.project.id;
        let above = place.path_below();
        let prefix = if above.is_empty() { above } else { above + "/" };
        let mut inside: Vec<LevelId> = Vec::new();
        if self.rights_at(place, Reach::Inside)?.is_some() {
            inside.push(place.id());
        }
        let mut targets: BTreeMap<String, LevelId> = BTreeMap::new();
        let mut counts = Counts::default();
        let mut scan = Scan::new(keys::nodes(project, &prefix), Order::Ascending);
        while let Some(record) = scan.next(self.tx)? {
            let node: NodeRecord = self.decode_authenticated(&record)?;
            let path = record.key.strip_prefix(&keys::node(project, "")).unwrap_or_default();
            let mut ids: Vec<LevelId> = place.nodes.iter().map(|node| node.id).collect();
            // A target sorts before what stands below it.
            ids.extend(path.rsplit_once('/').and_then(|(target, _)| targets.get(target)));
            ids.push(node.id);
            if node.kind == NodeKind::Target {
                targets.insert(path.to_owned(), node.id);
            }
            if self.rights_below(project, &ids, path, Reach::OnTheWay)?.is_some() {
                match node.kind {
                    NodeKind::Target => counts.targets += 1,
                    NodeKind::Environment => counts.environments += 1,
                }
            }
            if self.rights_below(project, &ids, path, Reach::Inside)?.is_some() {
                inside.push(node.id);
            }
        }
        inside.sort_unstable();
        let mut scan = Scan::new(keys::levels(project), Order::Ascending);
        while let Some(record) = scan.next(self.tx)? {
            let id = record.key.rsplit('/').next().and_then(|id| LevelId::parse(id).ok());
            counts.contents += usize::from(id.is_some_and(|id| inside.binary_search(&id).is_ok()));
        }
        Ok(counts)
    }
}
