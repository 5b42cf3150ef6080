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
    pub fn rotate_storage_key(&self, organization: Id, project: &Slug) -> Result<()> {
        self.write(UseCase::RotateStorageKey, |call| {
            let owner = call.organization(organization)?;
            let mut project = call.key_project(organization, project, Reach::Inside)?;
            check_idle(&project)?;
            project.storage_version += 1;
            project.rotation = Some(RotationRecord::Storage { after: String::new() });
            call.put_storage_key(&project, owner.key_version)?;
            call.put_project(&mut project)?;
            let details = Details::default().with("op", "rotate-storage").with("version", project.storage_version);
            call.record(Action::Update, Resource::key(&project), details)
        })
    }
}
