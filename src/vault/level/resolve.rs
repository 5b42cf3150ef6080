use super::super::operation::OperationContext;
use super::super::place::{Place, Reach};
use super::super::session::Session;
use super::super::use_case::UseCase;
use crate::Result;
use crate::core::{Action, Details, Id, Layer, LevelPath, Resolved, Resource, merge};

impl Session<'_> {
    /// What a level amounts to with all it inherits.
    ///
    /// # Errors
    /// `NotFound`; `ClientManaged`.
    pub fn resolve(&self, organization: Id, path: &LevelPath) -> Result<Resolved> {
        Ok(merge(self.layers(organization, path)?))
    }

    /// What a level and those above it say, broad to specific; those that say nothing are left out.
    ///
    /// # Errors
    /// As [`resolve`](Self::resolve).
    pub fn layers(&self, organization: Id, path: &LevelPath) -> Result<Vec<Layer>> {
        self.read(UseCase::ResolveLevel, |operation| {
            let place = operation.place(organization, path, Reach::Inside)?;
            operation.layers(&place, "export")
        })
    }
}

impl OperationContext<'_, '_> {
    /// What the levels of a place say, which is recorded as read by that operation.
    pub(in super::super) fn layers(&mut self, place: &Place, operation: &'static str) -> Result<Vec<Layer>> {
        let mut layers = Vec::new();
        let (ids, paths): (Vec<Id>, Vec<LevelPath>) = place.chain()?.into_iter().unzip();
        for (path, level) in paths.into_iter().zip(self.levels_at(&place.project, &ids)?) {
            if let Some(level) = level {
                self.accessed_all(&place.project, &level);
                layers.push(Layer::new(path, self.document(&place.project, &level.content)?));
            }
        }
        let mut names: Vec<&str> =
            layers.iter().flat_map(|layer| layer.document().entries()).map(|entry| entry.name().as_str()).collect();
        names.sort_unstable();
        names.dedup();
        let details = Details::read(operation, names.iter().copied());
        self.record(Action::Read, Resource::of(place)?, details)?;
        Ok(layers)
    }
}
