//! The part of a sync that runs inside transactions. A sync begins in one, the worker makes it outside of any, each
//! environment is announced in another one before it is written, and the last one logs the result.

use std::collections::BTreeMap;
use std::time::Duration;

use super::runs::MAX_RUNS;
use crate::core::audit::{Action, Resource};
use crate::core::clock::Timestamp;
use crate::core::id::Id;
use crate::core::id::IntegrationId;
use crate::core::id::LevelId;
use crate::core::id::OrganizationId;
use crate::core::id::ProjectId;
use crate::core::merge::merge;
use crate::core::path::LevelPath;
use crate::core::secret::SecretString;
use crate::error::{Error, ErrorKind, Result};
use crate::store::Precondition;
use crate::vault::engine::Vault;
use crate::vault::integration::{check_custody, details};
use crate::vault::integration_run::IntegrationRun;
use crate::vault::keys;
use crate::vault::operation::{OperationContext, no_such};
use crate::vault::outbound_limit::OutboundPermit;
use crate::vault::place::At;
use crate::vault::provider::Provider;
use crate::vault::records::{IntegrationRecord, IntegrationStateRecord, PlaceRecord, ProjectRecord, get, put};
use crate::vault::session::Session;
use crate::vault::sync_target::{Applied, Desired, SyncAction, SyncPlan};
use crate::vault::use_case::UseCase;

/// How long one sync holds an integration; after that, whoever made it is taken for dead.
const BUSY: Duration = Duration::from_secs(60);

/// What a sync needs.
pub(crate) struct SyncJob {
    pub(crate) organization: OrganizationId,
    project: ProjectId,
    integration: IntegrationId,
    pub(crate) provider: Provider,
    pub(crate) settings: BTreeMap<String, String>,
    pub(crate) credentials: SecretString,
    pub(crate) copies: Vec<SyncCopy>,
    /// Made for this one sync.
    owner: Id,
}

/// One environment that is copied.
pub(crate) struct SyncCopy {
    node: LevelId,
    pub(crate) path: LevelPath,
    pub(crate) target: String,
    pub(crate) desired: Desired,
}

/// What a sync did for one environment.
pub(crate) struct Copied {
    pub(crate) plan: SyncPlan,
    pub(crate) applied: Applied,
}

/// The result of a sync, for each environment in the order of [`SyncJob::copies`].
pub(crate) struct Synced(pub(crate) Vec<Result<Copied>>);

impl Synced {
    /// The result of a sync that failed before its first environment.
    pub(crate) fn failed(error: Error) -> Self {
        Self(vec![Err(error)])
    }

    /// What failed first.
    pub(in crate::vault) fn error(&self) -> Option<&Error> {
        self.0.iter().find_map(|copied| match copied {
            Ok(copied) => copied.applied.error.as_ref(),
            Err(error) => Some(error),
        })
    }

    fn count(&self, action: SyncAction) -> usize {
        let made = |copied: &Copied| {
            let made = copied.plan.changes.iter().take(copied.applied.changes);
            made.filter(|change| change.action == action).count()
        };
        self.0.iter().flatten().map(made).sum()
    }
}

impl<'v> Session<'v> {
    /// Returns what a sync would need, for a plan of it, with the permit to wait for the provider.
    pub(crate) fn planned_sync(&self, at: At<'_>, id: IntegrationId) -> Result<(SyncJob, OutboundPermit<'v>)> {
        let vault = self.vault;
        self.read(UseCase::PlanIntegration, |operation| {
            let (project, record) = operation.integration(at, id)?;
            check_custody(&project)?;
            let permit = vault.outbound_limit.permit(project.organization)?;
            operation.record(
                Action::Read,
                Resource::integration(&project, &record),
                details(&record).with("op", "plan"),
            )?;
            Ok((operation.sync_job(&project, &record, "plan")?, permit))
        })
    }

    /// Begins a sync that somebody asked for, and returns it with the permit to wait for the provider.
    pub(crate) fn begin_sync(&self, at: At<'_>, id: IntegrationId) -> Result<(SyncJob, OutboundPermit<'v>)> {
        let vault = self.vault;
        self.write(UseCase::SyncIntegration, |operation| {
            let (project, record) = operation.integration(at, id)?;
            check_custody(&project)?;
            let permit = vault.outbound_limit.permit(project.organization)?;
            operation.record(
                Action::Read,
                Resource::integration(&project, &record),
                details(&record).with("op", "sync"),
            )?;
            Ok((operation.begin_sync(&project, &record)?, permit))
        })
    }
}

impl Vault {
    /// Notes what is about to be written for one environment.
    ///
    /// # Errors
    /// `Unavailable`, if it must not be written any more.
    pub(crate) fn intend_sync(&self, job: &SyncJob, copy: &SyncCopy, plan: &SyncPlan) -> Result<()> {
        self.trusted("sync").write(UseCase::Locate, |operation| operation.intend_sync(job, copy, plan))
    }

    /// Logs the result of a sync that somebody asked for.
    pub(crate) fn finish_sync(&self, job: &SyncJob, synced: &Synced) -> Result<IntegrationRun> {
        self.trusted("sync").write(UseCase::Locate, |operation| operation.finish_sync(job, synced, None))
    }
}

