use super::super::place::Reach;
use super::super::session::Session;
use super::super::use_case::UseCase;
use crate::Result;
use crate::core::{Action, Details, Id, LevelPath, Resource, Slug};

impl Session<'_> {
    /// Deletes a project with all that is in it. It is not found from then on, its slug is free, and tokens that are
    /// bound to it do not work.
    ///
    /// If anything in it holds or ever held secrets, or has an account, a webhook or an integration, it can be restored
    /// for 30 days with [`restore_project`](Session::restore_project). Otherwise it is gone for good.
    ///
    /// # Errors
    /// `NotFound`.
    pub fn delete_project(&self, organization: Id, slug: &Slug) -> Result<()> {
        self.write(UseCase::DeleteProject, |operation| {
            let place = operation.place(organization, &LevelPath::from(slug), Reach::Inside)?;
            let deletion = operation.delete_project(&place.project)?;
            let details = Details::default().with("name", place.project.name.as_str());
            operation.record(Action::Delete, Resource::of(&place)?, details.with("deletion", deletion.as_str()))
        })
    }
}
