//! Reading a level whose key the vault holds.

use super::content::Level;
#[cfg(feature = "server")]
use super::envelope::client_managed;
use super::operation::OperationContext;
use super::place::{At, Place, Reach};
use super::session::Session;
use super::use_case::UseCase;
use crate::core::audit::{Action, Details, Resource};
#[cfg(feature = "server")]
use crate::core::custody::Custody;
use crate::core::document::Document;
use crate::core::id::LevelId;
use crate::core::merge::{Layer, Resolved, merge};
use crate::error::Result;

/// Which levels are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum LevelScope {
    /// The level alone.
    Own,
    /// The level and those above it, from which it inherits.
    Chain,
}

/// What a level holds, perhaps with the levels above it.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct LevelContent {
    /// A counter that is greater after every change of what was read, and never the same for two states. For
    /// [`LevelScope::Chain`] it is that of [`Entries::revision`](super::entry::Entries::revision); revisions of different
    /// scopes cannot be compared.
    pub revision: u64,
    layers: Vec<Layer>,
    /// Whether the last layer is the level itself.
    is_written: bool,
}

impl LevelContent {
    /// Returns the document of the level itself, or `None` if the level holds nothing.
    pub fn document(&self) -> Option<&Document> {
        self.layers.last().filter(|_| self.is_written).map(Layer::document)
    }

    /// Returns the document of the level itself, or `None` if the level holds nothing.
    pub fn into_document(mut self) -> Option<Document> {
        self.layers.pop().filter(|_| self.is_written).map(Layer::into_document)
    }

    /// Returns the levels that were read, broad to specific. Those that hold nothing are left out.
    pub fn layers(&self) -> &[Layer] {
        &self.layers
    }

    /// Returns the levels that were read, broad to specific. Those that hold nothing are left out.
    pub fn into_layers(self) -> Vec<Layer> {
        self.layers
    }

    /// Merges the levels that were read.
    pub fn resolve(self) -> Resolved {
        merge(self.layers)
    }
}

impl Session<'_> {
    /// Reads a level, alone or with the levels above it.
    ///
    /// ```
    /// # fn main() -> ioenv::Result<()> {
    /// use ioenv::vault::{Actor, At, LevelScope, NewEnvironment, NewOrganization, NewProject, RootKey, Vault};
    /// use ioenv::{Document, LevelPath, SystemRandom, store::Memory};
    ///
    /// let vault = Vault::create(Memory::new(), &RootKey::generate(&SystemRandom)?)?;
    /// let session = vault.session(Actor::system("example"));
    /// let acme = session.create_organization(&NewOrganization::new("Acme"))?.id;
    /// let (shop, dev): (LevelPath, LevelPath) = ("shop".parse()?, "shop/dev".parse()?);
    /// session.create_project(acme, &NewProject::new("shop"))?;
    /// session.create_environment(At::Path(acme, &shop), &NewEnvironment::new("dev"))?;
    /// session.set_document(At::Path(acme, &shop), &Document::parse("PORT=8080\n")?)?;
    ///
    /// let own = session.read_level(At::Path(acme, &dev), LevelScope::Own)?;
    /// assert!(own.document().is_none());
    /// let resolved = session.read_level(At::Path(acme, &dev), LevelScope::Chain)?.resolve();
    /// assert_eq!(resolved.get("PORT").unwrap().value().expose_secret(), "8080");
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// `NotFound`; `ClientManaged`, if one of the levels that are read holds something of which the vault does not hold
    /// the key.
    pub fn read_level(&self, at: At<'_>, scope: LevelScope) -> Result<LevelContent> {
        self.read(use_case(scope), |operation| {
            let place = operation.place(at, Reach::Inside)?;
            operation.read_level(&place, scope)
        })
    }

    /// Reads a level with those above it, for an API that knows no projects with a key of their own.
    ///
    /// # Errors
    /// `NotFound`; `ClientManaged`, for an empty level, too.
    #[cfg(feature = "server")]
    pub(crate) fn export(&self, at: At<'_>) -> Result<LevelContent> {
        self.read(UseCase::ResolveLevel, |operation| {
            let place = operation.place(at, Reach::Inside)?;
            if place.project.custody == Custody::Client {
                return Err(client_managed());
            }
            operation.read_level(&place, LevelScope::Chain)
        })
    }
}

fn use_case(scope: LevelScope) -> UseCase {
    match scope {
        LevelScope::Own => UseCase::ReadDocument,
        LevelScope::Chain => UseCase::ResolveLevel,
    }
}

impl OperationContext<'_, '_> {
    pub(super) fn read_level(&mut self, place: &Place, scope: LevelScope) -> Result<LevelContent> {
        let operation = match scope {
            LevelScope::Own => "list",
            LevelScope::Chain => "export",
        };
        let levels = self.levels_of(place, scope)?;
        let layers = self.open_levels(place, &levels, scope, operation)?;
        let revision = self.revision_of(&place.project, &levels)?;
        Ok(LevelContent { revision, layers, is_written: levels.last().is_some_and(|(_, level)| level.is_some()) })
    }

    /// Opens a level and those above it, and records that this operation read them.
    pub(super) fn layers(&mut self, place: &Place, operation: &'static str) -> Result<Vec<Layer>> {
        let levels = self.levels_of(place, LevelScope::Chain)?;
        self.open_levels(place, &levels, LevelScope::Chain, operation)
    }

    /// Reads the levels of a scope, broad to specific, with their ids.
    fn levels_of(&mut self, place: &Place, scope: LevelScope) -> Result<Vec<(LevelId, Option<Level>)>> {
        let ids: Vec<LevelId> = match scope {
            LevelScope::Own => vec![place.id()],
            LevelScope::Chain => place.chain()?.into_iter().map(|(id, _)| id).collect(),
        };
        let levels = self.levels_at(&place.project, &ids)?;
        Ok(ids.into_iter().zip(levels).collect())
    }

    fn open_levels(
        &mut self,
        place: &Place,
        levels: &[(LevelId, Option<Level>)],
        scope: LevelScope,
        operation: &'static str,
    ) -> Result<Vec<Layer>> {
        let mut layers = Vec::new();
        let chain = place.chain()?;
        // Whatever the scope, its levels are the last ones of the chain.
        let paths = chain.iter().skip(chain.len() - levels.len()).map(|(_, path)| path);
        for (path, (_, level)) in paths.zip(levels) {
            if let Some(level) = level {
                self.accessed_all(&place.project, level);
                layers.push(Layer::new(path.clone(), self.document(&place.project, &level.content)?));
            }
        }
        let mut names: Vec<&str> =
            layers.iter().flat_map(|layer| layer.document().entries()).map(|entry| entry.name().as_str()).collect();
        if scope == LevelScope::Chain {
            names.sort_unstable();
            names.dedup();
        }
        self.record(Action::Read, Resource::of(place)?, Details::read(operation, names))?;
        Ok(layers)
    }
}
