use super::super::place::Reach;
use super::super::records::RotationRecord;
use super::super::session::Session;
use super::super::use_case::UseCase;
use super::check_idle;
use crate::Result;
use crate::core::{Action, Details, Id, Resource, Slug};

impl Session<'_> {
    /// Makes a new key to wrap the rows of a project with, in either custody; the key that blobs are sealed with stays.
    /// New rows are wrapped with it from now on; [`continue_rotation`](Self::continue_rotation) wraps those that are
    /// there, and drops the key before.
    ///
    /// # Errors
    /// `NotFound`; `RotationInProgress`.
    pub fn rotate_project_dek(&self, organization: Id, project: &Slug) -> Result<()> {
        self.write(UseCase::RotateProjectDek, |operation| {
            let owner = operation.organization(organization)?;
            let mut project = operation.key_project(organization, project, Reach::Inside)?;
            check_idle(&project)?;
            project.dek_version += 1;
            project.rotation = Some(RotationRecord::Dek { after: String::new() });
            operation.put_project_dek(&project, owner.key_version)?;
            operation.put_project(&mut project)?;
            let details = Details::default().with("op", "rotate-dek").with("version", project.dek_version);
            operation.record(Action::Update, Resource::key(&project), details)
        })
    }
}
