//! What the queue does for an integration.

use std::sync::Arc;

use super::work::{SyncJob, Synced};
use crate::core::{Action, Resource};
use crate::error::{Error, ErrorKind, Result};
use crate::store::Precondition;
use crate::vault::engine::Vault;
use crate::vault::integration::details;
use crate::vault::keys;
use crate::vault::operation::OperationContext;
use crate::vault::queue::{Attempt, Handler, JobRecord, LeaseRecord, Outcome};
use crate::vault::records::{IntegrationRecord, IntegrationStateRecord, ProjectRecord, get};

/// Copies what integrations are for.
pub(in crate::vault) struct IntegrationHandler;

impl Handler for IntegrationHandler {
    fn prepare(&self, operation: &mut OperationContext<'_, '_>, job: &JobRecord) -> Result<Option<Box<dyn Attempt>>> {
        let Some((project, record)) = integration_of(operation, job)? else {
            return Ok(None);
        };
        if !record.enabled {
            return Ok(None);
        }
        match operation.begin_sync(&project, &record) {
            Ok(sync) => Ok(Some(Box::new(Arc::new(sync)))),
            // What the store says is not the integration's fault.
            Err(error) if matches!(error.kind(), ErrorKind::Io | ErrorKind::Unavailable) => Err(error),
            Err(error) => Ok(Some(Box::new(Refused { kind: error.kind(), message: error.to_string() }))),
        }
    }

    fn lost(&self, operation: &mut OperationContext<'_, '_>, job: &JobRecord, lease: &LeaseRecord) -> Result<()> {
        match integration_of(operation, job)? {
            Some((project, record)) => {
                let message = "whoever was at it did not come back: it is done again";
                operation.log_failure(&project, &record, Error::new(ErrorKind::Unavailable, message), lease.attempt)
            }
            None => Ok(()),
        }
    }

    fn give_up(&self, operation: &mut OperationContext<'_, '_>, job: &JobRecord) -> Result<()> {
        let Some((project, mut record)) = integration_of(operation, job)? else {
            return Ok(());
        };
        let state: IntegrationStateRecord =
            get(operation.tx, &keys::integration_state(project.id, record.id))?.unwrap_or_default();
        record.enabled = false;
        record.paused = state.runs.last().and_then(|run| run.error.clone());
        operation.put_integration(&project, &mut record, Precondition::Present)?;
        let details = details(&record).with("changed", vec!["enabled"]).with("op", "give-up");
        operation.record(Action::Update, Resource::integration(&project, &record), details)
    }
}

/// The integration that a job is for; nothing, when it is gone.
fn integration_of(
    operation: &mut OperationContext<'_, '_>,
    job: &JobRecord,
) -> Result<Option<(ProjectRecord, IntegrationRecord)>> {
    match operation.synced_integration(job.organization, job.project, job.subject.into()) {
        Ok(found) => Ok(Some(found)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

impl Attempt for Arc<SyncJob> {
    fn make(&self, vault: &Vault) -> Box<dyn Outcome> {
        Box::new(Made { synced: self.run(vault), job: Self::clone(self) })
    }
}

/// A sync that was made.
struct Made {
    job: Arc<SyncJob>,
    synced: Synced,
}

impl Outcome for Made {
    fn is_success(&self) -> bool {
        self.synced.is_success()
    }

    fn write(&self, operation: &mut OperationContext<'_, '_>, job: &JobRecord) -> Result<()> {
        operation.finish_sync(&self.job, &self.synced, Some(job.attempt)).map(drop)
    }
}

/// A sync that cannot be begun, such as when the vault cannot open what is to be copied.
#[derive(Clone)]
struct Refused {
    kind: ErrorKind,
    message: String,
}

impl Attempt for Refused {
    fn make(&self, _: &Vault) -> Box<dyn Outcome> {
        Box::new(self.clone())
    }
}

impl Outcome for Refused {
    fn is_success(&self) -> bool {
        false
    }

    fn write(&self, operation: &mut OperationContext<'_, '_>, job: &JobRecord) -> Result<()> {
        match integration_of(operation, job)? {
            Some((project, record)) => {
                operation.log_failure(&project, &record, Error::new(self.kind, self.message.clone()), job.attempt)
            }
            None => Ok(()),
        }
    }
}
