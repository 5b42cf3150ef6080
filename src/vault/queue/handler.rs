use crate::error::Result;
use crate::vault::engine::Vault;
use crate::vault::integration::IntegrationHandler;
use crate::vault::job_kind::JobKind;
use crate::vault::operation::OperationContext;
use crate::vault::queue::{JobRecord, LeaseRecord};
use crate::vault::webhook::WebhookHandler;

/// What is particular to a kind of job. Its methods run in the transactions that take a job and give it back.
pub(in crate::vault) trait Handler: Sync {
    /// What one attempt needs; nothing, when there is nothing left to be done it for, and the job is let go.
    fn prepare(&self, operation: &mut OperationContext<'_, '_>, job: &JobRecord) -> Result<Option<Box<dyn Attempt>>>;

    /// Writes down that an attempt was lost with its worker.
    fn lost(&self, operation: &mut OperationContext<'_, '_>, job: &JobRecord, lease: &LeaseRecord) -> Result<()>;

    /// Does what follows when the last attempt has failed.
    fn give_up(&self, operation: &mut OperationContext<'_, '_>, job: &JobRecord) -> Result<()>;
}

/// One attempt, with all that it needs. It is made outside of a transaction, and may be made more than once.
pub(in crate::vault) trait Attempt: Send {
    fn make(&self, vault: &Vault) -> Box<dyn Outcome>;
}

/// What became of an attempt.
pub(in crate::vault) trait Outcome {
    fn is_success(&self) -> bool;

    /// Writes it down; `job` is as it was when the attempt began.
    fn write(&self, operation: &mut OperationContext<'_, '_>, job: &JobRecord) -> Result<()>;
}

impl JobKind {
    pub(super) fn handler(self) -> &'static dyn Handler {
        match self {
            Self::Webhook => &WebhookHandler,
            Self::Integration => &IntegrationHandler,
        }
    }
}
