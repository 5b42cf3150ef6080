use std::time::Instant;

use super::targets::Targets;
use crate::core::id::IntegrationId;
use crate::core::path::LevelPath;
use crate::error::Result;
use crate::vault::engine::Vault;
use crate::vault::integration::sync::{Copied, SyncCopy, SyncJob, Synced};
use crate::vault::integration_run::IntegrationRun;
use crate::vault::place::At;
use crate::vault::session::Session;
use crate::vault::sync_target::{Applied, PATIENCE, SyncPlace, SyncPlan};

/// What a sync would change for one environment.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct IntegrationPlan {
    /// The environment.
    pub environment: LevelPath,
    /// The provider's name for the environment.
    pub target: String,
    /// The changes: names, and never a value.
    pub plan: SyncPlan,
}

impl Session<'_> {
    /// Asks the provider what it has, and returns what a sync would change for each environment. Changes nothing. Waits
    /// for the provider outside of any transaction.
    ///
    /// # Errors
    /// `NotFound`; `ClientManaged`; `CrateFeature` or `Config`, if this program cannot talk to the provider;
    /// `RateLimited`, while four such calls and tests of webhooks of the organization wait; and what failed there.
    pub fn plan_integration(&self, at: At<'_>, id: IntegrationId) -> Result<Vec<IntegrationPlan>> {
        let (job, _permit) = self.planned_sync(at, id)?;
        let targets = Targets::default();
        let target = targets.find(self.vault, &job.provider)?;
        let plan = |copy: &SyncCopy| {
            let place = place(&job, copy);
            let plan = target.plan(&place, &copy.desired)?;
            Ok(IntegrationPlan { environment: copy.path.clone(), target: copy.target.clone(), plan })
        };
        job.copies.iter().map(plan).collect()
    }

    /// Syncs an integration now, even if it is disabled, and returns the result. Waits for the provider outside of any
    /// transaction.
    ///
    /// # Errors
    /// `NotFound`; `ClientManaged`; `Conflict`, while another sync of it runs; `RateLimited`, as for
    /// [`plan_integration`](Self::plan_integration). What fails at the provider is in the [run](IntegrationRun::error).
    pub fn sync_integration(&self, at: At<'_>, id: IntegrationId) -> Result<IntegrationRun> {
        let (job, _permit) = self.begin_sync(at, id)?;
        let synced = sync(self.vault, &Targets::default(), &job);
        self.vault.finish_sync(&job, &synced)
    }
}

fn place<'a>(job: &'a SyncJob, copy: &'a SyncCopy) -> SyncPlace<'a> {
    SyncPlace::new(&job.settings, &job.credentials, &copy.target).of_organization(job.organization)
}

/// Makes a sync that has begun. It ends within some fifty seconds, if the system's resolver does not hang.
pub(super) fn sync(vault: &Vault, targets: &Targets, job: &SyncJob) -> Synced {
    let target = match targets.find(vault, &job.provider) {
        Ok(target) => target,
        Err(error) => return Synced::failed(error),
    };
    let deadline = Instant::now() + PATIENCE;
    let copy = |copy: &SyncCopy| {
        let place = place(job, copy).until(deadline);
        let plan = target.plan(&place, &copy.desired)?;
        let applied = if plan.is_empty() {
            Applied::all(&plan)
        } else {
            vault.intend_sync(job, copy, &plan)?;
            target.apply(&place, &plan, &copy.desired)
        };
        Ok(Copied { plan, applied })
    };
    Synced(job.copies.iter().map(copy).collect())
}
