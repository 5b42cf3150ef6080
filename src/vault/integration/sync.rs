use super::super::session::Session;
use super::super::use_case::UseCase;
use super::{IntegrationRun, check_custody, details};
use crate::Result;
use crate::core::{Action, Id, Resource, Slug};

impl Session<'_> {
    /// Copies what there is now, also for an integration that is disabled, and tells what became of that. It waits for
    /// the service, outside of any transaction.
    ///
    /// # Errors
    /// `NotFound`; `ClientManaged`; `Conflict`, while somebody else is at it. What goes wrong at the service is told by the
    /// [run](IntegrationRun::error).
    pub fn sync_integration(&self, organization: Id, project: &Slug, id: Id) -> Result<IntegrationRun> {
        let job = self.write(UseCase::SyncIntegration, |operation| {
            let (project, record) = operation.integration(organization, project, id)?;
            check_custody(&project)?;
            operation.record(
                Action::Read,
                Resource::integration(&project, &record),
                details(&record).with("op", "sync"),
            )?;
            operation.begin_sync(&project, &record)
        })?;
        let done = job.run(self.vault);
        self.vault.trusted("sync").write(UseCase::Locate, |operation| operation.finish_sync(&job, &done, None))
    }
}
