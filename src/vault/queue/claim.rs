//! What a worker does with jobs: claims one, and settles it with the outcome of its attempt.

use std::time::Duration;

use crate::core::clock::Timestamp;
use crate::core::id::{Id, OrganizationId};
use crate::error::{Error, ErrorKind, Result};
use crate::http::retry::Schedule;
use crate::store::{Order, StoreExt as _};
use crate::vault::engine::Vault;
use crate::vault::integration::sync::{SyncJob, Synced};
use crate::vault::job_kind::JobKind;
use crate::vault::keys;
use crate::vault::operation::OperationContext;
use crate::vault::queue::{DueRecord, JobRecord, LeaseRecord};
use crate::vault::records::{decode, get};
use crate::vault::use_case::UseCase;
use crate::vault::webhook::delivery::Delivery;
use crate::vault::webhook::job::Delivered;

/// How long a worker holds a job. An attempt takes far less.
const LEASE: Duration = Duration::from_secs(60);
/// A service that asks for a longer pause than this with `Retry-After` is asked again after this one.
const MAX_RETRY_AFTER: Duration = Duration::from_secs(30 * 60);
/// Five attempts and the waits between them.
const SCHEDULE: Schedule = Schedule::new(
    &[Duration::from_secs(10), Duration::from_secs(60), Duration::from_secs(5 * 60), Duration::from_secs(30 * 60)],
    MAX_RETRY_AFTER,
);
/// How many jobs are looked at in one transaction.
const PAGE: usize = 200;

/// A job that a worker holds, with what its attempt needs.
pub(crate) struct ClaimedJob {
    pub(crate) claim: Claim,
    pub(crate) attempt: Attempt,
}

/// The right of a worker to settle a job, while its lease lasts.
pub(crate) struct Claim {
    /// The job when it was claimed.
    job: JobRecord,
    owner: Id,
}

impl Claim {
    /// The organization that the job is for.
    pub(crate) fn organization(&self) -> OrganizationId {
        self.job.organization
    }

    /// The host or the provider that the job has to do with.
    pub(crate) fn lane(&self) -> &str {
        &self.job.lane
    }
}

/// What is to be done for a job, outside of a transaction and perhaps more than once.
pub(crate) enum Attempt {
    Delivery(Delivery),
    Sync(SyncJob),
    /// A sync that cannot begin, such as one of secrets that the vault cannot open; says why.
    Refused(Error),
}

/// The outcome of an [`Attempt`].
pub(crate) enum Outcome {
    Delivered(Delivered),
    Synced(SyncJob, Synced),
    Refused(Error),
}

impl Outcome {
    fn is_success(&self) -> bool {
        match self {
            Self::Delivered(delivered) => delivered.is_success(),
            Self::Synced(_, synced) => synced.error().is_none(),
            Self::Refused(_) => false,
        }
    }

    /// How long the provider asks to wait. What a receiver of webhooks asks for is not read.
    fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Synced(_, synced) => synced.error().and_then(Error::retry_after),
            Self::Delivered(_) | Self::Refused(_) => None,
        }
    }
}

impl Vault {
    /// Claims the job that has been due longest, of those whose organization and lane have room.
    pub(crate) fn claim_job(&self, has_room: impl Fn(OrganizationId, &str) -> bool) -> Result<Option<ClaimedJob>> {
        let mut range = keys::jobs_due(self.now());
        loop {
            let page = self.store.read(|tx| tx.scan(&range, Order::Ascending, PAGE))?;
            for record in &page {
                let Ok(due) = decode::<DueRecord>(&record.value) else {
                    continue;
                };
                if !has_room(due.organization, &due.lane) {
                    continue;
                }
                match self.trusted("worker").write(UseCase::Locate, |operation| operation.claim(&due)) {
                    Ok(None) => {}
                    // A damaged record must not keep the others waiting; `Vault::check` finds it.
                    Err(error) if error.kind() == ErrorKind::Corrupt => {}
                    claimed => return claimed,
                }
            }
            match page.last() {
                Some(last) if page.len() == PAGE => range = range.after(&last.key),
                _ => return Ok(None),
            }
        }
    }

    /// Settles a job with the outcome of its attempt; changes nothing if another worker holds the job by now.
    pub(crate) fn settle_job(&self, claim: &Claim, outcome: &Outcome) -> Result<()> {
        self.trusted("worker").write(UseCase::Locate, |operation| operation.settle(claim, outcome))
    }
}