impl OperationContext<'_, '_> {
    /// Returns what a sync needs, and records that this operation read it.
    pub(super) fn sync_job(
        &mut self,
        project: &ProjectRecord,
        record: &IntegrationRecord,
        operation: &'static str,
    ) -> Result<SyncJob> {
        let mut copies = Vec::new();
        for (place, target) in self.mapped(record)?.unwrap_or_default() {
            let mut desired = Desired::new(&merge(self.layers(&place, operation)?));
            self.written(project, record.id, place.id())?.mark(&mut desired)?;
            copies.push(SyncCopy { node: place.id(), path: place.path()?, target, desired });
        }
        Ok(SyncJob {
            organization: project.organization,
            project: project.id,
            integration: record.id,
            provider: record.provider.clone(),
            settings: record.settings.clone(),
            credentials: self.credentials(project, record)?,
            copies,
            owner: self.new_id()?,
        })
    }

    /// Begins a sync, unless another one of the integration runs.
    pub(super) fn begin_sync(&mut self, project: &ProjectRecord, record: &IntegrationRecord) -> Result<SyncJob> {
        let key = keys::integration_state(project.id, record.id);
        let mut state: IntegrationStateRecord = get(self.tx, &key)?.unwrap_or_default();
        if state.busy.is_some_and(|(_, until)| until > self.now) {
            let message = "the integration is at work right now: try again in a minute";
            return Err(Error::new(ErrorKind::Conflict, message));
        }
        let job = self.sync_job(project, record, "sync")?;
        state.busy = Some((job.owner, self.now.checked_add(BUSY).unwrap_or(Timestamp::MAX)));
        put(self.tx, &key, &state, Precondition::Always)?;
        Ok(job)
    }

    /// Returns the project and the integration of a sync; `NotFound` if either is gone.
    pub(super) fn synced_integration(
        &mut self,
        organization: OrganizationId,
        project: ProjectId,
        id: IntegrationId,
    ) -> Result<(ProjectRecord, IntegrationRecord)> {
        let gone = || no_such("integration");
        let place: PlaceRecord = self.get_authenticated(&keys::project_id(project))?.ok_or_else(gone)?;
        let project: ProjectRecord = self.require_authenticated(&keys::project(organization, &place.path))?;
        let record = self.get_authenticated(&keys::integration(project.id, id))?.ok_or_else(gone)?;
        Ok((project, record))
    }

    /// Notes what is about to be written at the provider, if it still may be.
    fn intend_sync(&mut self, job: &SyncJob, copy: &SyncCopy, plan: &SyncPlan) -> Result<()> {
        let (project, record) = self.synced_integration(job.organization, job.project, job.integration)?;
        let state: IntegrationStateRecord =
            get(self.tx, &keys::integration_state(project.id, record.id))?.unwrap_or_default();
        let is_ours = state.busy.is_some_and(|(owner, until)| owner == job.owner && until > self.now);
        if !is_ours || record.environments.get(&copy.node) != Some(&copy.target) {
            let message =
                "the integration was changed, or somebody else has taken over: what there is now is copied next";
            return Err(Error::new(ErrorKind::Unavailable, message));
        }
        let mut written = self.written(&project, record.id, copy.node)?;
        written.intend(&plan.changes);
        self.put_written(&project, record.id, copy.node, &written)
    }

    /// Logs the result of a sync.
    pub(in crate::vault) fn finish_sync(
        &mut self,
        job: &SyncJob,
        synced: &Synced,
        attempt: Option<u32>,
    ) -> Result<IntegrationRun> {
        let found = self.synced_integration(job.organization, job.project, job.integration);
        let run = self.sync_run(synced, attempt)?;
        let (project, record) = match found {
            Ok(found) => found,
            // It was unlinked meanwhile.
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(run),
            Err(error) => return Err(error),
        };
        let mut state: IntegrationStateRecord =
            get(self.tx, &keys::integration_state(project.id, record.id))?.unwrap_or_default();
        let is_ours = state.busy.is_some_and(|(owner, _)| owner == job.owner);
        if is_ours {
            for (copy, copied) in job.copies.iter().zip(&synced.0) {
                let Ok(copied) = copied else { continue };
                // Nothing is known of it, or nothing any more: there is nothing to note.
                let key = keys::integration_written(project.id, record.id, copy.node);
                if self.tx.get(&key)?.is_none() || record.environments.get(&copy.node) != Some(&copy.target) {
                    continue;
                }
                let mut written = self.written(&project, record.id, copy.node)?;
                written.settle(&copy.desired, &copied.plan, copied.applied.changes)?;
                self.put_written(&project, record.id, copy.node, &written)?;
            }
            state.busy = None;
        }
        self.log_run(&project, &record, state, run.clone())?;
        Ok(run)
    }

    fn sync_run(&mut self, synced: &Synced, attempt: Option<u32>) -> Result<IntegrationRun> {
        Ok(IntegrationRun {
            id: self.new_id()?.into(),
            attempt,
            finished_at: self.now,
            created: synced.count(SyncAction::Create),
            updated: synced.count(SyncAction::Update),
            deleted: synced.count(SyncAction::Delete),
            unchanged: synced.0.iter().flatten().map(|copied| copied.plan.unchanged.len()).sum(),
            error: synced.error().map(ToString::to_string),
        })
    }

    pub(super) fn log_run(
        &mut self,
        project: &ProjectRecord,
        record: &IntegrationRecord,
        mut state: IntegrationStateRecord,
        run: IntegrationRun,
    ) -> Result<()> {
        let details = details(record).with("op", "sync").with("created", run.created).with("updated", run.updated);
        let details = details.with("deleted", run.deleted).with("unchanged", run.unchanged);
        let details = details.with("error", run.error.clone());
        state.runs.push(run);
        let excess = state.runs.len().saturating_sub(MAX_RUNS);
        state.runs.drain(..excess);
        put(self.tx, &keys::integration_state(project.id, record.id), &state, Precondition::Always)?;
        self.record(Action::Update, Resource::integration(project, record), details)
    }
}
