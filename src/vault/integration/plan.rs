use crate::core::IntegrationId;
use crate::core::{Action, LevelPath, Resource};
use crate::error::Result;
use crate::sync::{SyncPlace, SyncPlan};
use crate::vault::integration::{check_custody, details};
use crate::vault::place::At;
use crate::vault::session::Session;
use crate::vault::use_case::UseCase;

/// What a sync would change for one environment.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct IntegrationPlan {
    /// The environment.
    pub environment: LevelPath,
    /// What the service calls it.
    pub target: String,
    /// The changes: names, and never a value.
    pub plan: SyncPlan,
}

impl Session<'_> {
    /// Asks the service what is there, and tells what a sync would change, for each environment; nothing is changed. It
    /// waits for the service, outside of any transaction.
    ///
    /// # Errors
    /// `NotFound`; `ClientManaged`; `CrateFeature` or `Config`, where this program cannot talk to the service; and what
    /// went wrong there.
    pub fn plan_integration(&self, at: At<'_>, id: IntegrationId) -> Result<Vec<IntegrationPlan>> {
        let job = self.read(UseCase::PlanIntegration, |operation| {
            let (project, record) = operation.integration(at, id)?;
            check_custody(&project)?;
            operation.record(
                Action::Read,
                Resource::integration(&project, &record),
                details(&record).with("op", "plan"),
            )?;
            operation.sync_job(&project, &record, "plan")
        })?;
        let target = self.vault.sync_target(&job.provider)?;
        let plan = |copy: &super::work::Copied| {
            let place = SyncPlace::new(&job.settings, &job.credentials, &copy.target);
            let plan = target.plan(&place, &copy.desired)?;
            Ok(IntegrationPlan { environment: copy.path.clone(), target: copy.target.clone(), plan })
        };
        job.copies.iter().map(plan).collect()
    }
}
