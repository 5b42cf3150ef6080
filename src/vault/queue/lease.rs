//! Taking a job, and giving it back.

use std::time::Duration;

use super::handler::{Attempt, Outcome};
use crate::core::{Id, Timestamp};
use crate::error::Result;
use crate::vault::keys;
use crate::vault::operation::OperationContext;
use crate::vault::queue::{DueRecord, JobRecord, LeaseRecord};
use crate::vault::records::get;

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

impl OperationContext<'_, '_> {
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

#[cfg(test)]
mod tests {
    use crate::core::WebhookId;
    use crate::vault::place::At;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicI64, Ordering};

    use super::*;
    use crate::core::{Clock, RootKey};
    use crate::store::{Memory, Order, StoreExt as _};
    use crate::system::SystemRandom;
    use crate::vault::engine::Vault;
    use crate::vault::entry::NewEntry;
    use crate::vault::organization::NewOrganization;
    use crate::vault::page::Paging;
    use crate::vault::project::NewProject;
    use crate::vault::records::{WebhookLogRecord, decode};
    use crate::vault::session::Actor;
    use crate::vault::use_case::UseCase;
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
        acme: Id,
        webhook: WebhookId,
    }

    impl World {
        fn new() -> Self {
            let clock = TestClock(Arc::new(AtomicI64::new(1_760_000_000_000)));
            let root = RootKey::generate(&SystemRandom).unwrap();
            let vault = Vault::open_with(Memory::new(), &root, clock.clone(), SystemRandom).unwrap();
            let system = vault.session(Actor::system("test"));
            let acme = system.create_organization(NewOrganization::new("Acme")).unwrap().id;
            let mut project = NewProject::new("shop");
            project.has_base = true;
            system.create_project(acme, project).unwrap();
            let new = NewWebhook::new("https://hooks.example.test/").enabled();
            let webhook = system.create_webhook(At::Path(acme, &"shop/dev".parse().unwrap()), &new).unwrap().webhook.id;
            let world = Self { vault, clock, acme: acme.into(), webhook };
            world.change("1");
            world
        }

        fn change(&self, value: &str) {
            let entry = NewEntry::new("A".parse().unwrap(), value);
            let system = self.vault.session(Actor::system("test"));
            system.set_entries(At::Path(self.acme.into(), &"shop/dev".parse().unwrap()), &[entry]).unwrap();
        }

        fn pass(&self, duration: Duration) {
            self.clock.0.fetch_add(i64::try_from(duration.as_millis()).unwrap(), Ordering::Relaxed);
        }

        fn claim(&self) -> Option<Claimed> {
            let range = keys::jobs_due(self.clock.now());
            let due = self.vault.store.read(|tx| tx.scan(&range, Order::Ascending, 9)).unwrap();
            let due: DueRecord = decode(&due.first()?.value).unwrap();
            self.vault
                .session(Actor::system("worker"))
                .write(UseCase::Locate, |operation| operation.claim(&due))
                .unwrap()
        }

        fn settle(&self, claimed: &Claimed, outcome: &Told) {
            let session = self.vault.session(Actor::system("worker"));
            session.write(UseCase::Locate, |operation| operation.settle(claimed, outcome)).unwrap();
        }

        fn log_count(&self) -> usize {
            let system = self.vault.session(Actor::system("test"));
            let at = "shop/dev".parse().unwrap();
            system.webhook_logs(At::Path(self.acme.into(), &at), self.webhook, &Paging::default()).unwrap().items.len()
        }

        fn job(&self) -> Option<JobRecord> {
            let key = keys::job(crate::vault::job_kind::JobKind::Webhook, self.webhook.into());
            self.vault.store.read(|tx| get(tx, &key)).unwrap()
        }
    }

    /// What became of an attempt that nobody made.
    struct Told(bool);

    impl Outcome for Told {
        fn is_success(&self) -> bool {
            self.0
        }

        fn write(&self, operation: &mut OperationContext<'_, '_>, job: &JobRecord) -> Result<()> {
            let id = operation.new_id()?;
            let (event, attempt, processed_at) = (job.event.id, job.attempt, operation.now);
            let (status, error, response_body) = (Some(200), None, None);
            let record = WebhookLogRecord { id: id.into(), event, attempt, status, error, response_body, processed_at };
            let key = keys::webhook_log(job.project, job.subject.into(), id.into());
            crate::vault::records::put(operation.tx, &key, &record, crate::store::Precondition::Absent)
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
        world.settle(&first, &Told(false));
        assert_eq!(world.log_count(), 1);
        assert_eq!(world.job().unwrap().lease.unwrap().owner, second.owner);
        world.settle(&second, &Told(true));
        assert!(world.job().is_none());
        world.settle(&first, &Told(false));
        assert!(world.job().is_none(), "nothing comes back");
    }

    #[test]
    fn what_was_lost_is_tried_again_under_the_same_number() {
        let world = World::new();
        for lost in 1..=9 {
            let claimed = world.claim().unwrap();
            assert_eq!(claimed.job.attempt, 1);
            world.pass(LEASE);
            assert_eq!(world.log_count(), lost - 1);
        }
        let claimed = world.claim().unwrap();
        world.settle(&claimed, &Told(false));
        assert_eq!(world.job().unwrap().attempt, 2);
    }

    #[test]
    fn something_newer_is_neither_lost_nor_made_to_wait() {
        for is_success in [false, true] {
            let world = World::new();
            let claimed = world.claim().unwrap();
            world.change("2");
            assert!(world.claim().is_none(), "one at a time");
            world.settle(&claimed, &Told(is_success));
            let next = world.claim().unwrap();
            assert_ne!(next.job.event.id, claimed.job.event.id);
            assert_eq!(next.job.attempt, 1);
            // Lost with its worker, while a third one takes its place.
            world.change("3");
            world.pass(LEASE);
            let last = world.claim().unwrap();
            assert_ne!(last.job.event.id, next.job.event.id);
            world.settle(&last, &Told(true));
            assert!(world.job().is_none() && world.claim().is_none());
        }
    }
}
