//! The queue of jobs that run outside a transaction, such as the delivery of a webhook.
//!
//! A job is for one subject, which has at most one job of a kind: a newer event replaces the one that waits. The
//! transaction that makes a job due puts it into the queue ([`OperationContext::enqueue`]). A worker, above the vault,
//! claims it in a transaction that writes a lease into it, makes the attempt, and settles it in another transaction if it
//! still holds the lease. A worker that dies in between leaves a lease that ends; then the job is claimed again.

#[cfg(feature = "worker")]
pub(crate) mod claim;

use serde::{Deserialize, Serialize};

use super::keys;
use super::operation::OperationContext;
use super::records::{PlainRecord, get, put};
use crate::core::clock::Timestamp;
use crate::core::id::EventId;
use crate::core::id::Id;
use crate::core::id::LevelId;
use crate::core::id::OrganizationId;
use crate::core::id::ProjectId;
use crate::error::Result;
use crate::store::Precondition;
use crate::vault::job_kind::JobKind;

/// One thing that waits to be done.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct JobRecord {
    pub(super) kind: JobKind,
    /// What it is for.
    pub(super) subject: Id,
    pub(super) organization: OrganizationId,
    pub(super) project: ProjectId,
    /// The environment.
    pub(super) node: LevelId,
    /// What it has to do with, such as a host: only so many jobs of a lane are done at a time.
    pub(super) lane: String,
    pub(super) event: EventRecord,
    /// The number of the attempt that comes next, or is being made; from 1.
    pub(super) attempt: u32,
    pub(super) due_at: Timestamp,
    pub(super) lease: Option<LeaseRecord>,
}

/// What the job is done because of.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct EventRecord {
    pub(super) id: EventId,
    pub(super) created_at: Timestamp,
}

/// That somebody is doing the job.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct LeaseRecord {
    /// Made for this one attempt.
    pub(super) owner: Id,
    pub(super) until: Timestamp,
    /// The event it is done for, which may not be the one that is in the job by now.
    pub(super) event: EventRecord,
    pub(super) attempt: u32,
}

/// What stands at the time from which a job can be taken: enough to tell whether to.
#[derive(Serialize, Deserialize)]
pub(super) struct DueRecord {
    pub(super) kind: JobKind,
    pub(super) subject: Id,
    pub(super) organization: OrganizationId,
    pub(super) lane: String,
}

impl PlainRecord for JobRecord {}
impl PlainRecord for DueRecord {}

impl JobRecord {
    /// From when on it can be taken.
    fn ready_at(&self) -> Timestamp {
        self.lease.as_ref().map_or(self.due_at, |lease| lease.until)
    }

    fn due_key(&self) -> String {
        keys::job_due(self.ready_at(), self.kind, self.subject)
    }
}

/// For what and for whom a job is done.
pub(super) struct NewJob {
    pub(super) kind: JobKind,
    pub(super) subject: Id,
    pub(super) organization: OrganizationId,
    pub(super) project: ProjectId,
    pub(super) node: LevelId,
    pub(super) lane: String,
}

impl OperationContext<'_, '_> {
    /// Has a job done for a new event, in place of what waits there. Where one is being done right now, this comes next.
    pub(super) fn enqueue(&mut self, new: NewJob) -> Result<()> {
        let event = EventRecord { id: self.new_id()?.into(), created_at: self.now };
        let old = get::<JobRecord>(self.tx, &keys::job(new.kind, new.subject))?;
        let NewJob { kind, subject, organization, project, node, lane } = new;
        let lease = old.as_ref().and_then(|old| old.lease.clone());
        let due_at = self.now;
        let job = JobRecord { kind, subject, organization, project, node, lane, event, attempt: 1, due_at, lease };
        self.put_job(old.as_ref(), &job)
    }

    /// Lets go of what waits for a subject. What is being done right now is done, and leads to nothing more.
    pub(super) fn cancel(&mut self, kind: JobKind, subject: Id) -> Result<()> {
        match get::<JobRecord>(self.tx, &keys::job(kind, subject))? {
            Some(job) => self.remove_job(&job),
            None => Ok(()),
        }
    }

    /// Has what waits for a subject done in another lane.
    pub(super) fn move_job(&mut self, kind: JobKind, subject: Id, lane: String) -> Result<()> {
        let Some(old) = get::<JobRecord>(self.tx, &keys::job(kind, subject))? else {
            return Ok(());
        };
        let job = JobRecord { lane, ..old.clone() };
        self.put_job(Some(&old), &job)
    }

    /// Writes a job over the one that is there.
    fn put_job(&mut self, old: Option<&JobRecord>, job: &JobRecord) -> Result<()> {
        let due_key = job.due_key();
        if let Some(old) = old.map(JobRecord::due_key).filter(|old| *old != due_key) {
            self.tx.delete(&old)?;
        }
        let JobRecord { kind, subject, organization, ref lane, .. } = *job;
        let due = DueRecord { kind, subject, organization, lane: lane.clone() };
        put(self.tx, &due_key, &due, Precondition::Always)?;
        put(self.tx, &keys::job(job.kind, job.subject), job, Precondition::Always)
    }

    fn remove_job(&mut self, job: &JobRecord) -> Result<()> {
        self.tx.delete(&job.due_key())?;
        self.tx.delete(&keys::job(job.kind, job.subject))?;
        Ok(())
    }
}
