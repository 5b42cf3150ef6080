//! Taking a job, and giving it back.

use std::time::Duration;

use super::super::call::Call;
use super::super::keys;
use super::super::records::get;
use super::{Attempt, DueRecord, JobRecord, LeaseRecord, Outcome};
use crate::Result;
use crate::core::{Id, Timestamp};

/// How long a job is its worker's. An attempt takes far less.
pub(super) const LEASE: Duration = Duration::from_secs(60);
/// What is waited after the first, second, third and fourth attempt. There are as many and one more.
pub(super) const DELAYS: [Duration; 4] =
    [Duration::from_secs(10), Duration::from_secs(60), Duration::from_secs(5 * 60), Duration::from_secs(30 * 60)];

/// A job that is ours.
pub(super) struct Claimed {
    /// As it was taken.
    pub(super) job: JobRecord,
    pub(super) owner: Id,
    pub(super) attempt: Box<dyn Attempt>,
}

impl Call<'_, '_> {
    /// Takes a job, unless somebody else has, or there is nothing to be done.
    pub(super) fn claim(&mut self, due: &DueRecord) -> Result<Option<Claimed>> {
        let Some(job) = get::<JobRecord>(self.tx, &keys::job(due.kind, due.subject))? else {
            return Ok(None);
        };
        if job.ready_at() > self.now {
            return Ok(None);
        }
        let handler = job.kind.handler();
        if let Some(lease) = &job.lease {
            handler.lost(self, &job, lease)?;
        }
        let Some(attempt) = handler.prepare(self, &job)? else {
            self.remove_job(&job)?;
            return Ok(None);
        };
        let owner = self.new_id()?;
        let until = self.now.checked_add(LEASE).unwrap_or(Timestamp::MAX);
        let lease = LeaseRecord { owner, until, event: job.event, attempt: job.attempt };
        let taken = JobRecord { lease: Some(lease), ..job.clone() };
        self.put_job(Some(&job), &taken)?;
        Ok(Some(Claimed { job: taken, owner, attempt }))
    }

    /// Gives a job back with what became of the attempt; nothing, if it is no longer ours.
    pub(super) fn settle(&mut self, claimed: &Claimed, outcome: &dyn Outcome) -> Result<()> {
        let Some(job) = get::<JobRecord>(self.tx, &keys::job(claimed.job.kind, claimed.job.subject))? else {
            // It was cancelled; the attempt was made all the same.
            return outcome.write(self, &claimed.job);
        };
        if job.lease.as_ref().is_none_or(|lease| lease.owner != claimed.owner) {
            return Ok(());
        }
        outcome.write(self, &claimed.job)?;
        let back = JobRecord { lease: None, ..job.clone() };
        if job.event != claimed.job.event {
            // Something newer has taken its place, and is not to wait for this.
            return self.put_job(Some(&job), &back);
        }
        if outcome.is_success() {
            return self.remove_job(&job);
        }
        let delay = usize::try_from(job.attempt).ok().and_then(|attempt| DELAYS.get(attempt.checked_sub(1)?));
        match delay {
            Some(delay) => {
                let due_at = self.now.checked_add(*delay).unwrap_or(Timestamp::MAX);
                self.put_job(Some(&job), &JobRecord { attempt: job.attempt + 1, due_at, ..back })
            }
            None => {
                self.remove_job(&job)?;
                job.kind.handler().give_up(self, &job)
            }
        }
    }
}
