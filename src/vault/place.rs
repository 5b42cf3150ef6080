use super::records::{NodeRecord, ProjectRecord};
use crate::core::id::LevelId;
use crate::core::id::OrganizationId;
use crate::core::path::LevelPath;
use crate::error::Result;

/// Where an operation acts: the level of a project, a target or an environment.
///
/// It is resolved in the transaction that acts. A level that is given by its id is the same one after it, or what stands
/// above it, was renamed.
///
/// ```
/// # fn main() -> ioenv::Result<()> {
/// use ioenv::vault::{Actor, At, LevelScope, NewOrganization, NewProject, RootKey, Vault};
/// use ioenv::{Document, SystemRandom, store::Memory};
///
/// let vault = Vault::create(Memory::new(), &RootKey::generate(&SystemRandom)?)?;
/// let session = vault.session(Actor::system("setup"));
/// let acme = session.create_organization(&NewOrganization::new("Acme"))?.id;
/// let shop = session.create_project(acme, &NewProject::new("shop"))?.id;
/// session.set_document(At::Path(acme, &"shop".parse()?), &Document::parse("PORT=8080\n")?)?;
/// assert_eq!(session.read_level(At::Id(shop.into()), LevelScope::Chain)?.resolve().len(), 1);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "there is no third way to say where")]
pub enum At<'a> {
    /// The level of that id.
    Id(LevelId),
    /// The level at that path in that organization.
    Path(OrganizationId, &'a LevelPath),
}

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
    pub(super) fn id(&self) -> LevelId {
        self.nodes.last().map_or(self.project.id.into(), |node| node.id)
    }

    pub(super) fn organization(&self) -> OrganizationId {
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
    pub(super) fn chain(&self) -> Result<Vec<(LevelId, LevelPath)>> {
        let path = self.path()?;
        let ids = [self.project.id.into()].into_iter().chain(self.nodes.iter().map(|node| node.id));
        Ok(ids.zip(path.chain()).collect())
    }
}
