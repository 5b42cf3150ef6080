//! How much there is below a place.

use std::collections::BTreeMap;

use super::call::Call;
use super::keys;
use super::place::{Place, Reach};
use super::records::{NodeKind, NodeRecord, decode};
use super::session::Session;
use super::use_case::UseCase;
use crate::Result;
use crate::core::{Id, LevelPath};
use crate::store::Order;

/// How much there is below a place, as far as the actor may know of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Counts {
    /// Targets below it.
    pub targets: usize,
    /// Environments below it, also those of its targets.
    pub environments: usize,
    /// Levels that hold something: those of its targets and environments, and its own.
    pub contents: usize,
}

impl Session<'_> {
    /// How much there is below a project, a target or an environment. It is not recorded, because it tells no name and no
    /// value.
    ///
    /// # Errors
    /// `NotFound`.
    pub fn counts(&self, organization: Id, path: &LevelPath) -> Result<Counts> {
        self.read(UseCase::Count, |call| {
            let place = call.place(organization, path, Reach::OnTheWay)?;
            call.count(&place)
        })
    }
}

impl Session<'_> {
    /// The ids of the levels that a project, a target or an environment inherits from, and its own, broad to specific.
    /// It is not recorded, because it tells no more than that they are there.
    ///
    /// # Errors
    /// `NotFound`.
    pub fn chain(&self, organization: Id, path: &LevelPath) -> Result<Vec<Id>> {
        self.read(UseCase::ReadChain, |call| {
            let place = call.place(organization, path, Reach::OnTheWay)?;
            Ok(place.chain()?.into_iter().map(|(id, _)| id).collect())
        })
    }
}

impl Call<'_, '_> {
    fn count(&mut self, place: &Place) -> Result<Counts> {
        let project = place.project.id;
        let above = place.path_below();
        let prefix = if above.is_empty() { above } else { above + "/" };
        let mut there: Vec<Id> = vec![place.id()];
        let mut targets: BTreeMap<String, Id> = BTreeMap::new();
        let mut counts = Counts::default();
        for record in self.tx.scan(&keys::nodes(project, &prefix), Order::Ascending, usize::MAX)? {
            let node: NodeRecord = decode(&record.value)?;
            let path = record.key.strip_prefix(&keys::node(project, "")).unwrap_or_default();
            let mut ids: Vec<Id> = place.nodes.iter().map(|node| node.id).collect();
            // A target sorts before what stands below it.
            ids.extend(path.rsplit_once('/').and_then(|(target, _)| targets.get(target)));
            ids.push(node.id);
            if node.kind == NodeKind::Target {
                targets.insert(path.to_owned(), node.id);
            }
            if self.rights_below(project, &ids, path, Reach::OnTheWay)?.is_some() {
                there.push(node.id);
                match node.kind {
                    NodeKind::Target => counts.targets += 1,
                    NodeKind::Environment => counts.environments += 1,
                }
            }
        }
        there.sort_unstable();
        for record in self.tx.scan(&keys::levels(project), Order::Ascending, usize::MAX)? {
            let id = record.key.rsplit('/').next().and_then(|id| Id::parse(id).ok());
            counts.contents += usize::from(id.is_some_and(|id| there.binary_search(&id).is_ok()));
        }
        Ok(counts)
    }
}
