//! One sync: begun in a transaction, done outside of any, and written down in another one.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use super::runs::MAX_RUNS;
use crate::core::IntegrationId;
use crate::core::LevelId;
use crate::core::OrganizationId;
use crate::core::ProjectId;
use crate::core::{Action, Id, LevelPath, Resource, SecretString, Timestamp, merge};
use crate::error::{Error, ErrorKind, Result};
use crate::store::Precondition;
use crate::sync::{Applied, Desired, PATIENCE, Provider, SyncAction, SyncPlace, SyncPlan};
use crate::vault::engine::Vault;
use crate::vault::integration::details;
use crate::vault::integration_run::IntegrationRun;
use crate::vault::keys;
use crate::vault::operation::{OperationContext, no_such};
use crate::vault::records::{IntegrationRecord, IntegrationStateRecord, PlaceRecord, ProjectRecord, get, put, require};
use crate::vault::session::{Actor, Session};
use crate::vault::use_case::UseCase;

/// How long an integration is one's own; then whoever was at it is taken for dead.
const BUSY: Duration = Duration::from_secs(60);

/// What a sync needs.
pub(in crate::vault) struct SyncJob {
    organization: OrganizationId,
    project: ProjectId,
    integration: IntegrationId,
    pub(super) provider: Provider,
    pub(super) settings: BTreeMap<String, String>,
    pub(super) credentials: SecretString,
    pub(super) copies: Vec<Copied>,
    /// Who is at work.
    owner: Id,
}

/// One environment that is copied.
pub(super) struct Copied {
    node: LevelId,
    pub(super) path: LevelPath,
    pub(super) target: String,
    pub(super) desired: Desired,
}

/// What was done for one environment.
struct Done {
    plan: SyncPlan,
    applied: Applied,
}

/// What a sync did: for each environment, in order, what was done there.
pub(in crate::vault) struct Synced(Vec<Result<Done>>);

impl Synced {
    pub(super) fn failed(error: Error) -> Self {
        Self(vec![Err(error)])
    }

    fn error(&self) -> Option<&Error> {
        self.0.iter().find_map(|done| match done {
            Ok(done) => done.applied.error.as_ref(),
            Err(error) => Some(error),
        })
    }

    #[cfg(feature = "http")]
    pub(super) fn is_success(&self) -> bool {
        self.error().is_none()
    }

    fn count(&self, action: SyncAction) -> usize {
        let made = |done: &Done| {
            let made = done.plan.changes.iter().take(done.applied.changes);
            made.filter(|change| change.action == action).count()
        };
        self.0.iter().flatten().map(made).sum()
    }
}

impl Vault {
    /// What it does for itself. It takes no right: who has the vault has the root key.
    pub(super) fn trusted(&self, name: &str) -> Session<'_> {
        self.session(Actor::system(name))
    }
}

impl SyncJob {
    /// Does it. What was begun is finished within some fifty seconds.
    pub(super) fn run(&self, vault: &Vault) -> Synced {
        let target = match vault.sync_target(&self.provider) {
            Ok(target) => target,
            Err(error) => return Synced::failed(error),
        };
        let deadline = Instant::now() + PATIENCE;
        let copy = |copy: &Copied| {
            let place = SyncPlace::new(&self.settings, &self.credentials, &copy.target).until(deadline);
            let plan = target.plan(&place, &copy.desired)?;
            if plan.is_empty() {
                let applied = Applied::all(&plan);
                return Ok(Done { plan, applied });
            }
            vault.trusted("sync").write(UseCase::Locate, |operation| operation.intend_sync(self, copy, &plan))?;
            let applied = target.apply(&place, &plan, &copy.desired);
            Ok(Done { plan, applied })
        };
        Synced(self.copies.iter().map(copy).collect())
    }
}

impl OperationContext<'_, '_> {
    /// All that a sync needs, which is recorded as read by that operation.
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
            copies.push(Copied { node: place.id(), path: place.path()?, target, desired });
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

    /// Begins a sync, unless somebody else is at it.
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

    /// The project and the integration of a sync; not found, when either is gone.
    pub(super) fn synced_integration(
        &mut self,
        organization: OrganizationId,
        project: ProjectId,
        id: IntegrationId,
    ) -> Result<(ProjectRecord, IntegrationRecord)> {
        let gone = || no_such("integration");
        let place: PlaceRecord = get(self.tx, &keys::project_id(project))?.ok_or_else(gone)?;
        let project: ProjectRecord = require(self.tx, &keys::project(organization, &place.path))?;
        let record = get(self.tx, &keys::integration(project.id, id))?.ok_or_else(gone)?;
        Ok((project, record))
    }

    /// Writes down what is about to be written at the service, if it is still to be.
    fn intend_sync(&mut self, job: &SyncJob, copy: &Copied, plan: &SyncPlan) -> Result<()> {
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

    /// Writes down what became of a sync.
    pub(super) fn finish_sync(
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
            for (copy, done) in job.copies.iter().zip(&synced.0) {
                let Ok(done) = done else { continue };
                // Nothing is known of it, or nothing any more: there is nothing to note.
                let key = keys::integration_written(project.id, record.id, copy.node);
                if self.tx.get(&key)?.is_none() || record.environments.get(&copy.node) != Some(&copy.target) {
                    continue;
                }
                let mut written = self.written(&project, record.id, copy.node)?;
                written.settle(&copy.desired, &done.plan, done.applied.changes)?;
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
            unchanged: synced.0.iter().flatten().map(|done| done.plan.unchanged.len()).sum(),
            error: synced.error().map(ToString::to_string),
        })
    }

    /// Writes down a run that came to nothing.
    #[cfg(feature = "http")]
    pub(super) fn log_failure(
        &mut self,
        project: &ProjectRecord,
        record: &IntegrationRecord,
        error: Error,
        attempt: u32,
    ) -> Result<()> {
        let run = self.sync_run(&Synced::failed(error), Some(attempt))?;
        let state = get(self.tx, &keys::integration_state(project.id, record.id))?.unwrap_or_default();
        self.log_run(project, record, state, run)
    }

    fn log_run(
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
