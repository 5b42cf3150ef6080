use serde::{Deserialize, Serialize};

use crate::core::clock::Timestamp;
use crate::core::id::IntegrationRunId;

/// What became of one attempt to copy what an integration is for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct IntegrationRun {
    /// Its id; newer ones are greater.
    pub id: IntegrationRunId,
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
