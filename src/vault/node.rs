//! What targets and environments have in common: a place below a project.

use super::keys;
use super::name::{check_name, choose_slug, slug_taken};
use super::operation::OperationContext;
use super::place::Place;
use super::records::{LevelRecord, NodeKind, NodeRecord, PlaceRecord, ProjectRecord, VersionRecord, decode, get};
use super::scan::Scan;
use super::slug::{SlugRule, check_slug};
use super::version::by_key::VersionKey;
use crate::core::id::LevelId;
use crate::core::id::ProjectId;
use crate::core::name::Slug;
use crate::error::Result;
use crate::store::{KeyRange, Order, Precondition};

/// How many records are removed at a time.
const BATCH: usize = 500;

/// What has a fixed meaning where the slug of a target or of an environment stands in a path.
pub(super) fn reserved(kind: NodeKind) -> &'static [&'static str] {
    match kind {
        NodeKind::Target => &["targets", "secrets", "encryption-key"],
        NodeKind::Environment => &["environments", "secrets", "targets", "encryption-key"],
    }
}

impl OperationContext<'_, '_> {
    /// A node below `parent` that is not there yet.
    pub(super) fn new_node(
        &mut self,
        parent: &Place,
        kind: NodeKind,
        id: Option<LevelId>,
        name: &str,
        slug: Option<&Slug>,
        rule: SlugRule,
    ) -> Result<NodeRecord> {
        let name = check_name(name)?;
        let project = parent.project.id;
        let slug = choose_slug(&name, slug, reserved(kind), rule, |slug| {
            Ok(self.tx.get(&keys::node(project, &below(parent, slug)))?.is_some())
        })?;
        Ok(NodeRecord {
            id: self.given_place_id(id)?,
            kind,
            name,
            slug,
            description: None,
            status: None,
            is_production: false,
            is_builtin: false,
            created_at: self.now,
            updated_at: self.now,
        })
    }

    /// Writes a node that is not there yet; `path` is what follows the project's slug.
    pub(super) fn put_node(&mut self, project: &ProjectRecord, path: &str, node: &NodeRecord) -> Result<()> {
        self.put_authenticated(&keys::node(project.id, path), node, Precondition::Absent)?;
        let place = PlaceRecord { organization: project.organization, project: project.id, path: path.to_owned() };
        self.put_authenticated(&keys::node_id(node.id), &place, Precondition::Absent)
    }

    /// Writes a node that is there, perhaps with another slug; what lies below it moves along.
    pub(super) fn change_node(&mut self, place: &Place, node: &NodeRecord, rule: SlugRule) -> Result<()> {
        let project = &place.project;
        let old = place.path_below();
        let new = match old.rsplit_once('/') {
            Some((above, _)) => format!("{above}/{}", node.slug),
            None => node.slug.clone(),
        };
        if new == old {
            return self.put_authenticated(&keys::node(project.id, &old), node, Precondition::Present);
        }
        check_slug(&node.slug, reserved(node.kind), rule)?;
        if self.tx.get(&keys::node(project.id, &new))?.is_some() {
            return Err(slug_taken());
        }
        let mut moved = vec![(old.clone(), new.clone(), node.clone())];
        let mut scan = Scan::new(keys::nodes(project.id, &format!("{old}/")), Order::Ascending);
        while let Some(record) = scan.next(self.tx)? {
            let child: NodeRecord = self.decode_authenticated(&record)?;
            moved.push((format!("{old}/{}", child.slug), format!("{new}/{}", child.slug), child));
        }
        for (old, new, node) in &moved {
            self.tx.delete(&keys::node(project.id, old))?;
            self.tx.delete(&keys::node_id(node.id))?;
            self.put_node(project, new, node)?;
        }
        Ok(())
    }

    /// Removes what a level holds now.
    pub(super) fn remove_level(&mut self, project: ProjectId, node: LevelId) -> Result<()> {
        if let Some(level) = get::<LevelRecord>(self.tx, &keys::level(project, node))? {
            self.tx.delete(&keys::content(project, level.number))?;
        }
        self.tx.delete(&keys::level(project, node))?;
        self.tx.delete(&keys::access(project, node))?;
        Ok(())
    }

    /// Removes versions with their contents, and tells how many there were.
    pub(super) fn remove_versions(&mut self, project: ProjectId, range: &KeyRange) -> Result<u64> {
        let mut left = usize::MAX;
        self.remove_versions_up_to(project, range, &mut left)?;
        Ok((usize::MAX - left) as u64)
    }

    /// Removes at most `left` versions with their contents, and counts that down; `false`, when there may be more.
    pub(super) fn remove_versions_up_to(
        &mut self,
        project: ProjectId,
        range: &KeyRange,
        left: &mut usize,
    ) -> Result<bool> {
        loop {
            let limit = BATCH.min(*left);
            let records = self.tx.scan(range, Order::Ascending, limit)?;
            let mut removed = Vec::new();
            for record in &records {
                let version: VersionRecord = decode(&record.value)?;
                self.tx.delete(&keys::content(project, version.number))?;
                self.tx.delete(&record.key)?;
                removed.push(VersionKey { number: version.number, key_version: version.key_version });
            }
            self.unindex_versions(project, &removed)?;
            *left -= records.len();
            if records.len() < limit || *left == 0 {
                return Ok(records.len() < limit);
            }
        }
    }

    /// Removes all records of a range.
    pub(super) fn remove_range(&mut self, range: &KeyRange) -> Result<()> {
        self.remove_up_to(range, &mut { usize::MAX }).map(drop)
    }

    /// Removes at most `left` records of a range, and counts that down; `false`, when there may be more.
    pub(super) fn remove_up_to(&mut self, range: &KeyRange, left: &mut usize) -> Result<bool> {
        loop {
            let limit = BATCH.min(*left);
            let records = self.tx.scan(range, Order::Ascending, limit)?;
            for record in &records {
                self.tx.delete(&record.key)?;
            }
            *left -= records.len();
            if records.len() < limit || *left == 0 {
                return Ok(records.len() < limit);
            }
        }
    }

    /// The nodes of a kind right below a place that are to be listed for this actor, in the order of their slugs.
    pub(super) fn list_nodes(&mut self, parent: &Place, kind: NodeKind) -> Result<Vec<NodeRecord>> {
        let above = parent.path_below();
        let prefix = if above.is_empty() { above } else { above + "/" };
        let mut nodes = Vec::new();
        let mut scan = Scan::new(keys::nodes(parent.project.id, &prefix), Order::Ascending);
        while let Some(record) = scan.next(self.tx)? {
            let node: NodeRecord = self.decode_authenticated(&record)?;
            let path = format!("{prefix}{}", node.slug);
            // What lies deeper has another path.
            let is_here = record.key == keys::node(parent.project.id, &path);
            if is_here && node.kind == kind && self.is_listed(parent, &path, node.id)? {
                nodes.push(node);
            }
        }
        Ok(nodes)
    }
}

/// The path of a node below `parent`, without the project's slug.
pub(super) fn below(parent: &Place, slug: &str) -> String {
    let above = parent.path_below();
    if above.is_empty() { slug.to_owned() } else { format!("{above}/{slug}") }
}
