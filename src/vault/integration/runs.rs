use crate::core::audit::{Action, Resource};
use crate::core::id::IntegrationId;
use crate::error::Result;
use crate::vault::integration::details;
use crate::vault::integration_run::IntegrationRun;
use crate::vault::keys;
use crate::vault::place::At;
use crate::vault::records::{IntegrationStateRecord, get};
use crate::vault::session::Session;
use crate::vault::use_case::UseCase;

/// How many runs are kept.
pub(super) const MAX_RUNS: usize = 50;

impl Session<'_> {
    /// What an integration has done, newest first: its last 50 runs.
    ///
    /// # Errors
    /// `NotFound`.
    pub fn integration_runs(&self, at: At<'_>, id: IntegrationId) -> Result<Vec<IntegrationRun>> {
        self.read(UseCase::ListIntegrationRuns, |operation| {
            let (project, record) = operation.integration(at, id)?;
            let state: IntegrationStateRecord =
                get(operation.tx, &keys::integration_state(project.id, id))?.unwrap_or_default();
            let details = details(&record).with("op", "runs").with("count", state.runs.len());
            operation.record(Action::Read, Resource::integration(&project, &record), details)?;
            Ok(state.runs.into_iter().rev().collect())
        })
    }
}
