use std::collections::HashMap;
use std::fmt;
use std::hash::Hash;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use super::integration::sync;
use super::targets::Targets;
use super::webhook::deliver;
use crate::core::id::OrganizationId;
use crate::error::Result;
use crate::http::client::Client;
use crate::vault::engine::Vault;
use crate::vault::queue::claim::{Attempt, ClaimedJob, Outcome};

/// Runs queued jobs in the background: delivers events to webhooks, and syncs integrations.
///
/// Any number of workers, in any number of processes, can work on one vault: each job has one worker at a time. A job
/// whose worker died is claimed by another one a minute later, so each job runs at least once.
///
/// ```no_run
/// # fn main() -> ioenv::Result<()> {
/// use std::sync::atomic::AtomicBool;
///
/// use ioenv::vault::{RootKey, Vault};
/// use ioenv::worker::Worker;
/// use ioenv::{SystemRandom, store::Memory};
///
/// let vault = Vault::create(Memory::new(), &RootKey::generate(&SystemRandom)?)?;
/// let stop = AtomicBool::new(false); // set to `true` by whatever ends the program
/// Worker::new(&vault).threads(8).run_until(&stop)?;
/// # Ok(())
/// # }
/// ```
pub struct Worker<'v> {
    vault: &'v Vault,
    threads: usize,
    per_organization: Option<usize>,
    per_host: usize,
    poll: Duration,
    client: Client,
    targets: Targets,
    state: Mutex<State>,
    done: Condvar,
}

/// What the threads of a worker share.
#[derive(Default)]
struct State {
    /// How many jobs of each organization and lane are running: another organization's slow receiver at the same host
    /// holds up nobody else.
    busy: HashMap<(OrganizationId, String), usize>,
    /// How many jobs of each organization are running.
    busy_for: HashMap<OrganizationId, usize>,
    /// Until when the store need not be asked again, because it had nothing a moment ago.
    quiet_until: Option<Instant>,
}

impl<'v> Worker<'v> {
    /// Creates a worker of 16 threads, of which at most eight work for the same organization, and at most two of those
    /// send to the same host, at a time.
    pub fn new(vault: &'v Vault) -> Self {
        Self {
            vault,
            threads: 16,
            per_organization: None,
            per_host: 2,
            poll: Duration::from_secs(1),
            client: Client::untrusted(&vault.outbound),
            targets: Targets::default(),
            state: Mutex::default(),
            done: Condvar::new(),
        }
    }

    /// Sets how many jobs run at a time: at least one.
    #[must_use]
    pub fn threads(mut self, threads: usize) -> Self {
        self.threads = threads.max(1);
        self
    }

    /// Sets how many jobs of the same organization run at a time: at least one. By default half of the threads, so that an
    /// organization whose receivers do not respond holds up itself alone.
    #[must_use]
    pub fn per_organization(mut self, jobs: usize) -> Self {
        self.per_organization = Some(jobs.max(1));
        self
    }

    /// Sets how many requests are sent to the same host for one organization at a time: at least one. It should be far below
    /// the number of threads, so that a host that does not respond holds up itself alone.
    #[must_use]
    pub fn per_host(mut self, requests: usize) -> Self {
        self.per_host = requests.max(1);
        self
    }

    /// Sets how long an idle worker waits before it asks the store for jobs again: one second by default.
    #[must_use]
    pub fn poll_every(mut self, interval: Duration) -> Self {
        self.poll = interval;
        self
    }

    /// Runs all jobs that are due, and returns the number of attempts. A job that fails waits until it is due again.
    ///
    /// # Errors
    /// What the store says. The jobs that were running then run again later.
    pub fn run_once(&self) -> Result<usize> {
        let count = AtomicUsize::new(0);
        self.state().quiet_until = None;
        self.run(|| {
            while let Some(claimed) = self.next()? {
                self.attempt(claimed)?;
                count.fetch_add(1, Ordering::Relaxed);
            }
            Ok(())
        })?;
        Ok(count.into_inner())
    }

