use serde::{Deserialize, Serialize};

use crate::core::{Action, Id, Resource, Slug, Timestamp};
use crate::error::Result;
use crate::vault::integration::details;
use crate::vault::keys;
use crate::vault::records::{IntegrationStateRecord, get};
use crate::vault::session::Session;
use crate::vault::use_case::UseCase;

/// How many runs are kept.
pub(super) const MAX_RUNS: usize = 50;

/// What became of one attempt to copy what an integration is for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct IntegrationRun {
    /// Its id; newer ones are greater.
    pub id: Id,
    /// The number of the attempt, from 1 to 5; none, for one that was asked for.
    pub attempt: Option<u32>,
    /// When it had come to its end.
    pub finished_at: Timestamp,
    /// How many names were put there.
    pub created: usize,
    /// How many were changed.
    pub updated: usize,
    /// How many were removed.
    pub deleted: usize,
    /// How many stayed as they were.
    pub unchanged: usize,
    /// What went wrong first, without any value.
    pub error: Option<String>,
}

impl IntegrationRun {
    /// Whether all is there as it should be.
    pub fn is_success(&self) -> bool {
        self.error.is_none()
    }
}

impl Session<'_> {
    /// What an integration has done, newest first: its last 50 runs.
    ///
    /// # Errors
    /// `NotFound`.
    pub fn integration_runs(&self, organization: Id, project: &Slug, id: Id) -> Result<Vec<IntegrationRun>> {
        self.read(UseCase::ListIntegrationRuns, |operation| {
            let (project, record) = operation.integration(organization, project, id)?;
            let state: IntegrationStateRecord =
                get(operation.tx, &keys::integration_state(project.id, id))?.unwrap_or_default();
            let details = details(&record).with("op", "runs").with("count", state.runs.len());
            operation.record(Action::Read, Resource::integration(&project, &record), details)?;
            Ok(state.runs.into_iter().rev().collect())
        })
    }
}
