use super::keys;
use super::operation::{OperationContext, no_such};
use super::records::{NodeKind, NodeRecord, PlaceRecord, ProjectRecord, get};
use crate::core::{Id, LevelPath};
use crate::error::{Error, ErrorKind, Refusal, Result};

/// The name of the level of a project itself, where its dialect has one.
pub(super) const BASE: &str = "_base";

/// Where an actor acts: a project, or a target or an environment in it, all of which are there.
pub(super) struct Place {
    pub(super) project: ProjectRecord,
    /// Below the project, broad to specific: at most two.
    pub(super) nodes: Vec<NodeRecord>,
}

/// How far a place may be from what a token is bound to, or a user was granted.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Reach {
    /// It must be inside.
    Inside,
    /// It may also stand on the way there: a token of an environment may know of its project, not of what that holds.
    OnTheWay,
    /// The same, and what the use case takes is asked for at each place below it.
    Beneath,
}

impl Place {
    /// The id of the level, which for a project's own level is the project's.
    pub(super) fn id(&self) -> Id {
        self.nodes.last().map_or(self.project.id, |node| node.id)
    }

    pub(super) fn organization(&self) -> Id {
        self.project.organization
    }

    pub(super) fn path(&self) -> Result<LevelPath> {
        let mut path = self.project.slug.clone();
        for node in &self.nodes {
            path.push('/');
            path.push_str(&node.slug);
        }
        LevelPath::new(&path)
    }

    /// What follows the project's slug in the path.
    pub(super) fn path_below(&self) -> String {
        self.nodes.iter().map(|node| node.slug.as_str()).collect::<Vec<_>>().join("/")
    }

    /// The levels this one inherits from and itself, broad to specific: the id of each and its path.
    pub(super) fn chain(&self) -> Result<Vec<(Id, LevelPath)>> {
        let path = self.path()?;
        let ids = [self.project.id].into_iter().chain(self.nodes.iter().map(|node| node.id));
        Ok(ids.zip(path.chain()).collect())
    }
}

impl OperationContext<'_, '_> {
    /// The project of that slug, if the actor may know of it.
    pub(super) fn project(&mut self, organization: Id, slug: &str) -> Result<ProjectRecord> {
        let mut wanted = vec![keys::organization(organization), keys::project(organization, slug)];
        wanted.extend(self.principal.user.as_ref().map(|user| keys::member(organization, user.id)));
        self.tx.prefetch(&wanted)?;
        self.organization(organization)?;
        let project: ProjectRecord =
            get(self.tx, &keys::project(organization, slug))?.ok_or_else(|| no_such("project"))?;
        // In the same words as for a project that does not exist.
        if !self.knows(project.id)? {
            return Err(no_such("project"));
        }
        Ok(project)
    }

    /// What stands at a path, if the actor may know of it.
    pub(super) fn place(&mut self, organization: Id, path: &LevelPath, reach: Reach) -> Result<Place> {
        let mut segments = path.segments();
        let project = self.project(organization, segments.next().unwrap_or_default())?;
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
            let node: NodeRecord = get(self.tx, key)?.ok_or_else(|| no_such("level"))?;
            place.nodes.push(node);
        }
        self.check_reach(&place, reach)?;
        Ok(place)
    }

    /// The target or environment at a path.
    pub(super) fn node(
        &mut self,
        organization: Id,
        path: &LevelPath,
        kind: NodeKind,
        reach: Reach,
    ) -> Result<(Place, NodeRecord)> {
        let place = self.place(organization, path, reach)?;
        match place.nodes.last() {
            Some(node) if node.kind == kind => {
                let node = node.clone();
                Ok((place, node))
            }
            _ => Err(no_such(match kind {
                NodeKind::Target => "target",
                NodeKind::Environment => "environment",
            })),
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
    pub(super) fn is_listed(&mut self, parent: &Place, path: &str, node: Id) -> Result<bool> {
        let nodes: Vec<Id> = parent.nodes.iter().map(|node| node.id).chain([node]).collect();
        let rights = self.rights_below(parent.project.id, &nodes, path, Reach::OnTheWay)?;
        Ok(rights.is_some_and(|rights| rights.contains_all(self.needed)))
    }

    /// The path of a project, target or environment, by its id.
    pub(super) fn path_of(&mut self, id: Id) -> Result<(Id, LevelPath)> {
        if let Some(place) = get::<PlaceRecord>(self.tx, &keys::node_id(id))? {
            // What stands in a deleted project is no more there than the project.
            let project: PlaceRecord =
                get(self.tx, &keys::project_id(place.project))?.ok_or_else(|| no_such("level"))?;
            return Ok((place.organization, LevelPath::new(&format!("{}/{}", project.path, place.path))?));
        }
        let project: PlaceRecord = get(self.tx, &keys::project_id(id))?.ok_or_else(|| no_such("level"))?;
        Ok((project.organization, LevelPath::new(&project.path)?))
    }
}

/// Which slugs a project or an environment may be given.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_enums, reason = "a slug can be reached by the addresses of all services or it cannot")]
pub enum SlugRule {
    /// Those that can be told from the other words in the addresses of all services.
    #[default]
    Addressable,
    /// All but `_base` and what looks like an id. Stashbase takes them; at another service it may be that what is called
    /// so, such as `billing`, cannot be addressed by its slug.
    Any,
}

/// Refuses a slug that has a fixed meaning in its place.
pub(super) fn check_slug(slug: &str, reserved: &[&str], rule: SlugRule) -> Result<()> {
    let is_word = || slug.starts_with('_') || reserved.contains(&slug) || EVERYWHERE.contains(&slug);
    if slug == BASE || looks_like_id(slug) || rule == SlugRule::Addressable && is_word() {
        let message = "this slug has a fixed meaning here: choose another one";
        return Err(Error::new(ErrorKind::InvalidName, message).with_refusal(Refusal::Slug));
    }
    Ok(())
}

/// Whether a name could be taken for an id, where either is understood.
pub(super) fn looks_like_id(name: &str) -> bool {
    let is_digits = |rest: &str| rest.len() == 22 && rest.bytes().all(|byte| byte.is_ascii_alphanumeric());
    name.split_once('_').is_some_and(|(prefix, rest)| ID_PREFIXES.contains(&prefix) && is_digits(rest))
}

const ID_PREFIXES: &[&str] = &["org", "usr", "proj", "env", "tok", "aud"];

/// What the paths of the services' interfaces use, or may come to use, at any place.
const EVERYWHERE: &[&str] = &[
    "organizations",
    "organization",
    "api-keys",
    "members",
    "billing",
    "user",
    "plans",
    "cli",
    "audit-log",
    "versions",
];

/// A slug made of a name: lower case, with one `-` for each run of other characters than letters and digits.
pub(super) fn slug_of(name: &str) -> String {
    let mut slug = String::new();
    for c in name.chars() {
        if c.is_ascii_alphanumeric() {
            slug.push(c.to_ascii_lowercase());
        } else if !slug.is_empty() && !slug.ends_with('-') {
            slug.push('-');
        }
    }
    slug.truncate(MAX_SLUG);
    slug.truncate(slug.trim_end_matches('-').len());
    slug
}

const MAX_SLUG: usize = 100;
