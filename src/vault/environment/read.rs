use super::super::place::Reach;
use super::super::records::NodeKind;
use super::super::session::Session;
use super::super::use_case::UseCase;
use super::Environment;
use crate::Result;
use crate::core::{Action, Details, Id, LevelPath, Resource};

impl Session<'_> {
    /// The environment at a path. Where a project has a `_base`, its own path is that one's.
    ///
    /// # Errors
    /// `NotFound`.
    pub fn environment(&self, organization: Id, path: &LevelPath) -> Result<Environment> {
        self.read(UseCase::ReadEnvironment, |operation| {
            let place = operation.place(organization, path, Reach::Inside)?;
            let environment = if place.nodes.is_empty() && place.project.has_base {
                Environment::base(&place)
            } else {
                operation.node(organization, path, NodeKind::Environment, Reach::Inside)?.1.into()
            };
            operation.record(Action::Read, Resource::of(&place)?, Details::default())?;
            Ok(environment)
        })
    }
}
