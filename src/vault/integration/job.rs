//! The part of an integration's job that runs inside transactions: before and after the sync.

use super::sync::SyncJob;
use crate::core::audit::{Action, Resource};
use crate::error::{Error, ErrorKind, Result};
use crate::store::Precondition;
use crate::vault::integration::details;
use crate::vault::integration_run::IntegrationRun;
use crate::vault::keys;
use crate::vault::operation::OperationContext;
use crate::vault::queue::{JobRecord, LeaseRecord};
use crate::vault::records::{IntegrationRecord, IntegrationStateRecord, ProjectRecord, get};

impl OperationContext<'_, '_> {
    /// Begins the sync of a job, or says why it cannot begin; `None` if the integration is gone or disabled.
    pub(in crate::vault) fn prepare_sync(&mut self, job: &JobRecord) -> Result<Option<Result<SyncJob>>> {
        let Some((project, record)) = self.integration_of(job)? else {
            return Ok(None);
        };
        if !record.enabled {
            return Ok(None);
        }
        match self.begin_sync(&project, &record) {
            // What the store says is not the integration's fault.
            Err(error) if matches!(error.kind(), ErrorKind::Io | ErrorKind::Unavailable) => Err(error),
            begun => Ok(Some(begun)),
        }
    }

    /// Logs an attempt whose worker did not come back.
    pub(in crate::vault) fn log_lost_sync(&mut self, job: &JobRecord, lease: &LeaseRecord) -> Result<()> {
        self.log_failure(job, lease.attempt, "whoever was at it did not come back: it is done again")
    }

    /// Logs an attempt that could not begin.
    pub(in crate::vault) fn log_refused_sync(&mut self, job: &JobRecord, error: &Error) -> Result<()> {
        self.log_failure(job, job.attempt, &error.to_string())
    }

    /// Disables an integration whose last attempt has failed, and keeps the reason.
    pub(in crate::vault) fn give_up_integration(&mut self, job: &JobRecord) -> Result<()> {
        let Some((project, mut record)) = self.integration_of(job)? else {
            return Ok(());
        };
        let state: IntegrationStateRecord =
            get(self.tx, &keys::integration_state(project.id, record.id))?.unwrap_or_default();
        record.enabled = false;
        record.paused = state.runs.last().and_then(|run| run.error.clone());
        self.put_integration(&project, &mut record, Precondition::Present)?;
        let details = details(&record).with("changed", vec!["enabled"]).with("op", "give-up");
        self.record(Action::Update, Resource::integration(&project, &record), details)
    }

    /// Returns the integration of a job and its project; `None` if either is gone.
    fn integration_of(&mut self, job: &JobRecord) -> Result<Option<(ProjectRecord, IntegrationRecord)>> {
        match self.synced_integration(job.organization, job.project, job.subject.into()) {
            Ok(found) => Ok(Some(found)),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Logs a run that changed nothing.
    fn log_failure(&mut self, job: &JobRecord, attempt: u32, message: &str) -> Result<()> {
        let Some((project, record)) = self.integration_of(job)? else {
            return Ok(());
        };
        let run = IntegrationRun {
            id: self.new_id()?.into(),
            attempt: Some(attempt),
            finished_at: self.now,
            created: 0,
            updated: 0,
            deleted: 0,
            unchanged: 0,
            error: Some(message.to_owned()),
        };
        let state = get(self.tx, &keys::integration_state(project.id, record.id))?.unwrap_or_default();
        self.log_run(&project, &record, state, run)
    }
}