impl OperationContext<'_, '_> {
    /// Claims a job, unless another worker holds it or nothing is left to be done for it.
    fn claim(&mut self, due: &DueRecord) -> Result<Option<ClaimedJob>> {
        let Some(job) = get::<JobRecord>(self.tx, &keys::job(due.kind, due.subject))? else {
            return Ok(None);
        };
        if job.ready_at() > self.now {
            return Ok(None);
        }
        if let Some(lease) = &job.lease {
            match job.kind {
                JobKind::Webhook => self.log_lost_delivery(&job, lease)?,
                JobKind::Integration => self.log_lost_sync(&job, lease)?,
            }
        }
        let attempt = match job.kind {
            JobKind::Webhook => self.prepare_delivery(&job)?.map(Attempt::Delivery),
            JobKind::Integration => {
                self.prepare_sync(&job)?.map(|sync| sync.map_or_else(Attempt::Refused, Attempt::Sync))
            }
        };
        let Some(attempt) = attempt else {
            self.remove_job(&job)?;
            return Ok(None);
        };
        let owner = self.new_id()?;
        let until = self.now.checked_add(LEASE).unwrap_or(Timestamp::MAX);
        let lease = LeaseRecord { owner, until, event: job.event, attempt: job.attempt };
        let claimed = JobRecord { lease: Some(lease), ..job.clone() };
        self.put_job(Some(&job), &claimed)?;
        Ok(Some(ClaimedJob { claim: Claim { job: claimed, owner }, attempt }))
    }

    fn settle(&mut self, claim: &Claim, outcome: &Outcome) -> Result<()> {
        let Some(job) = get::<JobRecord>(self.tx, &keys::job(claim.job.kind, claim.job.subject))? else {
            // It was cancelled, but the attempt was made.
            return self.log_outcome(&claim.job, outcome);
        };
        if job.lease.as_ref().is_none_or(|lease| lease.owner != claim.owner) {
            return Ok(());
        }
        self.log_outcome(&claim.job, outcome)?;
        let released = JobRecord { lease: None, ..job.clone() };
        if job.event != claim.job.event {
            // A newer event has replaced this one, and does not wait for its retries.
            return self.put_job(Some(&job), &released);
        }
        if outcome.is_success() {
            return self.remove_job(&job);
        }
        match SCHEDULE.next(job.attempt, outcome.retry_after()) {
            Some(delay) => {
                let due_at = self.now.checked_add(delay).unwrap_or(Timestamp::MAX);
                self.put_job(Some(&job), &JobRecord { attempt: job.attempt + 1, due_at, ..released })
            }
            None => {
                self.remove_job(&job)?;
                match job.kind {
                    JobKind::Webhook => self.give_up_webhook(&job),
                    JobKind::Integration => self.give_up_integration(&job),
                }
            }
        }
    }