    /// Runs jobs until `stop` is set, and then finishes those that are running: a delivery ends within some ten seconds, a
    /// sync within some fifty. A store that does not respond is asked again.
    ///
    /// # Errors
    /// What else the store says.
    pub fn run_until(&self, stop: &AtomicBool) -> Result<()> {
        let failed = AtomicBool::new(false);
        self.run(|| {
            while !stop.load(Ordering::Relaxed) && !failed.load(Ordering::Relaxed) {
                let result = match self.next() {
                    Ok(Some(claimed)) => self.attempt(claimed),
                    Ok(None) => {
                        self.wait();
                        Ok(())
                    }
                    Err(error) => Err(error),
                };
                match result {
                    Ok(()) => {}
                    Err(error) if error.is_retryable() => self.wait(),
                    Err(error) => {
                        failed.store(true, Ordering::Relaxed);
                        return Err(error);
                    }
                }
            }
            Ok(())
        })
    }

    /// Runs `work` in all threads.
    fn run(&self, work: impl Fn() -> Result<()> + Sync) -> Result<()> {
        thread::scope(|scope| {
            let threads: Vec<_> = (1..self.threads)
                .map(|_| thread::Builder::new().spawn_scoped(scope, &work))
                .map_while(std::io::Result::ok)
                .collect();
            // This thread works in any case, even if fewer threads could be spawned.
            let mut result = work();
            for thread in threads {
                let theirs = thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
                result = result.and(theirs);
            }
            result
        })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until there may be something to do.
    fn wait(&self) {
        let _ = self.done.wait_timeout(self.state(), self.poll).map_err(PoisonError::into_inner);
    }

    /// Claims the job that has been due longest, of those whose host has room.
    fn next(&self) -> Result<Option<ClaimedJob>> {
        // Held while the store is asked, so that the threads of a worker do not compete for the same job.
        let mut state = self.state();
        if state.quiet_until.is_some_and(|until| Instant::now() < until) {
            return Ok(None);
        }
        let per_organization = self.per_organization.unwrap_or(self.threads.div_ceil(2));
        let has_room = |organization: OrganizationId, lane: &str| {
            state.busy_for.get(&organization).is_none_or(|count| *count < per_organization)
                && state.busy.get(&(organization, lane.to_owned())).is_none_or(|count| *count < self.per_host)
        };
        let claimed = self.vault.claim_job(has_room)?;
        match &claimed {
            Some(claimed) => {
                let organization = claimed.claim.organization();
                *state.busy.entry((organization, claimed.claim.lane().to_owned())).or_default() += 1;
                *state.busy_for.entry(organization).or_default() += 1;
            }
            None => state.quiet_until = Instant::now().checked_add(self.poll),
        }
        Ok(claimed)
    }

    /// Makes the attempt and settles the job with its outcome.
    fn attempt(&self, claimed: ClaimedJob) -> Result<()> {
        let ClaimedJob { claim, attempt } = claimed;
        let outcome = match attempt {
            Attempt::Delivery(delivery) => Outcome::Delivered(deliver(&self.client, &delivery, self.vault.now())),
            Attempt::Sync(job) => {
                let synced = sync(self.vault, &self.targets, &job);
                Outcome::Synced(job, synced)
            }
            Attempt::Refused(error) => Outcome::Refused(error),
        };
        let result = self.vault.settle_job(&claim, &outcome);
        let mut state = self.state();
        release(&mut state.busy, &(claim.organization(), claim.lane().to_owned()));
        release(&mut state.busy_for, &claim.organization());
        // Another job of the lane or of the organization may have its turn now.
        state.quiet_until = None;
        drop(state);
        self.done.notify_all();
        result
    }
}

/// Counts one job less that is running.
fn release<K: Eq + Hash>(busy: &mut HashMap<K, usize>, key: &K) {
    if let Some(count) = busy.get_mut(key) {
        *count -= 1;
        if *count == 0 {
            busy.remove(key);
        }
    }
}

impl fmt::Debug for Worker<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Worker")
            .field("threads", &self.threads)
            .field("per_host", &self.per_host)
            .finish_non_exhaustive()
    }
}
