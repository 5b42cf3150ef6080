use super::super::place::Reach;
use super::super::session::Session;
use super::super::use_case::UseCase;
use super::Project;
use crate::Result;
use crate::core::{Action, Details, Id, LevelPath, Resource, Slug};

impl Session<'_> {
    /// A project.
    ///
    /// # Errors
    /// `NotFound`.
    pub fn project(&self, organization: Id, slug: &Slug) -> Result<Project> {
        self.read(UseCase::ReadProject, |operation| {
            let place = operation.place(organization, &LevelPath::from(slug), Reach::OnTheWay)?;
            operation.record(Action::Read, Resource::of(&place)?, Details::default())?;
            Ok(place.project.into())
        })
    }
}