    /// Logs the outcome of an attempt; `job` is the job when the attempt began.
    fn log_outcome(&mut self, job: &JobRecord, outcome: &Outcome) -> Result<()> {
        match outcome {
            Outcome::Delivered(delivered) => self.log_delivery(job, job.event, job.attempt, delivered),
            Outcome::Synced(sync, synced) => self.finish_sync(sync, synced, Some(job.attempt)).map(drop),
            Outcome::Refused(error) => self.log_refused_sync(job, error),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicI64, Ordering};

    use super::*;
    use crate::core::clock::Clock;
    use crate::core::id::WebhookId;
    use crate::core::wrap::RootKey;
    use crate::store::Memory;
    use crate::system::SystemRandom;
    use crate::vault::engine::VaultOptions;
    use crate::vault::entry::NewEntry;
    use crate::vault::organization::NewOrganization;
    use crate::vault::page::Paging;
    use crate::vault::place::At;
    use crate::vault::project::NewProject;
    use crate::vault::session::Actor;
    use crate::vault::webhook::NewWebhook;

    #[derive(Clone, Debug)]
    struct TestClock(Arc<AtomicI64>);

    impl Clock for TestClock {
        fn now(&self) -> Timestamp {
            Timestamp::from_millis(self.0.load(Ordering::Relaxed)).unwrap()
        }
    }

    /// A vault in which one event waits for one webhook.
    struct World {
        vault: Vault,
        clock: TestClock,
        acme: OrganizationId,
        webhook: WebhookId,
    }

    impl World {
        fn new() -> Self {
            let clock = TestClock(Arc::new(AtomicI64::new(1_760_000_000_000)));
            let root = RootKey::generate(&SystemRandom).unwrap();
            let vault = VaultOptions::new(&root).clock(clock.clone()).create(Memory::new()).unwrap();
            let system = vault.session(Actor::system("test"));
            let acme = system.create_organization(&NewOrganization::new("Acme")).unwrap().id;
            let mut project = NewProject::new("shop");
            project.has_base = true;
            system.create_project(acme, &project).unwrap();
            let new = NewWebhook::new("https://hooks.example.test/").enabled(true);
            let webhook = system.create_webhook(At::Path(acme, &"shop/dev".parse().unwrap()), &new).unwrap().webhook.id;
            let world = Self { vault, clock, acme, webhook };
            world.change("1");
            world
        }

        fn change(&self, value: &str) {
            let entry = NewEntry::new("A".parse().unwrap(), value);
            let system = self.vault.session(Actor::system("test"));
            system.set_entries(At::Path(self.acme, &"shop/dev".parse().unwrap()), &[entry]).unwrap();
        }

        fn pass(&self, duration: Duration) {
            self.clock.0.fetch_add(i64::try_from(duration.as_millis()).unwrap(), Ordering::Relaxed);
        }

        fn claim(&self) -> Option<ClaimedJob> {
            self.vault.claim_job(|_, _| true).unwrap()
        }

        fn settle(&self, claimed: &ClaimedJob, is_success: bool) {
            let status = Some(if is_success { 200 } else { 500 });
            let delivered = Delivered { status, error: None, response_body: None };
            self.vault.settle_job(&claimed.claim, &Outcome::Delivered(delivered)).unwrap();
        }

        fn log_count(&self) -> usize {
            let system = self.vault.session(Actor::system("test"));
            let at = "shop/dev".parse().unwrap();
            system.webhook_logs(At::Path(self.acme, &at), self.webhook, &Paging::new()).unwrap().items.len()
        }

        fn job(&self) -> Option<JobRecord> {
            let key = keys::job(JobKind::Webhook, self.webhook.into());
            self.vault.store.read(|tx| get(tx, &key)).unwrap()
        }
    }

    #[test]
    fn a_job_is_one_owners_until_its_lease_ends() {
        let world = World::new();
        let first = world.claim().unwrap();
        assert!(world.claim().is_none());
        world.pass(Duration::from_millis(59_999));
        assert!(world.claim().is_none());
        world.pass(Duration::from_millis(1));
        let second = world.claim().unwrap();
        assert_eq!(world.log_count(), 1, "that the first one was lost");
        // The first one was only slow: what it says is no longer asked.
        world.settle(&first, false);
        assert_eq!(world.log_count(), 1);
        assert_eq!(world.job().unwrap().lease.unwrap().owner, second.claim.owner);
        world.settle(&second, true);
        assert!(world.job().is_none());
        world.settle(&first, false);
        assert!(world.job().is_none(), "nothing comes back");
    }

    #[test]
    fn what_was_lost_is_tried_again_under_the_same_number() {
        let world = World::new();
        for lost in 1..=9 {
            let claimed = world.claim().unwrap();
            assert_eq!(claimed.claim.job.attempt, 1);
            world.pass(LEASE);
            assert_eq!(world.log_count(), lost - 1);
        }
        let claimed = world.claim().unwrap();
        world.settle(&claimed, false);
        assert_eq!(world.job().unwrap().attempt, 2);
    }

    #[test]
    fn something_newer_is_neither_lost_nor_made_to_wait() {
        for is_success in [false, true] {
            let world = World::new();
            let claimed = world.claim().unwrap();
            world.change("2");
            assert!(world.claim().is_none(), "one at a time");
            world.settle(&claimed, is_success);
            let next = world.claim().unwrap();
            assert_ne!(next.claim.job.event.id, claimed.claim.job.event.id);
            assert_eq!(next.claim.job.attempt, 1);
            // Lost with its worker, while a third one takes its place.
            world.change("3");
            world.pass(LEASE);
            let last = world.claim().unwrap();
            assert_ne!(last.claim.job.event.id, next.claim.job.event.id);
            world.settle(&last, true);
            assert!(world.job().is_none() && world.claim().is_none());
        }
    }
}
