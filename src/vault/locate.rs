//! Finding a place, as far as the caller may know of it.

use std::borrow::Cow;

use super::keys;
use super::operation::{OperationContext, no_such};
use super::place::{At, Place, Reach};
use super::records::{NodeKind, NodeRecord, OrganizationRecord, PlaceRecord, ProjectRecord};
use super::slug::BASE;
use crate::core::id::Id;
use crate::core::id::LevelId;
use crate::core::id::OrganizationId;
use crate::core::path::LevelPath;
use crate::error::{Error, ErrorKind, Result};

/// Says of an id that the caller may not know of the same as of one that does not exist, whatever stands in between.
pub(super) fn hidden(at: At<'_>, error: Error) -> Error {
    match at {
        At::Id(_) if error.kind() == ErrorKind::NotFound => no_such("level"),
        _ => error,
    }
}

impl OperationContext<'_, '_> {
    /// The organization and the path of a place, whether or not the actor may know of it.
    pub(super) fn whereabouts<'a>(&mut self, at: At<'a>) -> Result<(OrganizationId, Cow<'a, LevelPath>)> {
        match at {
            At::Path(organization, path) => Ok((organization, Cow::Borrowed(path))),
            At::Id(id) => self.path_of(id).map(|(organization, path)| (organization, Cow::Owned(path))),
        }
    }

    /// The place of a project, for what concerns all of it.
    pub(super) fn project_place(&mut self, at: At<'_>, reach: Reach) -> Result<Place> {
        // `_base` is the same level, but a caller who names it does not mean the project.
        if let At::Path(_, path) = at
            && path.segments().count() > 1
        {
            return Err(no_such("project"));
        }
        let place = self.place(at, reach)?;
        if place.nodes.is_empty() { Ok(place) } else { Err(no_such("project")) }
    }

    /// The project of that slug, if the actor may know of it.
    pub(super) fn project_called(&mut self, organization: OrganizationId, slug: &str) -> Result<ProjectRecord> {
        let mut wanted = vec![keys::organization(organization), keys::project(organization, slug)];
        wanted.extend(self.principal.user.as_ref().map(|user| keys::member(organization, user.id)));
        self.tx.prefetch(&wanted)?;
        self.organization(organization)?;
        let project: ProjectRecord =
            self.get_authenticated(&keys::project(organization, slug))?.ok_or_else(|| no_such("project"))?;
        // In the same words as for a project that does not exist.
        if !self.knows(project.id)? {
            return Err(no_such("project"));
        }
        Ok(project)
    }

    /// Returns the organization of a place. What the actor may do stays what it is at the place.
    pub(super) fn owner(&mut self, place: &Place) -> Result<OrganizationRecord> {
        self.require_authenticated(&keys::organization(place.organization()))
    }

    /// What stands at a path, if the actor may know of it.
    pub(super) fn place(&mut self, at: At<'_>, reach: Reach) -> Result<Place> {
        let (organization, path) = self.whereabouts(at)?;
        self.place_at(organization, &path, reach).map_err(|error| hidden(at, error))
    }

    fn place_at(&mut self, organization: OrganizationId, path: &LevelPath, reach: Reach) -> Result<Place> {
        let mut segments = path.segments();
        let project = self.project_called(organization, segments.next().unwrap_or_default())?;
        let mut place = Place { project, nodes: Vec::new() };
        let mut below = String::new();
        // Nothing stands below `_base`: it is the project's own level.
        let is_base = place.project.has_base && path.segments().count() == 2;
        let mut nodes = Vec::new();
        for slug in segments.filter(|slug| !(is_base && *slug == BASE)) {
            if !below.is_empty() {
                below.push('/');
            }
            below.push_str(slug);
            nodes.push(keys::node(place.project.id, &below));
        }
        self.tx.prefetch(&nodes)?;
        for key in &nodes {
            let node: NodeRecord = self.get_authenticated(key)?.ok_or_else(|| no_such("level"))?;
            place.nodes.push(node);
        }
        self.check_reach(&place, reach)?;
        Ok(place)
    }

    /// The target or environment at a path.
    pub(super) fn node(&mut self, at: At<'_>, kind: NodeKind, reach: Reach) -> Result<(Place, NodeRecord)> {
        let place = self.place(at, reach)?;
        match place.nodes.last() {
            Some(node) if node.kind == kind => {
                let node = node.clone();
                Ok((place, node))
            }
            _ => Err(no_such(kind.as_str())),
        }
    }

    fn check_reach(&mut self, place: &Place, reach: Reach) -> Result<()> {
        self.rights = self.rights_at(place, reach)?.ok_or_else(|| no_such("level"))?;
        if reach == Reach::Beneath { Ok(()) } else { self.require() }
    }

    /// Whether the actor may do this at a place, beside the one it is at.
    pub(super) fn may(&mut self, place: &Place) -> Result<bool> {
        Ok(self.rights_at(place, Reach::Inside)?.is_some_and(|rights| rights.contains_all(self.needed)))
    }

    /// Whether the node at `path` right below a place is to be listed for this actor.
    pub(super) fn is_listed(&mut self, parent: &Place, path: &str, node: LevelId) -> Result<bool> {
        let nodes: Vec<LevelId> = parent.nodes.iter().map(|node| node.id).chain([node]).collect();
        let rights = self.rights_below(parent.project.id, &nodes, path, Reach::OnTheWay)?;
        Ok(rights.is_some_and(|rights| rights.contains_all(self.needed)))
    }

    /// The path of a project, target or environment, by its id.
    pub(super) fn path_of(&mut self, id: LevelId) -> Result<(OrganizationId, LevelPath)> {
        if let Some(place) = self.get_authenticated::<PlaceRecord>(&keys::node_id(id))? {
            // What stands in a deleted project is no more there than the project.
            let project: PlaceRecord =
                self.get_authenticated(&keys::project_id(place.project))?.ok_or_else(|| no_such("level"))?;
            return Ok((place.organization, LevelPath::new(&project.path)?.join(&place.path)?));
        }
        let project: PlaceRecord =
            self.get_authenticated(&keys::project_id(Id::from(id).into()))?.ok_or_else(|| no_such("level"))?;
        Ok((project.organization, LevelPath::new(&project.path)?))
    }
}
